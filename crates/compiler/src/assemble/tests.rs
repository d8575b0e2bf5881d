//! What is put together from parts, after any edits, is what compiling the whole gives: byte for byte.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    BaseUrl,
    analysis::{Served, Universe},
    artifact::encode,
    ast::Effect,
    ceiling::Ceiling,
    compile_within,
    decide::{Body, Decision, Media, Param, Request, compare, constrained, decide, explain, nearest},
    findings::dead_here,
    ir::{LineId, Token},
    json,
    method::Method,
    seal::Mode,
};

/// A policy as people edit it: entries of files, and other files as they are.
#[derive(Clone, Debug, Default)]
struct Policy {
    files: BTreeMap<String, Vec<String>>,
    others: BTreeMap<String, String>,
    made: usize,
}

impl Policy {
    fn new() -> Self {
        let mut policy = Self::default();
        for (file, count) in [("a.toml", 14), ("team/b.toml", 9), ("z.toml", 1)] {
            let entries = (0..count).map(|_| policy.entry(3)).collect();
            policy.files.insert(file.to_owned(), entries);
        }
        let sets = [
            ("read.limits", "[get]/rest/api/2/project/.*\n!/rest/secret\n"),
            (
                "sub/write.limits",
                "# writes\n@include read\n[post]/rest/api/2/issue[JsonData::a.b==x|y]\n",
            ),
            ("unused.limits", "[get]/rest/x{USER}\n"),
        ];
        policy.others = sets.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        policy
    }

    /// A new entry, whose lines have the words of a kind.
    fn entry(&mut self, kind: usize) -> String {
        self.made += 1;
        let n = self.made;
        let lines = [
            "/rest/{USER}/x",
            "[get]/rest/(a|bc)*x[QueryParam::n?=(x|y)+]",
            "!{BASE_URL}/rest/hidden",
            "![put]https://elsewhere/.*",
            "[post].*/rest/f[JsonData::a.l[*]:number<=500]",
        ];
        let include = ["", "include = [\"read\"]\n", "include = [\"write\"]\n"];
        format!(
            "[[token]]\nname = \"t{n}\"\nuser = \"u{n}\"\nsecret_hash = \"sha256:{n:064x}\"\n{}limit_to = '''\n/rest/{n}\n{}\n'''\n\n",
            include[(kind / 5) % 3],
            lines[kind % 5],
        )
    }

    fn edit(&mut self, kind: u8, choice: usize) {
        let new = self.entry(choice / 7);
        let names: Vec<String> = self.files.keys().cloned().collect();
        let name = names[choice % names.len()].clone();
        let entries = self.files.get_mut(&name).unwrap();
        let at = (choice / 3) % entries.len().max(1);
        if kind == 2 && !entries.is_empty() {
            entries.remove(at);
            return;
        }
        let mut change = |change: &dyn Fn(&str) -> String| {
            if let Some(entry) = entries.get_mut(at) {
                *entry = change(entry);
            }
        };
        match kind {
            0 => change(&|entry| entry.replace("/rest/", "/rest/other/")),
            1 => entries.insert(at, new),
            2 => {}
            3 => change(&|entry| format!("# a remark\n\n{entry}")),
            4 => change(&|entry| entry.replace("user = ", "revoked = true\nuser = ")),
            5 => change(&|entry| entry.replace("limit_to", "description = '''\n[[token]]\n'''\nlimit_to")),
            6 => change(&|entry| entry.replace('\n', "\r\n")),
            7 => {
                let moved = self.files.remove(&name).unwrap();
                self.files.insert(format!("moved-{choice}.toml"), moved);
            }
            8 => drop(self.files.insert(format!("new-{choice}.toml"), vec![new])),
            9 => {
                let text = "[get]/rest/api/2/project/.*\n[get]/rest/y\n!/rest/secret|/rest/more\n";
                self.others.insert("read.limits".to_owned(), text.to_owned());
            }
            10 => drop(
                self.others
                    .insert("unused.limits".to_owned(), "@include write\n".to_owned()),
            ),
            11 => entries.insert(0, "\u{feff}# first\n".to_owned()),
            12 => entries.swap(0, at),
            // Mistakes, each of another stage.
            13 => change(&|entry| entry.replace("/rest/", "/rest/(")),
            14 => change(&|entry| entry.replace("user = ", "usr = ")),
            15 => change(&|entry| entry.replace("= \"t", "= \"t1\" # ")),
            16 => change(&|entry| entry.replace("sha256:0", "sha256:")),
            17 => change(&|entry| entry.replace("\n/rest/", "\n![delete]rest/")),
            18 => drop(
                self.others
                    .insert("unused.limits".to_owned(), "/rest/(\n".to_owned()),
            ),
            19 => drop(
                self.others
                    .insert("other/read.limits".to_owned(), "/rest/x\n".to_owned()),
            ),
            20 => change(&|entry| entry.replace("user = ", "include = [\"nowhere\"]\nuser = ")),
            21 => drop(
                self.others
                    .insert("reviewed.toml".to_owned(), "# \u{202e}\n".to_owned()),
            ),
            22 => entries.insert(0, "token = []\n".to_owned()),
            23 => {
                let again = entries.get(at).cloned();
                entries.extend(again);
            }
            24 => change(&|entry| entry.replace("secret_hash = ", "expires = 2999-01-01\nsecret_hash = ")),
            _ => drop(
                self.others
                    .insert("sub/write.limits".to_owned(), "@include write\n".to_owned()),
            ),
        }
    }

    fn sources(&self) -> SourceSet {
        let files = self
            .files
            .iter()
            .map(|(name, entries)| (name.clone(), entries.concat()));
        let others = self
            .others
            .iter()
            .map(|(name, text)| (name.clone(), text.clone()));
        SourceSet::from_files(files.chain(others))
    }
}

struct Configuration {
    base: BaseUrl,
    mode: Mode,
    ceiling: Ceiling,
    served: Served,
}

impl Configuration {
    fn new() -> Self {
        Self {
            base: BaseUrl::parse("https://jira.example.com").unwrap(),
            mode: Mode::Standard,
            ceiling: Ceiling::default(),
            served: Served::everything(),
        }
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            base: &self.base,
            merges: true,
            mode: &self.mode,
            ceiling: &self.ceiling,
            universe: Universe {
                canonical_paths: true,
                get_body: false,
            },
            served: &self.served,
            now_ms: 0,
        }
    }
}

/// Every byte of the parts, in order, with their places.
fn bytes(assembled: &Assembled) -> Vec<(Vec<u8>, String, u32)> {
    let parts = assembled.program.parts.as_ref().unwrap();
    let parts = parts.each().map(|(_, part)| {
        let place = (part.file.to_string(), part.lines_before);
        (encode(&part.program), place.0, place.1)
    });
    parts.collect()
}

/// Everything that is to be known of some requests of a token, with lines by their places.
fn decided(program: &Program, token: &Token, path: &str) -> Vec<String> {
    let token = program.token_by_secret_hash(&token.secret_hash).unwrap();
    let place = |line: LineId| {
        let line = program.line(line);
        format!("{}:{}", line.file, line.number)
    };
    let param = Param {
        name: "n",
        value: Some("x"),
    };
    let mut found = Vec::new();
    for (method, query) in [
        (Method::Get, &[][..]),
        (Method::Post, &[]),
        (Method::Put, &[param]),
    ] {
        for body in [Body::Absent, Body::Unread(Media::Json), Body::Unreadable] {
            let request = Request {
                token,
                method,
                path,
                query,
                body,
            };
            let shown = |decision: Decision<'_>| match decision {
                Decision::Allow(grant) => format!("allow {:?}", grant.line().map(place)),
                Decision::Deny(denial) => format!("{:?} {:?}", denial.reason, denial.line.map(place)),
                Decision::NeedsBody(wanted) => format!("{wanted:?}"),
            };
            let decision = decide(program, &request);
            if let Decision::NeedsBody(wanted) = &decision {
                let nodes = json::read(br#"{"a":{"b":"x","l":[400]}}"#, wanted).unwrap();
                let body = Body::Read(&nodes);
                found.push(shown(decide(program, &Request { body, ..request })));
            }
            found.push(shown(decision));
            let tried = explain::explain(program, &request);
            let shown = tried
                .iter()
                .map(|it| (place(it.line), it.held, it.constraints.len()));
            found.push(format!("{:?}", shown.collect::<Vec<_>>()));
            let nearest = nearest::nearest(program, &request, &tried);
            found.push(format!("{:?}", nearest.map(|it| (place(it.line), it.failed))));
            for effect in [Effect::Forbid, Effect::Permit] {
                let compared = compare::compare(program, &request, effect, b"{}").into_iter();
                let shown = compared.map(|it| (place(it.line), it.failed));
                found.push(format!("{:?}", shown.collect::<Vec<_>>()));
            }
        }
        let constrained = constrained(program, (token, method, path)).into_iter();
        let names = constrained.map(|it| (it.parameters().count(), it.nodes().count()));
        found.push(format!("{:?}", names.collect::<Vec<_>>()));
    }
    found
}

/// Checks that these sources give the same as a whole, and from nothing on any number of threads.
fn check(assembler: &mut Assembler, sources: &SourceSet, configuration: &Configuration) -> Option<usize> {
    let terms = configuration.terms();
    let found = assembler.assemble(sources, terms, 2);
    let whole = compile_within(sources, terms.mode, terms.ceiling, terms.now_ms);
    // A `[[token]]` in a string splits the file at a wrong place: such a policy is compiled as a whole.
    let in_string = |text: &str| {
        ["'''\n[[token]]", "'''\r\n[[token]]"]
            .iter()
            .any(|it| text.contains(it))
    };
    let is_split_wrong = sources.iter().any(|(_, source)| in_string(&source.text));
    assert!(
        found.is_some() == whole.program.is_some() || found.is_none() && is_split_wrong,
        "{:?}",
        whole.diagnostics
    );
    let fresh = [1, 3].map(|threads| Assembler::default().assemble(sources, terms, threads));
    for fresh in &fresh {
        assert_eq!(found.as_ref().map(bytes), fresh.as_ref().map(bytes));
        let version = |assembled: &Assembled| assembled.program.digest().to_owned();
        assert_eq!(found.as_ref().map(version), fresh.as_ref().map(version));
        let rest = |assembled: &Assembled| {
            let dead: Vec<_> = assembled
                .dead
                .iter()
                .map(|it| (it.place.clone(), it.tokens.clone()))
                .collect();
            (assembled.revoked.clone(), dead)
        };
        assert_eq!(found.as_ref().map(rest), fresh.as_ref().map(rest));
    }
    let (found, whole, mut revoked) = (found?, whole.program?, whole.revoked);
    assert_eq!(found.program.digest(), whole.digest());
    let bound = whole.bind(terms.base).unwrap().merging_body(true);
    let tokens = |program: &Program| -> Vec<_> {
        let tokens = program.tokens().map(|(id, token)| {
            assert_eq!(program.token_by_secret_hash(&token.secret_hash), Some(id));
            assert_eq!(program.token(id).name, token.name);
            let lines = program.lines_of(id).map(|(id, line)| {
                assert_eq!(program.line(id), line);
                format!("{line:?}")
            });
            (token.attributes.clone(), lines.collect::<Vec<_>>())
        });
        tokens.collect()
    };
    assert_eq!(tokens(&found.program), tokens(&bound));
    for (_, token) in bound.tokens() {
        for path in [
            "/rest/1",
            "/rest/u3/x",
            "/rest/hidden",
            "/rest/secret",
            "/rest/api/2/project/x",
            "/rest/api/2/issue",
            "/rest/f",
        ] {
            assert_eq!(
                decided(&found.program, token, path),
                decided(&bound, token, path),
                "{} {path}",
                token.name
            );
        }
    }
    let mut found_revoked = found.revoked.clone();
    found_revoked.sort_unstable();
    revoked.sort_unstable();
    assert_eq!(found_revoked, revoked);
    let dead = |lines: Vec<DeadLine>| -> Vec<_> {
        let lines = lines.into_iter();
        lines.map(|line| (line.place, line.reason, line.tokens)).collect()
    };
    let dead_of_whole = dead_here(&bound, terms.universe, terms.served);
    assert_eq!(dead(found.dead), dead(dead_of_whole));
    Some(found.compiled)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_edits_give_what_compiling_the_whole_gives(edits in prop::collection::vec((0..26_u8, any::<usize>(), any::<bool>()), 1..10)) {
        let configuration = Configuration::new();
        let mut assembler = Assembler::default();
        let mut policy = Policy::new();
        prop_assert!(check(&mut assembler, &policy.sources(), &configuration).is_some());
        for (kind, choice, undone) in edits {
            let before = policy.clone();
            policy.edit(kind, choice);
            let found = check(&mut assembler, &policy.sources(), &configuration);
            // Most mistakes are undone, so that later edits have something to show.
            if found.is_none() || undone {
                policy.files = before.files;
                policy.others = before.others;
                check(&mut assembler, &policy.sources(), &configuration);
            }
        }
    }
}

#[test]
fn each_kind_of_edit_is_what_it_says() {
    let configuration = Configuration::new();
    for kind in 0..26 {
        let mut assembler = Assembler::default();
        let mut policy = Policy::new();
        let first = check(&mut assembler, &policy.sources(), &configuration).unwrap();
        policy.edit(kind, 6);
        let found = check(&mut assembler, &policy.sources(), &configuration);
        let is_mistake = matches!(kind, 5 | 13..=23 | 25);
        match found {
            // A `[[token]]` in a string splits the file at the wrong place: then it is compiled as a whole.
            None => assert!(is_mistake, "{kind}"),
            Some(compiled) => assert!(!is_mistake && compiled < first, "{kind}: {compiled} of {first}"),
        }
    }
}

#[test]
fn only_what_changed_is_compiled() {
    let configuration = Configuration::new();
    let mut assembler = Assembler::default();
    let mut policy = Policy::new();
    let mut compiled = |policy: &Policy| check(&mut assembler, &policy.sources(), &configuration).unwrap();
    let first = compiled(&policy);
    assert!(first > 6, "{first}");
    assert_eq!(compiled(&policy), 0);
    // A line more at the beginning of a file moves all tokens of the file, and changes one piece.
    policy.edit(3, 0);
    assert_eq!(compiled(&policy), 1);
    policy.edit(2, 6);
    assert!(compiled(&policy) <= 2);
    // Nobody includes the set.
    policy
        .others
        .insert("unused.limits".to_owned(), "/rest/other\n".to_owned());
    assert_eq!(compiled(&policy), 0);
}

#[test]
fn lines_that_parts_copy_are_counted_in_all_parts() {
    let configuration = Configuration::new();
    let mut assembler = Assembler::default();
    let mut policy = Policy::default();
    let lines = "/rest/x\n".repeat(MOST_COPIED / 2);
    policy.others.insert("read.limits".to_owned(), lines);
    let mut is_assembled = |file: &str| {
        // Its tokens include `read`.
        let entry = policy.entry(5);
        policy.files.insert(file.to_owned(), vec![entry]);
        let sources = policy.sources();
        let reload = assembler.assemble(&sources, configuration.terms(), 1).is_some();
        let start = Assembler::default()
            .assemble(&sources, configuration.terms(), 1)
            .is_some();
        assert_eq!(reload, start, "{file}");
        reload
    };
    assert!(is_assembled("a.toml"));
    assert!(is_assembled("b.toml"));
    assert!(!is_assembled("c.toml"));
}

#[test]
fn a_change_of_the_same_size_and_time_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.toml");
    let time = std::time::SystemTime::UNIX_EPOCH;
    let write = |text: &str| {
        std::fs::write(&file, text).unwrap();
        std::fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(time)
            .unwrap();
    };
    let links = crate::source::Links::WithinDirectory;
    let mut policy = Policy::new();
    let entry = policy.entry(0);
    write(&entry);
    let before = SourceSet::read_dir(directory.path(), links).unwrap();
    let same = SourceSet::read_dir_again(directory.path(), links, &before).unwrap();
    write(&entry.replace("/x", "/y"));
    let after = SourceSet::read_dir_again(directory.path(), links, &same).unwrap();
    let text = |sources: &SourceSet| Arc::clone(&sources.iter().next().unwrap().1.text);
    assert!(
        Arc::ptr_eq(&text(&before), &text(&same)),
        "what is the same is shared"
    );
    assert_ne!(text(&same), text(&after));
    let configuration = Configuration::new();
    let mut assembler = Assembler::default();
    let mut version = |sources| {
        let assembled = assembler.assemble(sources, configuration.terms(), 1).unwrap();
        assembled.program.digest().to_owned()
    };
    assert_ne!(version(&same), version(&after));
}
