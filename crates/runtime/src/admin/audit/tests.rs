use std::net::{IpAddr, Ipv4Addr};

use tokenward_audit::{Config, End, Outcome, Record};

use super::*;

fn record(n: u8, time_ms: i64) -> Record {
    Record {
        time_ms,
        request_id: [n; 16],
        client_request_id: None,
        token: Some("a".into()),
        user: None,
        on_behalf_of: None,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        method: "GET".into(),
        url: "https://jira.example.com/rest/x".into(),
        line: None,
        verdict: Verdict::Allow,
        reason: "allowed".into(),
        policy: "00".into(),
        nodes: Vec::new(),
        tried: Vec::new(),
        lacking: None,
        unread: None,
        request_bytes: None,
        decision_ns: 1,
        authenticated: true,
    }
}

fn ended(n: u8, status: u16) -> Outcome {
    Outcome {
        request_id: [n; 16],
        status: Some(status),
        upstream_status: None,
        sent_bytes: 0,
        received_bytes: 0,
        total_us: 1,
        upstream_us: None,
        end: End::Complete,
    }
}

/// A tail of the calls with this status in a new store, with its directory.
fn tail(status: Option<u16>) -> (Tail, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let audit = Store::open(Config::at(directory.path().join("audit"))).unwrap();
    let tail = Tail {
        filter: Filter {
            status,
            ..Filter::default()
        },
        shown: audit.last(),
        audit,
        started: true,
        waiting: None,
    };
    (tail, directory)
}

/// Waits until something new is on disk, and gives the statuses that are then shown.
async fn shown(tail: &mut Tail, seen: &mut Sequence) -> (Vec<u64>, Next) {
    *seen = tail.audit.next_after(*seen, ALIVE).await.unwrap();
    let (lines, next) = tail.ready(*seen).await.unwrap();
    let status = |line: &str| {
        let call: serde_json::Value = serde_json::from_str(line).unwrap();
        call["outcome"]["status"].as_u64().unwrap_or(0)
    };
    (lines.lines().map(status).collect(), next)
}

#[actix_web::test]
async fn a_tail_of_a_status_waits_for_the_outcome() {
    let (mut tail, _directory) = tail(Some(200));
    let mut seen = tail.shown;
    let audit = tail.audit.clone();
    for (n, status, expected) in [(1, 200, vec![200]), (2, 403, vec![]), (3, 200, vec![200])] {
        audit.append(record(n, now_ms())).await.unwrap();
        assert_eq!(shown(&mut tail, &mut seen).await, (vec![], Next::Outcome));
        audit.append_outcome(ended(n, status)).unwrap();
        assert_eq!(shown(&mut tail, &mut seen).await, (expected, Next::News), "{n}");
    }
}

#[actix_web::test]
async fn a_call_without_an_outcome_is_waited_for_so_long_and_no_longer() {
    let (mut tail, _directory) = tail(None);
    let mut seen = tail.shown;
    let audit = tail.audit.clone();
    // Three seconds under way, then one whose time is past the bound.
    audit.append(record(1, now_ms() - 3_000)).await.unwrap();
    assert_eq!(shown(&mut tail, &mut seen).await, (vec![], Next::Outcome));
    audit.append_outcome(ended(1, 200)).unwrap();
    assert_eq!(shown(&mut tail, &mut seen).await, (vec![200], Next::News));
    audit.append(record(2, now_ms() - 11_000)).await.unwrap();
    assert_eq!(shown(&mut tail, &mut seen).await, (vec![0], Next::News));
    // The clock was set back: what it tells is in the future, and so much longer is not waited.
    audit.append(record(3, now_ms() + 3_600_000)).await.unwrap();
    assert_eq!(shown(&mut tail, &mut seen).await, (vec![], Next::Outcome));
    let (place, _) = tail.waiting.unwrap();
    tail.waiting = Instant::now()
        .checked_sub(OUTCOME_WAIT)
        .map(|since| (place, since));
    let (lines, next) = tail.ready(seen).await.unwrap();
    assert_eq!((lines.lines().count(), next), (1, Next::News));
}
