use tokenward_compiler::{
    BaseUrl, artifact, compile,
    diagnostic::{Severity, render_json, render_text},
    resolve_policy,
    source::SourceSet,
};

const FILES: &[&str] = &["t.toml", "a.limits", "b.limits", "u.toml"];

/// A whole policy compiles, or says why not, at places within its files; twice the same; and a program that comes of it can be
/// bound, listed, and stored.
pub fn policy(bytes: &[u8]) {
    let Some(sources) = sources(bytes) else { return };
    let compilation = compile(&sources);
    for diagnostic in &compilation.diagnostics {
        for label in std::iter::once(&diagnostic.primary).chain(&diagnostic.related) {
            let source = sources.get(label.span.source).expect("a file of the policy");
            let place = source.text.get(label.span.start..label.span.end);
            assert!(place.is_some(), "{diagnostic:?} points nowhere");
        }
        assert!(
            !diagnostic.headline.contains('\n') || diagnostic.headline.contains('`'),
            "{diagnostic:?}"
        );
    }
    let shown = render_text(&sources, &compilation.diagnostics, false);
    let odd = |c: &char| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c);
    assert_eq!(
        shown.chars().find(odd),
        None,
        "a character that repaints terminals: {shown:?}"
    );
    let json = render_json(&sources, &compilation.diagnostics);
    assert!(
        json.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
            || serde_json::from_str::<serde_json::Value>(&json).is_ok(),
        "{json}"
    );
    let failed = compilation
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_eq!(failed, compilation.program.is_none());
    let _ = resolve_policy(&sources);

    let again = compile(&sources);
    assert_eq!(compilation.diagnostics, again.diagnostics);
    assert_eq!(compilation.revoked, again.revoked);
    let (Some(program), Some(again)) = (compilation.program, again.program) else {
        return;
    };
    let stored = artifact::encode(&program);
    assert_eq!(
        stored,
        artifact::encode(&again),
        "the same sources give the same bytes"
    );
    let loaded = artifact::decode(&stored).expect("what was encoded decodes");
    for base in ["https://h", "http://jira.example.com:8443/rest"] {
        let base = BaseUrl::parse(base).expect("a base URL");
        match (program.bind(&base), loaded.bind(&base)) {
            (Ok(one), Ok(other)) => assert_eq!(one.to_string(), other.to_string()),
            (one, other) => assert_eq!(one.is_ok(), other.is_ok()),
        }
    }
}

/// The bytes as the files of a policy, cut at 0xFF, which UTF-8 never has: a token file, two sets, another token file.
#[must_use]
pub fn sources(bytes: &[u8]) -> Option<SourceSet> {
    let files: Option<Vec<_>> = bytes
        .splitn(FILES.len(), |byte| *byte == 0xff)
        .zip(FILES)
        .map(|(text, name)| Some(((*name).to_owned(), std::str::from_utf8(text).ok()?.to_owned())))
        .collect();
    files.map(SourceSet::from_files)
}
