use super::*;

#[test]
fn a_question_that_is_too_long_gets_no_room() {
    assert!(room(questions::LARGEST + 1).is_null());
    assert!(!room(questions::LARGEST).is_null());
}

#[test]
fn bytes_that_are_not_a_question_are_answered_with_an_error() {
    for length in [0, 3] {
        assert!(!room(length).is_null());
        assert!(ask() > 0);
        assert!(!answer().is_null());
        assert!(texts().answer.starts_with("{\"error\":"), "{}", texts().answer);
    }
}
