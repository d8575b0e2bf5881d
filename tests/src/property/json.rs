use tokenward_compiler::json::{self, Path, ReadError, Step, Wanted};

use crate::{naive, reference::Json};

/// The reader takes what serde_json and a naive reader take, and nothing else; gives the values that stand at the wanted paths; and
/// refuses repeated names, control characters in names, and names in another case than a wanted one, but nothing for those reasons
/// that has none of them.
pub fn json(bytes: &[u8]) {
    let paths = paths();
    let mut wanted = Wanted::new();
    let slots: Vec<_> = paths
        .iter()
        .map(|path| (wanted.node(path), wanted.members(path)))
        .collect();
    let tree = naive::json::parse(bytes);
    agrees_with_serde(bytes, tree.as_ref());
    let tree = tree.filter(|tree| naive::json::depth(tree) <= json::MAX_DEPTH);
    let nodes = match (json::read(bytes, &wanted), &tree) {
        (Ok(nodes), Some(_)) => nodes,
        (Ok(_), None) => panic!(
            "no JSON, or too deep, yet read: {:?}",
            String::from_utf8_lossy(bytes)
        ),
        (Err(error @ ReadError::NotJson { .. }), Some(_)) => {
            panic!("{error}: {:?}", String::from_utf8_lossy(bytes))
        }
        // A text with several errors has the first one told.
        (Err(_), None) => return,
        (Err(error), Some(tree)) => {
            let found = match error {
                ReadError::DuplicateName { .. } => repeats(tree),
                ReadError::ControlInName { .. } => any_name(tree, &|name| name.contains(char::is_control)),
                _ => paths.iter().any(|path| case_variant(tree, &path.0)),
            };
            assert!(found, "{error}, wrongly: {tree}");
            return;
        }
    };
    let tree = tree.expect("it was read");
    assert!(!repeats(&tree), "a repeated name: {tree}");
    assert!(
        !any_name(&tree, &|name| name.contains(char::is_control)),
        "a control character: {tree}"
    );
    assert!(
        !paths.iter().any(|path| ascii_case_variant(&tree, &path.0)),
        "a name in another case: {tree}"
    );
    for (path, (node, members)) in paths.iter().zip(slots) {
        let mut places = Vec::new();
        find(&tree, &path.0, &mut places);
        let mut values = Vec::new();
        let objects = places.iter().filter(|place| scalars(place, &mut values)).count();
        let node = nodes.node(node);
        let given: Vec<String> = node.values.iter().map(|value| value.text.to_string()).collect();
        assert_eq!(given, values, "{path} in {tree}");
        assert_eq!(
            (node.found, node.object),
            (!places.is_empty(), objects > 0),
            "{path} in {tree}"
        );
        let names: Vec<&str> = places
            .iter()
            .flat_map(|place| match place {
                Json::Object(members) => members.iter().map(|(name, _)| name.as_str()).collect(),
                _ => Vec::new(),
            })
            .collect();
        assert_eq!(nodes.node(members).members, names, "members of {path} in {tree}");
    }
}

fn paths() -> Vec<Path> {
    let name = |name: &str| Step::Name(name.to_owned());
    vec![
        Path(Vec::new()),
        Path(vec![name("a")]),
        Path(vec![name("a"), Step::Each]),
        Path(vec![name("a"), name("b")]),
        Path(vec![name("a"), Step::Each, name("b")]),
        Path(vec![name("b"), Step::Each, Step::Each]),
        Path(vec![name("é"), name("a.b")]),
        Path(vec![name("")]),
        Path(vec![Step::Each]),
        Path(vec![Step::Each, name("a")]),
    ]
}

/// serde_json knows a largest number and nests less deep; otherwise it is the same grammar, and the same texts.
fn agrees_with_serde(bytes: &[u8], tree: Option<&Json>) {
    match (serde_json::from_slice::<serde_json::Value>(bytes), tree) {
        (Ok(value), Some(tree)) => {
            let unique = naive::json::without_repeats(tree, false);
            assert!(
                same(&value, &unique),
                "serde_json reads {value}, the naive reader {unique}"
            );
        }
        (Err(error), Some(tree)) => {
            let error = error.to_string();
            let known = error.contains("number out of range") || error.contains("recursion limit");
            assert!(known, "{error}, yet naively {tree}");
        }
        (Ok(value), None) => panic!("naively no JSON: {value}"),
        (Err(_), None) => {}
    }
}

fn same(value: &serde_json::Value, tree: &Json) -> bool {
    use serde_json::Value;
    match (value, tree) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(one), Json::Boolean(other)) => one == other,
        (Value::Number(one), Json::Number(digits)) => {
            // serde_json rounds a little otherwise than the standard library.
            let (one, other) = (
                one.as_f64().unwrap_or_default(),
                digits.parse().unwrap_or(f64::NAN),
            );
            (one - other).abs() <= other.abs() * 1e-9
        }
        (Value::String(one), Json::String(other)) => one == other,
        (Value::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && other
                    .iter()
                    .all(|(name, value)| one.get(name).is_some_and(|found| same(found, value)))
        }
        _ => false,
    }
}

fn any_name(tree: &Json, test: &impl Fn(&str) -> bool) -> bool {
    match tree {
        Json::Array(elements) => elements.iter().any(|element| any_name(element, test)),
        Json::Object(members) => members
            .iter()
            .any(|(name, value)| test(name) || any_name(value, test)),
        _ => false,
    }
}

fn repeats(tree: &Json) -> bool {
    match tree {
        Json::Array(elements) => elements.iter().any(repeats),
        Json::Object(members) => members.iter().enumerate().any(|(at, (name, value))| {
            members.iter().take(at).any(|(known, _)| known == name) || repeats(value)
        }),
        _ => false,
    }
}

/// Whether an object on the way has a member that is the step but for its case, as far as ASCII goes.
fn ascii_case_variant(tree: &Json, steps: &[Step]) -> bool {
    variant(tree, steps, &|name, step| name.eq_ignore_ascii_case(step))
}

/// As Unicode has it, generously: what upper or lower case makes equal.
fn case_variant(tree: &Json, steps: &[Step]) -> bool {
    let fold = |text: &str| text.to_uppercase().to_lowercase();
    variant(tree, steps, &|name, step| {
        fold(name) == fold(step) || fold(&fold(name)) == fold(&fold(step))
    })
}

fn variant(tree: &Json, steps: &[Step], same: &impl Fn(&str, &str) -> bool) -> bool {
    match (steps.split_first(), tree) {
        (Some((Step::Name(step), rest)), Json::Object(members)) => members.iter().any(|(name, value)| {
            name != step && same(name, step) || name == step && variant(value, rest, same)
        }),
        (Some((Step::Each, rest)), Json::Array(elements)) => {
            elements.iter().any(|element| variant(element, rest, same))
        }
        _ => false,
    }
}

fn find<'t>(tree: &'t Json, steps: &[Step], places: &mut Vec<&'t Json>) {
    match (steps.split_first(), tree) {
        (None, _) => places.push(tree),
        (Some((Step::Name(step), rest)), Json::Object(members)) => members
            .iter()
            .filter(|(name, _)| name == step)
            .for_each(|(_, value)| find(value, rest, places)),
        (Some((Step::Each, rest)), Json::Array(elements)) => {
            elements.iter().for_each(|element| find(element, rest, places));
        }
        _ => {}
    }
}

/// Adds the scalars' texts; whether an object stands there or within an array there.
fn scalars(tree: &Json, values: &mut Vec<String>) -> bool {
    match tree {
        Json::Null => values.push("null".to_owned()),
        Json::Boolean(value) => values.push(value.to_string()),
        Json::Number(digits) => values.push(digits.clone()),
        Json::String(text) => values.push(text.clone()),
        Json::Array(elements) => {
            // Not `any`: every element has its values taken.
            return elements.iter().filter(|element| scalars(element, values)).count() > 0;
        }
        Json::Object(_) => return true,
    }
    false
}
