//! The reader against serde_json, and against the obvious way to find nodes in a tree.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::super::fold::{fold, same_but_for_case};
use super::super::{Kind, Node, Path, ReadError, Scalar, Step, Wanted, read};
use super::path;

/// A JSON value that keeps duplicate names. Numbers are kept by value, as serde_json does not keep their text.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(Kind, String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

const PATHS: [&str; 9] = ["", "a", "a[*]", "a.b", "a[*].b", "b", "b[*][*]", "é.a", "[*].a"];

/// Reads with all of [`PATHS`] wanted, then checks against the tree that serde_json made.
fn agree(body: &[u8]) -> Result<(), TestCaseError> {
    let paths = PATHS.map(path);
    let mut wanted = Wanted::new();
    let nodes: Vec<_> = paths.iter().map(|path| wanted.node(path)).collect();
    let members: Vec<_> = paths.iter().map(|path| wanted.members(path)).collect();
    let ours = read(body, &wanted);
    let theirs = match serde_json::from_slice::<Tree>(body) {
        Ok(tree) => Some(tree),
        Err(error) => {
            let error = error.to_string();
            // The grammar has no largest number, and serde_json's nesting ends one level earlier.
            if error.contains("number out of range") || error.contains("recursion limit") {
                return Ok(());
            }
            None
        }
    };
    match (ours, theirs) {
        (Err(_), None) => {}
        (Err(ReadError::NotJson { offset, what }), Some(_)) => {
            prop_assert!(
                false,
                "{what} at {offset}, but serde_json reads {}",
                body.escape_ascii()
            );
        }
        (Err(error), Some(tree)) => prop_assert_eq!(first_fault(&tree, &paths), Some(kind_of(error))),
        (Ok(_), None) => prop_assert!(false, "serde_json refuses {}", body.escape_ascii()),
        (Ok(read), Some(tree)) => {
            prop_assert_eq!(first_fault(&tree, &paths), None);
            for ((path, node), members) in paths.iter().zip(nodes).zip(members) {
                let (expect, expect_members) = nodes_of(&tree, path);
                prop_assert_eq!(by_value(read.node(node)), expect, "{} in {:?}", path, tree);
                prop_assert_eq!(
                    read.node(members),
                    &expect_members,
                    "members of {} in {:?}",
                    path,
                    tree
                );
            }
        }
    }
    Ok(())
}

fn kind_of(error: ReadError) -> &'static str {
    match error {
        ReadError::NotJson { what, .. } => what,
        ReadError::DuplicateName { .. } => "duplicate",
        ReadError::ControlInName { .. } => "control",
        ReadError::CaseVariant { .. } => "case",
    }
}

/// The first fault of a name, in the order of the text.
fn first_fault(tree: &Tree, paths: &[Path]) -> Option<&'static str> {
    let wanted: Vec<&[Step]> = paths.iter().map(|path| path.0.as_slice()).collect();
    fault(tree, &wanted)
}

fn fault(tree: &Tree, wanted: &[&[Step]]) -> Option<&'static str> {
    match tree {
        Tree::Scalar(..) => None,
        Tree::Array(elements) => {
            let below: Vec<_> = wanted
                .iter()
                .filter_map(|path| path.strip_prefix(&[Step::Each]))
                .collect();
            elements.iter().find_map(|element| fault(element, &below))
        }
        Tree::Object(object) => {
            let mut seen = HashSet::new();
            object.iter().find_map(|(name, value)| {
                if name.contains(char::is_control) {
                    return Some("control");
                }
                if !seen.insert(name) {
                    return Some("duplicate");
                }
                let mut below = Vec::new();
                for path in wanted {
                    if let Some((Step::Name(step), rest)) = path.split_first() {
                        if step == name {
                            below.push(rest);
                        } else if same_but_for_case(&fold(step), &fold(name)) {
                            return Some("case");
                        }
                    }
                }
                fault(value, &below)
            })
        }
    }
}

/// What stands at a path, as a node and as members.
fn nodes_of<'t>(tree: &'t Tree, path: &Path) -> (Node<'t>, Node<'t>) {
    let mut nodes = (Node::default(), Node::default());
    follow(tree, &path.0, false, &mut nodes.0, &mut nodes.1);
    nodes
}

fn follow<'t>(tree: &'t Tree, steps: &[Step], in_element: bool, node: &mut Node<'t>, members: &mut Node<'t>) {
    match (steps, tree) {
        ([], _) => {
            node.found = true;
            flatten(tree, node);
            if let Tree::Object(object) = tree {
                (members.found, members.object) = (true, true);
                members
                    .members
                    .extend(object.iter().map(|(name, _)| Cow::Borrowed(name.as_str())));
            } else {
                members.misfit = true;
            }
        }
        ([Step::Each, rest @ ..], Tree::Array(elements)) => {
            elements
                .iter()
                .for_each(|element| follow(element, rest, true, node, members));
        }
        ([Step::Name(step), rest @ ..], Tree::Object(object)) => {
            match object.iter().find(|(name, _)| name == step) {
                Some((_, value)) => follow(value, rest, in_element, node, members),
                None => {
                    for node in [node, members] {
                        node.missing = true;
                        node.lacking |= in_element;
                    }
                }
            }
        }
        _ => (node.misfit, members.misfit) = (true, true),
    }
}

fn flatten<'t>(tree: &'t Tree, node: &mut Node<'t>) {
    match tree {
        Tree::Scalar(kind, text) => {
            node.values.push(Scalar {
                kind: *kind,
                text: Cow::Borrowed(text),
                plain: true,
            });
        }
        Tree::Array(elements) => elements.iter().for_each(|element| flatten(element, node)),
        Tree::Object(_) => node.object = true,
    }
}

/// A node with its numbers as serde_json reads them.
fn by_value<'n>(node: &Node<'n>) -> Node<'n> {
    let mut node = node.clone();
    for value in node.values.iter_mut().filter(|value| value.kind == Kind::Number) {
        let Ok(Tree::Scalar(_, text)) = serde_json::from_str(&value.text) else {
            panic!("{value:?}")
        };
        (value.text, value.plain) = (Cow::Owned(text), true);
    }
    node
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar(Kind::Boolean, value.to_string()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar(Kind::Number, value.to_string()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar(Kind::Number, value.to_string()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar(Kind::Number, value.to_string()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar(Kind::String, value.to_owned()))
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Kind::Null, "null".to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(Tree::Array(elements))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = access.next_entry()? {
            object.push(member);
        }
        Ok(Tree::Object(object))
    }
}

/// Text of a string or name: much that collides, in several spellings.
fn quoted() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a",
        "b",
        "a",
        "b",
        "é",
        r"\u00e9",
        "A",
        r"\u0061",
        "x",
        r"\n",
        r"\\",
        r#"\""#,
        r"\/",
        "\u{7f}",
        "😀",
        r"\ud83d\ude00",
        r"\uD83D",
        "12345678",
        "longer than a word",
    ];
    vec(select(PIECES), 0..3).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// Names: mostly those of [`PATHS`].
fn name() -> impl Strategy<Value = String> {
    const PLAIN: &[&str] = &[r#""a""#, r#""b""#, r#""c""#, r#""é""#, r#""\u0061""#, r#""d""#];
    prop_oneof![8 => select(PLAIN).prop_map(str::to_owned), 1 => quoted()]
}

fn json() -> impl Strategy<Value = String> {
    const NUMBERS: &[&str] = &[
        "0",
        "-0",
        "1",
        "-12",
        "1.5",
        "0.10",
        "1e3",
        "2E-2",
        "12345678901234567890123",
        "-1.25e+2",
    ];
    const WORDS: &[&str] = &["true", "false", "null"];
    let scalar = prop_oneof![
        select(NUMBERS).prop_map(str::to_owned),
        select(WORDS).prop_map(str::to_owned),
        quoted(),
    ];
    let spaces = || select(&["", "", "", " ", "\n\t", "\r "][..]);
    let spaced = move |value| (spaces(), value, spaces()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
    scalar
        .boxed()
        .prop_recursive(4, 24, 4, move |inner: BoxedStrategy<String>| {
            let elements = vec(spaced(inner.clone().boxed()), 0..4);
            let member = (spaced(name().boxed()), spaced(inner.boxed()))
                .prop_map(|(name, value)| format!("{name}:{value}"));
            prop_oneof![
                1 => elements.prop_map(|elements| format!("[{}]", elements.join(","))),
                3 => vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
            ]
        })
}

const BYTES: &[u8] = b"{}[]\",:\\/u0dD8c1.eE+-tfnabAB \n\t\x00\x1f\x7f\xC3\xA9\xFF\xEF\xBB\xBF";

/// Puts bytes in, takes bytes out, writes over them or cuts the rest off.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    (json(), vec((any::<Index>(), 0..7, select(BYTES)), 1..4)).prop_map(|(body, changes)| {
        let mut body = body.into_bytes();
        for (at, change, byte) in changes {
            let at = at.index(body.len() + 1);
            match change {
                0..3 => body.insert(at, byte),
                3..5 if at < body.len() => drop(body.remove(at)),
                5 if at < body.len() => body[at] = byte,
                _ => body.truncate(at),
            }
        }
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_json_is_read_as_serde_json_reads_it(body in json()) {
        agree(body.as_bytes())?;
    }

    #[test]
    fn broken_json_is_refused_as_serde_json_refuses_it(body in mutated()) {
        agree(&body)?;
    }

    #[test]
    fn arbitrary_bytes_are_refused_as_serde_json_refuses_them(
        body in prop_oneof![vec(select(BYTES), 0..12), vec(any::<u8>(), 0..12)],
    ) {
        agree(&body)?;
    }
}
