//! Appends until it is killed, and says what was acknowledged: the other half of `tests/crash.rs`.
//!
//!     cargo run -p tokenward-audit --example appender -- DIRECTORY FIRST
//!
//! Prints a line for each record that the store has acknowledged: its number, then its place.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};

use tokenward_audit::{Appended, Config, End, Outcome, Record, Store, Verdict};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("the directory is missing")?;
    let first: u64 = arguments.next().ok_or("the first number is missing")?.parse()?;
    let store = Store::open(Config {
        reserve_bytes: 0,
        ..Config::at(path)
    })?;
    for warning in &store.opened().warnings {
        eprintln!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let tasks = (0..16).map(|lane| {
            let store = store.clone();
            tokio::spawn(async move { lane_of(&store, first + lane * 1_000_000).await })
        });
        let tasks: Vec<_> = tasks.collect();
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
}

async fn lane_of(store: &Store, first: u64) -> Result<(), Failure> {
    for n in first.. {
        let request_id = u128::from(n).to_le_bytes();
        let appended = store.append(record(request_id, n)).await?;
        if let Appended::Stored(sequence) = appended {
            // One write, so that a kill leaves whole lines.
            std::io::stdout().write_all(format!("{n} {sequence}\n").as_bytes())?;
        }
        let outcome = Outcome {
            request_id,
            status: Some(200),
            upstream_status: Some(200),
            sent_bytes: 0,
            received_bytes: 10,
            total_us: 1000,
            upstream_us: Some(900),
            end: End::Complete,
        };
        store.append_outcome(outcome)?;
    }
    Ok(())
}

fn record(request_id: [u8; 16], n: u64) -> Record {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Record {
        time_ms: i64::try_from(now.as_millis()).unwrap_or_default(),
        request_id,
        client_request_id: None,
        token: Some("ci".into()),
        user: Some("svc-ci".into()),
        on_behalf_of: None,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        method: "GET".into(),
        url: format!("https://jira.example.com/rest/api/2/issue/KANBAN-{n}"),
        line: None,
        verdict: Verdict::Allow,
        reason: "unrestricted".into(),
        policy: "00".into(),
        request_bytes: None,
        decision_ns: 700,
        authenticated: true,
        nodes: Vec::new(),
        tried: Vec::new(),
        lacking: None,
        unread: None,
    }
}
