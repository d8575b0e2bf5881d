//! Calls as a tracker's scripts make them: some tokens and lines, many issues.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use tokenward_audit::{End, LineRef, Outcome, Record, Verdict};

/// The `n`th call.
pub fn call(n: u64) -> (Record, Outcome) {
    let mix = mixed(n);
    let request_id = (u128::from(mix) << 64 | u128::from(mixed(mix))).to_le_bytes();
    let (token, issue) = (mix % 40, mix >> 8 & 0xffff);
    let allowed = mix >> 32 & 15 != 0;
    let posts = mix >> 60 & 3 == 0;
    let url = match mix >> 24 & 7 {
        0 => format!(
            "https://jira.example.com/rest/api/2/search?jql=project%20%3D%20KANBAN&startAt={issue}&maxResults=50"
        ),
        1 => format!("https://jira.example.com/rest/api/2/user?username=user{}@example.com", issue % 500),
        2 => format!("https://jira.example.com/rest/api/2/issue/KANBAN-{issue}/comment"),
        3 => format!("https://jira.example.com/rest/api/2/issue/KANBAN-{issue}/transitions"),
        _ => format!("https://jira.example.com/rest/api/2/issue/KANBAN-{issue}"),
    };
    let record = Record {
        time_ms: now_ms(),
        request_id,
        client_request_id: None,
        token: Some(format!("ci-token-{token}")),
        user: Some(format!("svc-{token}@example.com")),
        on_behalf_of: None,
        client: IpAddr::from([10, 0, (mix >> 40 & 3) as u8, (mix >> 48 & 31) as u8]),
        method: if posts { "POST".into() } else { "GET".into() },
        url,
        line: allowed.then(|| LineRef {
            file: format!("team-{}.toml", token % 8),
            number: 10 + token as u32 * 3,
            digest: format!("{:016x}", mixed(token)),
        }),
        verdict: if allowed { Verdict::Allow } else { Verdict::Deny },
        reason: if allowed { "line".into() } else { "no-line".into() },
        policy: "4f2a9c1b7d3e5f60819a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70".into(),
        request_bytes: posts.then_some(mix >> 50 & 0x3ff),
        decision_ns: 800 + (mix & 0x7ff),
        authenticated: true,
        nodes: Vec::new(),
        tried: Vec::new(),
        lacking: None,
        unread: None,
    };
    let upstream_us = 4_000 + (mix >> 20 & 0x3fff);
    let outcome = Outcome {
        request_id,
        status: Some(if allowed { 200 } else { 403 }),
        upstream_status: allowed.then_some(200),
        sent_bytes: record.request_bytes.unwrap_or(0),
        received_bytes: 300 + (mix >> 13 & 0xfff),
        total_us: upstream_us + 120 + (mix & 0x3f),
        upstream_us: allowed.then_some(upstream_us),
        end: End::Complete,
    };
    (record, outcome)
}

/// A record as a line of text: what an ad-hoc log would have.
pub fn record_text(r: &Record) -> String {
    let line = r.line.as_ref().map(|l| format!("{}:{} {}", l.file, l.number, l.digest));
    format!(
        "{} {:032x} {} {} {} {} {} {} {} {} {}\n",
        r.time_ms,
        u128::from_be_bytes(r.request_id),
        r.token.as_deref().unwrap_or("-"),
        r.user.as_deref().unwrap_or("-"),
        r.client,
        r.method,
        r.url,
        line.as_deref().unwrap_or("-"),
        r.verdict.as_str(),
        r.reason,
        r.policy
    )
}

/// An outcome as a line of text.
pub fn outcome_text(o: &Outcome) -> String {
    format!(
        "{:032x} {:?} {:?} {} {} {} {:?} {}\n",
        u128::from_be_bytes(o.request_id),
        o.status,
        o.upstream_status,
        o.sent_bytes,
        o.received_bytes,
        o.total_us,
        o.upstream_us,
        o.end.as_str()
    )
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or_default()
}

/// SplitMix64: spreads numbers like random ones.
fn mixed(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
