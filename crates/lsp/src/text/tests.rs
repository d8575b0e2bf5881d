use gen_lsp_types::{
    Position, Range, TextDocumentContentChangeEvent, TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
};

use super::{LineIndex, applied};

fn at(line: u32, character: u32) -> Position {
    Position { line, character }
}

fn part(start: Position, end: Position, text: &str) -> TextDocumentContentChangeEvent {
    TextDocumentContentChangeEvent::TextDocumentContentChangePartial(TextDocumentContentChangePartial {
        range: Range { start, end },
        text: text.to_owned(),
        ..TextDocumentContentChangePartial::default()
    })
}

#[test]
fn columns_are_utf_16_code_units() {
    let text = "aß💡z\r\n\u{10FFFF}e\u{301}\rlast";
    let index = LineIndex::of(text);
    for (byte, position) in [
        (0, at(0, 0)),
        (1, at(0, 1)),
        (3, at(0, 2)),
        // A byte within the light bulb is the light bulb.
        (5, at(0, 2)),
        (7, at(0, 4)),
        (8, at(0, 5)),
        (10, at(1, 0)),
        (14, at(1, 2)),
        (15, at(1, 3)),
        (18, at(2, 0)),
        (text.len(), at(2, 4)),
        (usize::MAX, at(2, 4)),
    ] {
        assert_eq!(index.position(text, byte), position, "{byte}");
    }
    for (position, byte) in [
        (at(0, 3), 3),
        (at(0, 4), 7),
        (at(0, 99), 8),
        (at(1, 1), 10),
        (at(1, u32::MAX), 17),
        (at(2, 4), text.len()),
        (at(u32::MAX, 0), text.len()),
    ] {
        assert_eq!(index.offset(text, position), byte, "{position:?}");
    }
}

#[test]
fn each_byte_of_a_text_comes_back_from_its_position() {
    for text in [
        "",
        "\n",
        "\r",
        "\r\n",
        "\n\r\n\r\r",
        "ab\r\nc\u{1F600}d\ne",
        "\u{feff}x\ny",
    ] {
        let index = LineIndex::of(text);
        for (byte, character) in text.char_indices() {
            // The line feed of `\r\n` has no position of its own: it is the line's end.
            let is_second =
                character == '\n' && text.get(..byte).is_some_and(|before| before.ends_with('\r'));
            if !is_second {
                assert_eq!(
                    index.offset(text, index.position(text, byte)),
                    byte,
                    "{text:?} {byte}"
                );
            }
        }
    }
}

#[test]
fn a_byte_order_mark_on_disk_has_no_column() {
    let text = "\u{feff}name = 1\n";
    let index = LineIndex::of_file(text);
    assert_eq!(index.position(text, 3), at(0, 0));
    assert_eq!(index.position(text, 0), at(0, 0));
    assert_eq!(index.offset(text, at(0, 4)), 7);
}

#[test]
fn changes_apply_in_their_order() {
    let whole = TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(
        TextDocumentContentChangeWholeDocument {
            text: "one\r\ntw💡o\r\n".to_owned(),
        },
    );
    let changes = vec![
        whole,
        part(at(1, 2), at(1, 4), "ww"),
        part(at(0, 0), at(0, 0), "💡"),
        // The end before the start, and both beyond the text.
        part(at(9, 9), at(2, 0), "end"),
    ];
    assert_eq!(
        applied("", changes, 100).as_deref(),
        Some("💡one\r\ntwwwo\r\nend")
    );
    assert_eq!(applied("abc", vec![part(at(0, 0), at(0, 0), "xx")], 4), None);
}
