//! Counts the work of reading a head, for tests: a head that takes more than its size allows would let anyone keep the
//! proxy busy. Outside of tests it does nothing.

/// Counts bytes that are looked at, or an equal amount of other work.
#[inline]
pub(super) fn done(bytes: usize) {
    #[cfg(test)]
    tests::DONE.with(|done| done.set(done.get() + bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    thread_local! {
        pub(super) static DONE: Cell<usize> = const { Cell::new(0) };
    }

    /// Gives the work that the function does.
    pub(in crate::request) fn of<T>(function: impl FnOnce() -> T) -> (usize, T) {
        let before = DONE.with(Cell::get);
        let result = function();
        (DONE.with(Cell::get) - before, result)
    }
}
