use std::thread;

use super::*;

/// Runs on a thread of its own, which keeps nothing yet.
fn alone(test: impl FnOnce() + Send + 'static) {
    thread::spawn(test).join().unwrap();
}

fn kept_lists() -> usize {
    KEPT_FIELDS.with(|kept| kept.kept.borrow().len())
}

fn kept() -> Vec<usize> {
    KEPT.with(|kept| kept.kept.borrow().iter().map(Vec::capacity).collect())
}

#[test]
fn a_buffer_that_is_used_again_shows_nothing_of_before() {
    alone(|| {
        let mut first = ByteBuffer::with_room(10);
        first.extend_from_slice(b"of the first call");
        let memory = first.as_ptr();
        drop(first);
        let again = TextBuffer::with_room(10);
        assert_eq!(again.as_ptr(), memory, "the same memory");
        assert_eq!(again, "");
        drop(again);
        let mut again = ByteBuffer::with_room(10);
        assert_eq!(again.as_ptr(), memory);
        again.extend_from_slice(b"of");
        assert_eq!(again.as_slice(), b"of");
        // Safe code reads the rest of the memory only after it has written there.
        again.resize(20, b'.');
        assert_eq!(again.as_slice(), b"of..................");
        assert_eq!(TextBuffer::from_utf8(again).unwrap(), "of..................");
    });
}

#[test]
fn a_thread_keeps_few_buffers_and_no_large_ones() {
    alone(|| {
        drop(ByteBuffer::with_room(LARGEST + 1));
        drop(ByteBuffer::default());
        assert!(kept().is_empty());
        let all: Vec<_> = (0..2 * MOST).map(|_| ByteBuffer::with_room(1)).collect();
        drop(all);
        assert_eq!(kept(), [USUAL; MOST]);
        let mut grown = TextBuffer::with_room(1);
        grown.text().push_str(&"a".repeat(LARGEST + 1));
        drop(grown);
        assert_eq!(kept().len(), MOST - 1);
    });
}

#[test]
fn shared_values_are_those_that_were_given() {
    alone(|| {
        let values: Vec<Vec<u8>> = (0..300_u16)
            .map(|n| vec![u8::try_from(n % 251).unwrap(); usize::from(n)])
            .collect();
        let shared: Vec<Bytes> = values.iter().map(|value| shared(value)).collect();
        assert!(shared.iter().zip(&values).all(|(shared, value)| shared == value));
        // The memory of values that are all dropped is not written again while others live.
        let (odd, even): (Vec<_>, Vec<_>) = shared
            .into_iter()
            .zip(values)
            .partition(|(_, value)| value.len() % 2 == 1);
        drop(odd);
        let _more: Vec<Bytes> = (0..100).map(|_| super::shared(b"other")).collect();
        assert!(even.iter().all(|(shared, value)| shared == value));
    });
}

#[test]
fn lists_of_fields_are_empty_and_bounded() {
    alone(|| {
        let mut fields = fields_with_room(3);
        fields.push((
            HeaderName::from_static("a"),
            HeaderValue::from_static("of the first call"),
        ));
        let memory = fields.as_ptr();
        give_back_fields(fields);
        let again = fields_with_room(2);
        assert!(again.is_empty() && again.as_ptr() == memory);
        give_back_fields(again);
        give_back_fields(fields_with_room(FIELDS + 1));
        assert_eq!(kept_lists(), 0, "a large list is not kept");
        (0..2 * LISTS)
            .map(|_| Fields::with_capacity(2))
            .for_each(give_back_fields);
        assert_eq!(kept_lists(), LISTS);
    });
}
