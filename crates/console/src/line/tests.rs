use super::*;

fn shown(text: &str) -> String {
    html(&Line::new(text))
}

#[test]
fn methods_pattern_and_conditions_are_told_apart() {
    assert_eq!(
        shown(r"[get,post]/rest/KANBAN-\d+/comment"),
        r"<b>[get,post]</b>/<wbr>rest/<wbr>KANBAN-<i>\d+</i>/<wbr>comment"
    );
    assert_eq!(
        shown("[post]/filter[QueryParam::a?=[x]|y][JsonData::b:boolean==false]"),
        "<b>[post]</b>/<wbr>filter<span class=\"if\">[QueryParam::a?=[x]|y]</span>\
         <span class=\"if\">[JsonData::b:boolean==false]</span>"
    );
    assert_eq!(shown("!/a/.*"), "<b>!</b>/<wbr>a/<wbr><i>.*</i>");
    assert_eq!(shown("![delete]/a"), "<b>![delete]</b>/<wbr>a");
    assert_eq!(shown(r"/a[^/]x{USER}"), r"/<wbr>a<i>[^/]</i>x<i>{USER}</i>");
}

#[test]
fn the_missed_part_and_the_added_text_are_marked() {
    let line = |missed| Line {
        text: "[post]/f[QueryParam::a==1][JsonData::b==2]".to_owned(),
        missed: Some(missed),
        added: None,
    };
    let at = |missed| html(&line(missed));
    assert!(at(Missed::Method).starts_with("<mark><b>[post]</b></mark>"));
    assert!(at(Missed::Path).contains("<mark>/<wbr>f</mark>"));
    let condition = at(Missed::Condition("JsonData::b==".to_owned()));
    assert!(condition.contains("<mark>[JsonData::b==2]</mark>"), "{condition}");
    assert_eq!(condition.matches("<mark>").count(), 1);
    let added = Line {
        added: Some(".*".to_owned()),
        ..Line::new(r"[get]/KANBAN-\d+.*")
    };
    assert!(html(&added).ends_with(r"<i>\d+</i><ins>.*</ins>"));
}

#[test]
fn texts_that_are_no_lines_stay_text() {
    for hostile in [
        "",
        "!",
        "[",
        "[get",
        "<script>",
        "\\",
        "[QueryParam::",
        "]]]",
        "{",
        "ä[",
        "!ä",
    ] {
        let shown = shown(hostile);
        assert!(!shown.contains("<script"), "{shown}");
    }
    assert!(shown("/\u{202e}").contains("u{202e}"));
    assert!(shown(&"/".repeat(100_000)).len() < 100_000);
}
