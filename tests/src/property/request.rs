use std::sync::LazyLock;

use tokenward_compiler::BaseUrl;
use tokenward_pdp::request::{
    Canonical, Framing, Product, RawHead, Relax, Rules, Settings, Version, check_form, read,
};

use crate::naive;

const AUTHORITY: &str = "h.example";

/// The first byte chooses the rules: product, relaxations, context path; the second the version and the framing. Then come lines that
/// end in LF: method and target, the fields, and behind an empty line a form. A head that has a reading has one that is clean, that
/// reads as itself when it is sent again, and whose target a naive reader reads as what was judged.
pub fn request(bytes: &[u8]) {
    let [which, framing, rest @ ..] = bytes else {
        return;
    };
    let which = usize::from(*which) % RULES.len();
    let Some(rules) = RULES.get(which) else {
        return;
    };
    let mut lines = rest.split(|byte| *byte == b'\n');
    let mut first = lines.next().unwrap_or_default().splitn(2, |byte| *byte == b' ');
    let Ok(method) = std::str::from_utf8(first.next().unwrap_or_default()) else {
        return;
    };
    let target = first.next().unwrap_or_default();
    let version = match framing & 3 {
        0 | 3 => Version::Http11,
        1 => Version::Http10,
        _ => Version::Http2,
    };
    let fields: Vec<(&[u8], &[u8])> = lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let mut halves = line.splitn(2, |byte| *byte == b':');
            (
                halves.next().unwrap_or_default(),
                halves.next().unwrap_or_default(),
            )
        })
        .collect();
    let length = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"))
        .and_then(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse().ok());
    let raw = RawHead {
        method,
        target,
        version,
        headers: &fields,
        authority: (version == Version::Http2).then_some(AUTHORITY.as_bytes()),
        body: match (framing >> 2 & 3, length) {
            (0, _) => Framing::None,
            (1, Some(length)) => Framing::Length(length),
            (2, _) => Framing::Chunked,
            _ => Framing::Length(u64::from(*framing)),
        },
    };
    let _ = check_form(lines.next().unwrap_or_default(), rules);
    let reading = read(&raw, rules);
    assert!(
        reading.shown_url.bytes().all(|byte| byte.is_ascii_graphic()) && reading.shown_url.len() < 70_000,
        "{:?}",
        reading.shown_url
    );
    if let Some(user) = &reading.context_user {
        assert!(!user.is_empty() && !user.contains(char::is_control));
    }
    let Ok(head) = reading.head else { return };
    assert!(reading.framing.is_ok() && reading.in_endpoints);
    clean(&head, rules);
    // The first half of the rules relaxes nothing of its own, GitLab's aside.
    if which < RULES.len() / 2 && rules.product() != Product::Gitlab {
        strictly(&head, rules);
    }
    reads_as_itself(&head, rules);
    let _ = (rules.needs(&head), rules.reads_form(&head));
}

fn reads_as_itself(head: &Canonical, rules: &Rules) {
    let mut fields: Vec<(&[u8], &[u8])> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value))
        .collect();
    let length = match head.body {
        Framing::Length(length) => length.to_string(),
        _ => String::new(),
    };
    fields.push((b"host", AUTHORITY.as_bytes()));
    match head.body {
        Framing::None => {}
        Framing::Length(_) => fields.push((b"content-length", length.as_bytes())),
        Framing::Chunked => fields.push((b"transfer-encoding", b"chunked")),
    }
    let raw = RawHead {
        method: &head.method_text,
        target: head.upstream_target().as_bytes(),
        version: Version::Http11,
        headers: &fields,
        authority: None,
        body: head.body,
    };
    let again = read(&raw, rules);
    let again = match again.head {
        Ok(again) => again,
        // The line that says where the body ends may be one too many.
        Err(refusal) if matches!(refusal.reason.code(), "too-many-headers" | "head-too-large") => return,
        Err(refusal) => panic!(
            "{}: {} {:?} {:?}",
            refusal.reason.code(),
            head.upstream_target(),
            head,
            head.headers
        ),
    };
    assert_eq!(again.method, head.method);
    assert_eq!(again.path, head.path);
    assert_eq!(again.query, head.query);
    assert_eq!(again.media, head.media);
    assert_eq!(again.body, head.body);
    assert_eq!(again.headers, head.headers);
    assert_eq!(again.upstream_target(), head.upstream_target());
    assert_eq!(again.url(), head.url());
}

fn clean(head: &Canonical, rules: &Rules) {
    let target = head.upstream_target();
    assert!(
        target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'),
        "{target:?}"
    );
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let below = path.strip_prefix(rules.base().path()).expect("the context path");
    if !below.contains("%2F") {
        assert_eq!(
            String::from_utf8(naive::target::unescaped(below.as_bytes())).ok(),
            Some(head.path.to_string())
        );
    }
    assert!(!query.contains(';'), "{query:?}");
    assert_eq!(
        naive::target::pairs(query.as_bytes(), b"&"),
        Some(head.query.clone()),
        "{query:?}"
    );
    for (name, value) in &head.headers {
        let odd = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
        assert!(!value.iter().any(odd), "{name}: {value:?}");
        assert!(!name.contains('_') && name == name.to_ascii_lowercase(), "{name}");
        assert!(
            ![
                "authorization",
                "connection",
                "content-length",
                "cookie2",
                "expect",
                "forwarded",
                "host",
                "keep-alive",
                "proxy-authorization",
                "proxy-connection",
                "te",
                "trailer",
                "transfer-encoding",
                "upgrade",
                "via",
                "x-forwarded-for",
                "x-forwarded-host",
                "x-http-method-override",
                "x-original-url",
                "x-rewrite-url",
                "contextuser",
                "destination",
            ]
            .contains(&name),
            "{name} goes upstream"
        );
    }
    assert!(!matches!(&*head.method_text, "TRACE" | "CONNECT"));
}

/// What holds where nothing is relaxed: every server's reading of the path is the one that was judged.
fn strictly(head: &Canonical, rules: &Rules) {
    let target = head.upstream_target();
    let path = target.split('?').next().unwrap_or_default();
    let path = path.strip_prefix(rules.base().path()).unwrap_or(path);
    for reading in naive::target::paths(path.as_bytes()) {
        assert_eq!(reading.as_deref(), Some(&*head.path), "{target}");
    }
    assert!(!head.path.contains(char::is_control), "{:?}", head.path);
}

static RULES: LazyLock<Vec<Rules>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for relaxed in [false, true] {
        for product in [Product::Jira, Product::Gitlab, Product::Generic, Product::Redmine] {
            for base in ["https://h.example", "https://h.example/ctx"] {
                let base = BaseUrl::parse(base).expect("a base URL");
                let mut settings = Settings::new(base, product);
                settings.endpoints = vec!["/*".to_owned()];
                for name in Relax::NAMES.iter().filter(|_| relaxed) {
                    settings.relax.set(name, true);
                }
                settings.query_token = relaxed.then(|| "t".to_owned());
                all.push(Rules::new(&settings).expect("rules"));
            }
        }
    }
    all
});
