use super::*;

#[test]
fn secrets_are_masked_and_talk_about_them_is_not() {
    let body = "0123456789abcdefghijklmnopqrstuvwxyz12";
    let text = format!("a = \"twd_{body}\" # not twd_{body}X, é twd_ or twd_short, twd_twd_{body}");
    let shown = masked(&text);
    assert_eq!(shown.len(), text.len());
    assert!(!shown.contains(body), "{shown}");
    assert!(shown.contains("é twd_ or twd_short, twd_twd_***"), "{shown}");
    assert_eq!(places(&text).count(), 3);
}
