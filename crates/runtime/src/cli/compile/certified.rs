//! Certificates of a check: of each answer about an invariant, and of each finding that rests on a proof.

use std::path::Path;

use tokenward_compiler::analysis::{Budget, Certificates, Universe};
use tokenward_compiler::diagnostic::Diagnostic;
use tokenward_compiler::findings::rest_on_proofs;
use tokenward_compiler::invariants::Invariants;
use tokenward_compiler::source::SourceSet;
use tokenward_pdp::check::Certifiable;

use super::super::certificates;
use super::super::failure::Failure;

/// The number of the policy in the certificate, and that of its invariants.
const POLICY: usize = 0;
const INVARIANTS: usize = 1;

/// Writes the certificates of the answers and of the findings that are shown. A finding without grounds that a certificate can express
/// is in the file as one without a certificate.
pub(super) fn write(
    file: &Path,
    certifiable: Option<&Certifiable>,
    (sources, findings): (&SourceSet, &[Diagnostic]),
    (universe, budget): (Universe, &Budget),
) -> Result<(), Failure> {
    let Some(checked) = certifiable else {
        return Err(Failure::Findings(format!(
            "the policy does not compile, so nothing is proved, and no certificates are written to `{}`",
            file.display()
        )));
    };
    let invariants = checked.invariants.as_ref();
    let demands = invariants.map(Invariants::program);
    let sides = [&checked.program].into_iter().chain(demands);
    let mut collected = Certificates::new(sides.collect(), universe, budget);
    for answer in &checked.answers {
        answer.certify((POLICY, INVARIANTS), &mut collected);
    }
    for finding in findings.iter().filter(|finding| rest_on_proofs(finding.code)) {
        let what = shown(sources, finding);
        match checked.grounds.iter().find(|grounds| grounds.is_of(finding)) {
            Some(grounds) => grounds.certify(POLICY, &what, &mut collected),
            None => collected.open(&what),
        }
    }
    let demands = invariants.map(|invariants| ("the compiled invariants", invariants.artifact()));
    certificates::write(file, collected, demands)
}

/// A finding in one line.
fn shown(sources: &SourceSet, finding: &Diagnostic) -> String {
    let (code, span) = (finding.code, finding.primary.span);
    let place = sources.get(span.source).map_or_else(String::new, |source| {
        format!(" at {}:{}", source.path, sources.line_number(span))
    });
    format!("{code}{place}: {}", finding.headline)
}
