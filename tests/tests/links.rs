//! Checks the documentation: relative links, their headings, and paths in back-ticks exist.

#![expect(clippy::unwrap_used, reason = "a failed expectation is a test's way to fail")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// First folders of the paths that are checked, in full and in short form.
const FOLDERS: [&str; 13] = [
    "crates", "tests", "docs", "fuzz", "bench", "grammar", "policies", "deploy", "audit", "compiler", "pdp",
    "runtime", "e2e",
];
/// Endings of the repository's files. A text with a slash and one of these is checked with any first folder.
const ENDINGS: [&str; 9] = ["rs", "md", "pest", "sh", "py", "jsonl", "txt", "mk", "dict"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Lists the checked pages: in the root, and in the folders below. `CHANGELOG.md` is left out, because it describes the past.
fn pages(root: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut open: Vec<PathBuf> = ["docs", "grammar", "tests", "fuzz", "bench"]
        .map(|name| root.join(name))
        .into();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push(path);
            }
        }
    }
    pages.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name)),
    );
    pages.sort();
    pages
}

/// Removes the blocks of code from a page.
fn prose(page: &str) -> String {
    let mut inside = false;
    let kept = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// Lists the anchors of a page's headings, as GitHub forms them.
fn anchors(page: &str) -> HashSet<String> {
    let heading = |line: &str| {
        Some(
            line.strip_prefix('#')?
                .trim_start_matches('#')
                .trim()
                .to_lowercase(),
        )
    };
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    let anchor = |text: String| text.chars().filter(kept).collect::<String>().replace(' ', "-");
    prose(page).lines().filter_map(heading).map(anchor).collect()
}

/// Lists the relative links of a page without a file or without a heading.
fn broken_links(path: &Path, text: &str) -> Vec<String> {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let code = Regex::new(r"`[^`\n]*`").unwrap();
    let text = code.replace_all(text, "");
    let targets = link
        .captures_iter(&text)
        .map(|found| found.get(1).unwrap().as_str());
    let is_broken = |target: &&str| {
        if target.contains("://") {
            return false;
        }
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let file = if file.is_empty() {
            path.to_owned()
        } else {
            path.parent().unwrap().join(file)
        };
        let has_anchor = || fs::read_to_string(&file).is_ok_and(|page| anchors(&page).contains(anchor));
        !file.exists() || !anchor.is_empty() && !has_anchor()
    };
    targets
        .filter(is_broken)
        .map(|target| format!("link {target}"))
        .collect()
}

/// Expands `a/{b,c}.rs` to `a/b.rs` and `a/c.rs`.
fn alternatives(path: &str) -> Vec<String> {
    let parts = path
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    match parts {
        None => vec![path.to_owned()],
        Some((before, (names, after))) => names
            .split(',')
            .map(|name| format!("{before}{name}{after}"))
            .collect(),
    }
}

/// Whether `path`, in full or in short form, leads to a file or a folder. A short form begins in the page's folder, in `tests`, in
/// `crates` (`runtime/src/…`, or `runtime/…` without `src`), or in the sources of a crate. The ending `.rs` is optional.
fn leads_somewhere(root: &Path, page: &Path, path: &str) -> bool {
    let crates = ["audit", "compiler", "pdp", "runtime"].map(|name| root.join("crates").join(name));
    let mut bases = vec![
        root.to_owned(),
        page.parent().unwrap().to_owned(),
        root.join("tests"),
        root.join("crates"),
    ];
    bases.extend(crates.iter().map(|one| one.join("src")));
    let mut candidates: Vec<PathBuf> = bases.iter().map(|base| base.join(path)).collect();
    if let Some((name, rest)) = path.split_once('/') {
        candidates.extend([root.join("crates").join(name).join("src").join(rest)]);
        candidates.extend(
            crates
                .iter()
                .filter(|one| one.ends_with(name))
                .map(|one| one.join(rest)),
        );
    }
    let with_ending = |path: &PathBuf| PathBuf::from(format!("{}.rs", path.display()));
    candidates
        .iter()
        .any(|path| path.exists() || with_ending(path).exists())
}

/// Whether a text in back-ticks is meant as a path of the repository.
fn is_path(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "/._-{},".contains(c);
    let Some((first, _)) = text.split_once('/') else {
        return false;
    };
    let ending = text.rsplit_once('.').map_or("", |(_, ending)| ending);
    text.chars().all(plain) && !first.is_empty() && (FOLDERS.contains(&first) || ENDINGS.contains(&ending))
}

/// Lists the paths in back-ticks that lead nowhere.
fn broken_paths(root: &Path, page: &Path, text: &str) -> Vec<String> {
    let code = Regex::new(r"`([^`\n]+)`").unwrap();
    let named = code
        .captures_iter(text)
        .map(|found| found.get(1).unwrap().as_str());
    let paths = named.filter(|text| is_path(text)).flat_map(alternatives);
    paths
        .filter(|path| !leads_somewhere(root, page, path.trim_end_matches('/')))
        .map(|path| format!("path {path}"))
        .collect()
}

#[test]
fn links_and_paths_of_the_documentation_lead_to_files() {
    let root = root();
    let mut wrong = Vec::new();
    for page in pages(&root) {
        let text = prose(&fs::read_to_string(&page).unwrap());
        let shown = page.strip_prefix(&root).unwrap().display().to_string();
        let found = broken_links(&page, &text)
            .into_iter()
            .chain(broken_paths(&root, &page, &text));
        wrong.extend(found.map(|what| format!("{shown}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_link_a_missing_heading_and_a_lost_path_are_found() {
    let root = root();
    let page = root.join("README.md");
    let text = "[a](docs/audit.md) [b](docs/none.md) [c](docs/audit.md#proofs) [d](docs/audit.md#none) [e](https://x/y) `[f](g)`";
    assert_eq!(
        broken_links(&page, text),
        ["link docs/none.md", "link docs/audit.md#none"]
    );
    let text = "`audit/period/files.rs` `crates/audit/src/lib.rs` `ir/{glob,gone}.rs` `pdp/wire` `runtime/sheaf` `/rest/a` `docs/`";
    assert_eq!(
        broken_paths(&root, &page, text),
        ["path ir/gone.rs", "path runtime/sheaf"]
    );
}
