use super::*;

fn of(change: impl FnOnce(&mut Search)) -> Result<Filter, Errors> {
    let mut search = Search::default();
    change(&mut search);
    filter(&search)
}

#[test]
fn each_field_is_read_as_by_the_command_line() {
    assert_eq!(
        of(|search| search.status = "4xx".to_owned())
            .unwrap()
            .status_class,
        Some(4)
    );
    assert_eq!(
        of(|search| search.status = "403".to_owned()).unwrap().status,
        Some(403)
    );
    let line = of(|search| search.line = "jira/ci.toml:15".to_owned())
        .unwrap()
        .line;
    assert_eq!(line, Some(("jira/ci.toml".to_owned(), Some(15))));
    let line = of(|search| search.line = "ci.toml".to_owned()).unwrap().line;
    assert_eq!(line, Some(("ci.toml".to_owned(), None)));
    assert_eq!(
        of(|search| search.method = "get".to_owned())
            .unwrap()
            .method
            .as_deref(),
        Some("GET")
    );
    assert!(
        of(|search| search.since = "2h".to_owned())
            .unwrap()
            .since_ms
            .is_some()
    );
    let timeout = of(|search| search.reason = "upstream-timeout".to_owned()).unwrap();
    assert!(timeout.reason.is_none() && timeout.status == Some(504));
    assert_eq!(
        of(|search| search.token = "a&b=c".to_owned())
            .unwrap()
            .token
            .as_deref(),
        Some("a&b=c")
    );
}

#[test]
fn a_wrong_value_is_told_at_its_field() {
    let wrong = |change: fn(&mut Search), field: &str| {
        let errors = of(change).unwrap_err();
        assert!(
            errors.iter().any(|(name, text)| name == field && text.len() > 5),
            "{errors:?}"
        );
    };
    wrong(|search| search.since = "yesterday".to_owned(), "since");
    wrong(|search| search.status = "9".to_owned(), "status");
    wrong(|search| search.client = "host".to_owned(), "client");
    wrong(|search| search.url = "(".to_owned(), "url");
    wrong(|search| search.decision = "maybe".to_owned(), "decision");
    wrong(|search| search.end = "x".to_owned(), "end");
    wrong(|search| search.request_id = "x".to_owned(), "request_id");
    wrong(
        |search| {
            search.since = "1h".to_owned();
            search.until = "2h".to_owned();
        },
        "until",
    );
}
