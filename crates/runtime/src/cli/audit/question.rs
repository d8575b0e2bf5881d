//! Query strings for the admin listener's `/v1/audit`.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokenward_audit::{Filter, Page};

/// Formats `filter` and `page` as a query string, such as `since_ms=…&token=…`.
pub(super) fn query_string(filter: &Filter, page: &Page) -> String {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let mut add = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    // The names are those of `admin/audit.rs`, which refuses unknown ones.
    add("since_ms", filter.since_ms.map(|time| time.to_string()));
    add("until_ms", filter.until_ms.map(|time| time.to_string()));
    add("request_id", filter.request_id.map(hex::encode));
    add("token", filter.token.clone());
    add("user", filter.user.clone());
    add("on_behalf_of", filter.on_behalf_of.clone());
    add("client", filter.client.map(|client| client.to_string()));
    add("method", filter.method.clone());
    add("url", filter.url.as_ref().map(|url| url.as_str().to_owned()));
    add(
        "verdict",
        filter.verdict.map(|verdict| verdict.as_str().to_owned()),
    );
    add("reason", filter.reason.clone());
    add("file", filter.line.as_ref().map(|(file, _)| file.clone()));
    add(
        "number",
        filter
            .line
            .as_ref()
            .and_then(|(_, number)| *number)
            .map(|number| number.to_string()),
    );
    add("status", filter.status.map(|status| status.to_string()));
    add("status_class", filter.status_class.map(|class| class.to_string()));
    add("end", filter.end.map(|end| end.as_str().to_owned()));
    add("ended", filter.ended.map(|ended| ended.to_string()));
    add("after", page.after.map(|sequence| sequence.to_string()));
    add("before", page.before.map(|sequence| sequence.to_string()));
    add("limit", Some(page.limit.to_string()));
    add(
        "order",
        Some(if page.newest_first { "newest" } else { "oldest" }.to_owned()),
    );
    let encoded: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    encoded.join("&")
}

#[cfg(test)]
mod tests {
    use tokenward_audit::{Sequence, UrlPattern, Verdict};

    use super::*;

    #[test]
    fn every_part_of_a_question_is_asked() {
        let filter = Filter {
            since_ms: Some(1),
            until_ms: Some(-2),
            request_id: Some(*b"0123456789abcdef"),
            token: Some("a&b=c d%".to_owned()),
            user: Some("ü".to_owned()),
            on_behalf_of: Some("x".to_owned()),
            client: Some(std::net::Ipv4Addr::LOCALHOST.into()),
            method: Some("GET".to_owned()),
            url: Some(UrlPattern::new("/rest/").unwrap()),
            verdict: Some(Verdict::Deny),
            reason: Some("no-line".to_owned()),
            line: Some(("jira/ci.toml".to_owned(), Some(3))),
            status: Some(403),
            status_class: Some(4),
            end: Some(tokenward_audit::End::UpstreamFailed),
            ended: Some(true),
        };
        let page = Page {
            after: Some(Sequence(5)),
            before: Some(Sequence(50)),
            limit: 10,
            newest_first: false,
        };
        let expected = "since_ms=1&until_ms=%2D2&request_id=30313233343536373839616263646566&token=a%26b%3Dc%20d%25\
                        &user=%C3%BC&on_behalf_of=x&client=127%2E0%2E0%2E1&method=GET&url=%2Frest%2F&verdict=deny\
                        &reason=no%2Dline&file=jira%2Fci%2Etoml&number=3&status=403&status_class=4&end=upstream%2Dfailed&ended=true&after=5&before=50\
                        &limit=10&order=oldest";
        assert_eq!(query_string(&filter, &page), expected);
        assert_eq!(
            query_string(&Filter::default(), &Page::default()),
            "limit=100&order=newest"
        );
    }
}
