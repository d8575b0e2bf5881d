use tokenward_compiler::{
    diagnostic::{Code, Diagnostic, Fix, Proof},
    source::{SourceSet, Span},
};

use super::{Correction, Whole, of_pieces};

const TOKEN: &str = "[[token]]\nlimit_to = '/x'\n";

fn sources(files: &[(&str, &str)]) -> SourceSet {
    SourceSet::from_files(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
    )
}

/// A finding in each file, with a proved correction.
fn proved(sources: &SourceSet) -> Vec<Diagnostic> {
    let each = sources.iter().map(|(id, _)| {
        let span = Span {
            source: id,
            start: 0,
            end: 1,
        };
        let mut found = Diagnostic::new(Code::CoveredLine, span, "covered");
        let mut fix = Fix::of(span, "");
        fix.proof = Proof::Equivalent;
        found.fixes.push(fix);
        found
    });
    each.collect()
}

#[test]
fn proofs_are_forgotten_when_a_set_changes() {
    let known = sources(&[("a.toml", TOKEN), ("s.limits", "/x\n")]);
    let whole = Whole::of(&known, &proved(&known));
    let kept = |files: &[(&str, &str)]| -> Vec<(String, bool)> {
        let kept = whole.kept(&sources(files)).into_iter();
        let mut kept: Vec<_> = kept
            .map(|found| {
                let Correction { proof, is_proved, .. } = &found.fixes[0];
                assert_eq!(*is_proved, !proof.is_empty());
                (found.place.file.to_string(), *is_proved)
            })
            .collect();
        kept.sort();
        kept
    };
    let in_file = |file: &str, is_proved| (file.to_owned(), is_proved);
    let both = [in_file("a.toml", true), in_file("s.limits", true)];
    assert_eq!(kept(&[("a.toml", TOKEN), ("s.limits", "/x\n")]), both);
    // Another token, and the same one at another place.
    let moved = format!("{TOKEN}\n{TOKEN}");
    assert_eq!(kept(&[("a.toml", &moved), ("s.limits", "/x\n")]).len(), 2);
    let own = [in_file("a.toml", false)];
    assert_eq!(kept(&[("a.toml", TOKEN), ("s.limits", "/y\n")]), own);
    assert_eq!(kept(&[("a.toml", TOKEN)]), own);
    let more = [in_file("a.toml", false), in_file("s.limits", false)];
    let files = [("a.toml", TOKEN), ("s.limits", "/x\n"), ("t.limits", "/y\n")];
    assert_eq!(kept(&files), more);
}

#[test]
fn a_check_of_pieces_proves_nothing_about_sets() {
    let all = sources(&[("a.toml", TOKEN), ("s.limits", "/x\n")]);
    let changed = all.iter().map(|(_, source)| {
        (
            source.path.clone(),
            std::iter::once(0..source.text.len()).collect(),
        )
    });
    let found = of_pieces(&all, &proved(&all), &changed.collect());
    let proved: Vec<_> = found
        .iter()
        .map(|found| (&*found.place.file, found.fixes[0].is_proved))
        .collect();
    assert_eq!(proved, [("a.toml", true), ("s.limits", false)]);
}
