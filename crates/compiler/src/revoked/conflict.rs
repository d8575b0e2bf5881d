//! The two sides of the merge conflicts that git leaves in a file.

/// What a line belongs to.
enum Part {
    Both,
    /// The side above `=======`, with the length of its mark.
    Ours(usize),
    /// What both sides began with, in the style `diff3`: on no side.
    Base(usize),
    Theirs(usize),
}

/// The text as each side has it; `None` if there is no conflict in it, or one that is not whole.
///
/// Marks are at least seven characters at the start of a line. Within a conflict only marks of its own length count: a base may have
/// conflicts of its own, with longer marks.
pub(super) fn sides(text: &str) -> Option<[String; 2]> {
    let (mut ours, mut theirs) = (String::new(), String::new());
    let (mut part, mut found) = (Part::Both, false);
    for line in text.split_inclusive('\n') {
        let mark = mark(line);
        part = match (part, mark) {
            (Part::Both, Some((b'<', length))) => {
                found = true;
                Part::Ours(length)
            }
            (Part::Ours(own), Some((b'|', length))) if own == length => Part::Base(own),
            (Part::Ours(own) | Part::Base(own), Some((b'=', length))) if own == length => Part::Theirs(own),
            (Part::Theirs(own), Some((b'>', length))) if own == length => Part::Both,
            (part, _) => {
                match part {
                    Part::Both => {
                        ours.push_str(line);
                        theirs.push_str(line);
                    }
                    Part::Ours(_) => ours.push_str(line),
                    Part::Base(_) => {}
                    Part::Theirs(_) => theirs.push_str(line),
                }
                part
            }
        };
    }
    (found && matches!(part, Part::Both)).then_some([ours, theirs])
}

/// The character of a mark and how often it is there.
fn mark(line: &str) -> Option<(u8, usize)> {
    let line = line.trim_end_matches(['\r', '\n']);
    let first = *line.as_bytes().first()?;
    let length = line.bytes().take_while(|byte| *byte == first).count();
    let behind = line.as_bytes().get(length);
    let is_mark = b"<|=>".contains(&first) && length >= 7 && matches!(behind, None | Some(b' '));
    is_mark.then_some((first, length))
}
