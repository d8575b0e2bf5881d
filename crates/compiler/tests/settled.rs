//! Proofs end, and take no more counted work than their limits: policies that once were never settled.
//!
//! Work is counted and not timed, so that these tests give the same result on every machine. `make bench-proofs` measures time
//! and memory of the same rows.

#![allow(clippy::panic, reason = "a test")]

#[allow(unreachable_pub, dead_code, reason = "shared with a program that measures")]
#[path = "../benches/proofs/mod.rs"]
mod proofs;

use proofs::{Answer, Row};

#[track_caller]
fn settled(name: &str) -> Answer {
    let Some(row) = Row::named(name) else {
        panic!("there is no row `{name}`");
    };
    let answer = row.question.prepared()();
    assert_eq!(answer.inconclusive, 0, "{name}");
    assert!(
        answer.steps <= row.steps,
        "{name}: {answer:?}, at most {}",
        row.steps
    );
    answer
}

#[test]
fn a_line_of_nine_keys_is_widened() {
    let answer = settled("one line of 9 keys, widened");
    assert_eq!((answer.found, answer.gone), (1, 0));
}

#[test]
fn a_line_of_sixteen_keys_is_widened() {
    let answer = settled("one line of 16 keys, widened");
    assert_eq!((answer.found, answer.gone), (1, 0));
}

#[test]
fn a_line_of_sixteen_keys_gets_one_more() {
    let answer = settled("one line of 16 keys, one more");
    assert_eq!((answer.found, answer.gone), (1, 0));
}

#[test]
fn five_lines_are_one_alternation() {
    let answer = settled("5 `.*` lines as one alternation");
    assert_eq!((answer.found, answer.gone), (0, 0));
}

#[test]
fn fifty_lines_are_one_alternation() {
    let answer = settled("50 `.*` lines as one alternation");
    assert_eq!((answer.found, answer.gone), (0, 0));
}

#[test]
fn lines_of_two_words_are_one_alternation() {
    let answer = settled("15 lines of two `.*` as one alternation");
    assert_eq!((answer.found, answer.gone), (0, 0));
}

#[test]
fn lines_of_three_words_are_widened() {
    let answer = settled("12 lines of three `.*` widened");
    assert_eq!((answer.found, answer.gone), (12, 0));
}

#[test]
fn many_literals_are_one_class() {
    let answer = settled("900 literals as one class");
    assert_eq!((answer.found, answer.gone), (0, 0));
}

#[test]
fn many_values_are_one_alternation() {
    let answer = settled("30 values as one alternation");
    assert_eq!((answer.found, answer.gone), (1, 0));
}

#[test]
fn forbidden_words_are_one_alternation() {
    let answer = settled("40 forbidden words as one alternation");
    assert_eq!((answer.found, answer.gone), (0, 0));
}

#[test]
fn a_hundred_lines_are_widened() {
    let answer = settled("100 `.*` lines widened");
    assert_eq!((answer.found, answer.gone), (10, 0));
}

#[test]
fn a_thousand_lines_are_widened() {
    let answer = settled("1,000 `.*` lines widened");
    assert_eq!((answer.found, answer.gone), (10, 0));
}

#[test]
fn lines_of_many_tokens_are_widened() {
    let answer = settled("200 tokens of 30 `.*` lines, changed");
    assert_eq!((answer.found, answer.gone), (2000, 0));
}

#[test]
fn forbidden_words_are_checked() {
    let answer = settled("check: 40 permits, 40 `!.*w.*`");
    assert_eq!((answer.found, answer.gone), (0, 0));
}

#[test]
fn literals_are_checked() {
    let answer = settled("check: 100,000 literals");
    assert_eq!((answer.found, answer.gone), (0, 0));
}

#[test]
fn tokens_with_the_same_user_are_checked() {
    let answer = settled("check: 1,000 tokens with the same user");
    assert_eq!((answer.found, answer.gone), (0, 0));
}

#[test]
fn reordered_lines_are_the_same() {
    let answer = settled("8,000 lines reordered");
    assert_eq!((answer.found, answer.gone), (0, 0));
}

#[test]
fn unchanged_tokens_cost_nothing() {
    let answer = settled("10,000 tokens of 10 lines, 1 % changed");
    assert_eq!((answer.found, answer.gone), (100, 0));
}

#[test]
fn lints_of_a_thousand_tokens_are_settled() {
    let answer = settled("lint: 1,000 tokens of 10 lines");
    assert!(answer.found >= 1_000, "{answer:?}");
}

#[test]
fn lints_of_ten_thousand_suspect_lines_are_settled() {
    let answer = settled("lint: 1,000 tokens of 10 lines, all suspect");
    // Each first line of a pair has three findings, and each second one two.
    assert!(answer.found >= 25_000, "{answer:?}");
}
