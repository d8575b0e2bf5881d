//! The functions that the playground's page calls: a question in JSON goes in, an answer in JSON comes out
//! (`questions`).
//!
//! A WebAssembly function takes and gives only numbers. So the page asks for room with [`room`], writes the question there, calls
//! [`ask`], and reads as many bytes at [`answer`]. The module calls nothing of its host: it has no clock, no network and no files.
//!
//! No code here is `unsafe`. The page writes through the address of a vector that this module owns, and between its calls.

mod questions;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The bytes of the question, and then those of the answer.
static TEXTS: Mutex<Texts> = Mutex::new(Texts {
    question: Vec::new(),
    answer: String::new(),
});

struct Texts {
    question: Vec<u8>,
    answer: String,
}

fn texts() -> MutexGuard<'static, Texts> {
    TEXTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes room for a question of `length` bytes and returns its address; a null address if a question of this length is refused.
#[allow(unsafe_code, reason = "the page calls the function by this name")]
#[unsafe(no_mangle)]
pub extern "C" fn room(length: usize) -> *mut u8 {
    if length > questions::LARGEST {
        return std::ptr::null_mut();
    }
    let mut texts = texts();
    texts.question.clear();
    texts.question.resize(length, 0);
    texts.question.as_mut_ptr()
}

/// Answers the question, and returns the number of bytes of the answer.
#[allow(unsafe_code, reason = "the page calls the function by this name")]
#[unsafe(no_mangle)]
pub extern "C" fn ask() -> usize {
    let mut texts = texts();
    // A text of JavaScript is encoded as UTF-8 without errors. Other bytes are replaced, and then not understood.
    let question = String::from_utf8_lossy(&texts.question).into_owned();
    texts.answer = questions::answer(&question);
    texts.answer.len()
}

/// Returns the address of the answer.
#[allow(unsafe_code, reason = "the page calls the function by this name")]
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> *const u8 {
    texts().answer.as_ptr()
}

#[cfg(test)]
mod tests;
