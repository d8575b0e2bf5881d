use super::*;

#[test]
fn parts_are_told_apart() {
    let base = BaseUrl::parse("HTTPS://Jira.Example.com:8443/jira/").unwrap();
    assert_eq!(base.as_str(), "https://jira.example.com:8443/jira");
    assert_eq!(base.origin(), "https://jira.example.com:8443");
    assert_eq!(base.scheme(), "https");
    assert_eq!(base.authority(), "jira.example.com:8443");
    assert_eq!(base.path(), "/jira");
    assert_eq!(
        BaseUrl::parse("http://[::1]:80").unwrap().as_str(),
        "http://[::1]"
    );
}

#[test]
fn what_is_no_base_url_is_refused() {
    for bad in [
        "jira.example.com",
        "ftp://x",
        "http://",
        "http://u@x",
        "http://x/?q",
        "http://x/a/../b",
        "http://x/a//b",
        "http://x:0",
        "http://x:99999",
        "http://x y",
        "http://x/%2e",
    ] {
        assert!(BaseUrl::parse(bad).is_err(), "{bad}");
    }
}
