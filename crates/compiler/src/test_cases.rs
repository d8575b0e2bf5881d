//! Tests of policies: reads their files.

use crate::{
    check,
    diagnostic::{self, Diagnostic},
    source::{SourceKind, SourceSet},
    tokens::{self, TestDef},
};

/// The tests of the files of kind [`SourceKind::Tests`], in the order of their places, and the errors in those files.
///
/// A file of tests is read by people who review a policy, so it may not have text that looks different from what it is, and no
/// secrets.
#[must_use]
pub fn read(sources: &SourceSet) -> (Vec<TestDef>, Vec<Diagnostic>) {
    let (mut tests, mut found) = (Vec::new(), Vec::new());
    for (id, source) in sources.iter() {
        if source.kind == SourceKind::Tests {
            tests.extend(tokens::read_tests(id, source, &mut found));
        }
    }
    check::test_files::check(sources, &mut found);
    check::hidden_text::check_tests(sources, &mut found);
    check::secrets(sources, &mut found);
    diagnostic::sort(&mut found);
    (tests, found)
}
