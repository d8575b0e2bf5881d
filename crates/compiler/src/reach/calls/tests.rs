//! The operation of a call.

use super::*;
use crate::{base_url::BaseUrl, reach::Catalogue};

fn operation(method: Method, template: &str) -> Operation {
    let piece = |text: &str| match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => Piece::Parameter {
            name: name.to_owned(),
            values: match name {
                "id" => Values::Pattern("^[0-9]+$".to_owned()),
                "path+" => Values::Path,
                _ => Values::Any,
            },
            examples: Vec::new(),
        },
        None => Piece::Literal(text.to_owned()),
    };
    let segments = template.trim_start_matches('/').split('/');
    Operation {
        name: template.to_owned(),
        method,
        path: template.to_owned(),
        bases: vec![vec![Segment(vec![Piece::Literal("rest".to_owned())])]],
        segments: segments
            .map(|text| match text.split_once(".json") {
                Some((before, "")) => Segment(vec![piece(before), Piece::Literal(".json".to_owned())]),
                _ => Segment(vec![piece(text)]),
            })
            .collect(),
    }
}

#[test]
fn the_most_exact_template_wins() {
    let operations = vec![
        operation(Method::Get, "/issue/{key}"),
        operation(Method::Get, "/issue/picker"),
        operation(Method::Get, "/{any}/picker"),
        operation(Method::Get, "/filter/{id}"),
        operation(Method::Delete, "/issue/{key}"),
        operation(Method::Get, "/file/{path+}"),
        operation(Method::Get, "/note/{key}.json"),
        operation(Method::Get, "/note/{other}"),
    ];
    let catalogue = Catalogue::new(operations, &BaseUrl::parse("https://api.example").unwrap()).unwrap();
    for (method, path, found) in [
        (Method::Get, "/rest/issue/A-1", Some(0)),
        (Method::Get, "/rest/issue/picker", Some(1)),
        (Method::Get, "/rest/other/picker", Some(2)),
        (Method::Get, "/rest/filter/12", Some(3)),
        (Method::Get, "/rest/filter/x", None),
        (Method::Get, "/rest/issue/", None),
        (Method::Delete, "/rest/issue/picker", Some(4)),
        (Method::Post, "/rest/issue/picker", None),
        (Method::Get, "/rest/file/a/b/c", Some(5)),
        (Method::Get, "/rest/note/a.json", Some(6)),
        (Method::Get, "/rest/note/a.jsonx", Some(7)),
        (Method::Get, "/issue/A-1", None),
        (Method::Get, "rest", None),
        (Method::Get, "", None),
    ] {
        assert_eq!(catalogue.operation_of(method, path), found, "{method:?} {path}");
    }
}
