//! How fast the store takes records, and what one costs.
//!
//!     cargo run --release -p tokenward-audit --example throughput -- [appenders] [seconds] [directory]
//!
//! Each appender stores a decision, waits until it is on disk, then hands over the outcome: one call
//! of the proxy. Prints calls per second, the processor's time per entry and the bytes on disk per
//! call, with the disk's own fdatasync beside; then how long questions take that list calls, and that
//! count them.

use std::fs::{self, File};
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokenward_audit::{
    Config, End, Filter, LineRef, Outcome, Page, Reader, Record, Store, UrlPattern, Verdict,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let appenders: u64 = arguments.next().map_or(Ok(64), |a| a.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |a| a.parse())?;
    let root = arguments.next().map_or_else(
        || std::env::temp_dir().join("tokenward-throughput"),
        PathBuf::from,
    );
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root)?;
    let sync = fdatasync(&root)?;

    let config = Config {
        reserve_bytes: 0,
        ..Config::at(root.join("audit"))
    };
    let store = Store::open(config.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let ids = Arc::new(AtomicU64::new(0));
    let (begun, cpu_before) = (Instant::now(), cpu()?);
    let until = begun + Duration::from_secs(seconds);
    let mut waits = runtime.block_on(async {
        let tasks = (0..appenders).map(|n| {
            let (store, ids) = (store.clone(), Arc::clone(&ids));
            tokio::spawn(async move { appender(&store, n, &ids, until).await })
        });
        let tasks: Vec<_> = tasks.collect();
        let mut waits = Vec::new();
        for task in tasks {
            waits.extend(task.await??);
        }
        Ok::<_, Failure>(waits)
    })?;
    let threads = store_threads()?;
    store.close()?;
    let (took, cpu_after) = (begun.elapsed(), cpu()?);
    let stats = store.stats();
    let calls = u64::try_from(waits.len())?;
    waits.sort_unstable();
    let at = |share: usize| waits.get(waits.len() * share / 1000).copied().unwrap_or_default();
    let bytes = size(&config.path)?;
    let per = |whole: f64| whole / calls as f64;
    println!("appenders            {appenders}");
    println!("fdatasync p50, p99   {:?}, {:?}", sync.0, sync.1);
    println!(
        "calls                {calls} in {took:.2?}: {:.0}/s",
        calls as f64 / took.as_secs_f64()
    );
    println!(
        "entries              {} in {} blocks",
        stats.durable, stats.blocks
    );
    println!("append p50, p99      {:?}, {:?}", at(500), at(990));
    println!(
        "processor per call   {:.2} us, making and awaiting it included",
        per((cpu_after - cpu_before) * 1e6)
    );
    println!(
        "of it the store's    {:.2} us, in its threads and the database's",
        per(threads * 1e6)
    );
    println!("blocks per call      {:.1} bytes", per(stats.bytes as f64));
    println!("disk per call        {:.1} bytes", per(bytes as f64));
    let begun = Instant::now();
    let path = config.path.clone();
    let again = Store::open(config)?;
    println!("opens again in       {:?}", begun.elapsed());
    let token = || Some("ci-token-7".to_owned());
    let newest = Filter {
        token: token(),
        ..Filter::default()
    };
    // It reads the file for where its blocks stand.
    ask("its last 100, for the first time", &again, &newest)?;
    let begun = Instant::now();
    let verified = again.verify()?;
    println!(
        "verifies in          {:?}: {} entries, sound: {}",
        begun.elapsed(),
        verified.entries,
        verified.is_sound()
    );
    ask("its last 100", &again, &newest)?;
    let failed = Filter {
        token: token(),
        status: Some(403),
        ..Filter::default()
    };
    ask("its last 100 denied", &again, &failed)?;
    let second = system_ms() - 1_000 * i64::try_from(seconds / 2 + 1)?;
    let moment = Filter {
        since_ms: Some(second),
        until_ms: Some(second + 100),
        ..newest
    };
    ask("100 in a tenth of a second", &again, &moment)?;
    let rare = Filter {
        token: Some("rare-token".to_owned()),
        ..Filter::default()
    };
    ask("all of a rare token", &again, &rare)?;
    let failed = Filter {
        status: Some(502),
        ..Filter::default()
    };
    ask("all answered 502", &again, &failed)?;
    let hour = system_ms() - 3_600_000;
    let hour = Filter {
        since_ms: Some(hour),
        until_ms: Some(hour + 60_000),
        ..Filter::default()
    };
    ask("all of a minute without calls", &again, &hour)?;
    ask(
        "none in all",
        &again,
        &Filter {
            url: Some(UrlPattern::new("nowhere")?),
            ..Filter::default()
        },
    )?;
    let all = Filter::default();
    count("all", &again, &all)?;
    let of_one = Filter {
        token: token(),
        ..Filter::default()
    };
    count("one token", &again, &of_one)?;
    let hour = Filter {
        since_ms: Some(system_ms() - 3_600_000),
        ..Filter::default()
    };
    count("the last hour", &again, &hour)?;
    // Both edges lie among the calls.
    let part = Filter {
        since_ms: Some(second - 1_000),
        until_ms: Some(second + 1_000),
        ..Filter::default()
    };
    count("two seconds", &again, &part)?;
    let denied = Filter {
        verdict: Some(Verdict::Deny),
        ..of_one
    };
    count("one token's denied", &again, &denied)?;
    again.close()?;
    let begun = Instant::now();
    let files = Reader::open(&path)?;
    let calls = files.usage(&all)?.calls.all();
    println!("counted all, the store closed: {calls} in {:?}", begun.elapsed());
    Ok(())
}

/// As `tokenward audit stats` counts.
fn count(what: &str, store: &Store, filter: &Filter) -> Result<(), Failure> {
    let begun = Instant::now();
    let calls = store.reader().usage(filter)?.calls.all();
    println!("counted {what}: {calls} in {:?}", begun.elapsed());
    Ok(())
}

fn ask(what: &str, store: &Store, filter: &Filter) -> Result<(), Failure> {
    let begun = Instant::now();
    let found = store.query(filter, Page::default())?.len();
    println!("asked for {what}: {found} in {:?}", begun.elapsed());
    Ok(())
}

fn system_ms() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    i64::try_from(now).unwrap_or_default()
}

async fn appender(store: &Store, n: u64, ids: &AtomicU64, until: Instant) -> Result<Vec<Duration>, Failure> {
    let mut waits = Vec::new();
    while Instant::now() < until {
        let (record, outcome) = call(ids.fetch_add(1, Ordering::Relaxed) * 131 + n);
        let begun = Instant::now();
        store.append(record).await?;
        waits.push(begun.elapsed());
        store.append_outcome(outcome)?;
    }
    Ok(waits)
}

/// One call as a tracker's scripts make them: some tokens and lines, many issues.
fn call(n: u64) -> (Record, Outcome) {
    let mix = mixed(n);
    let request_id = (u128::from(mix) << 64 | u128::from(mixed(mix))).to_le_bytes();
    let (token, issue) = (mix % 40, mix >> 8 & 0xffff);
    // One in some hundred thousand calls.
    let rare = mix.is_multiple_of(400_009);
    let url = match mix >> 24 & 7 {
        0 => format!(
            "https://jira.example.com/rest/api/2/search?jql=project%20%3D%20KANBAN&startAt={issue}&maxResults=50"
        ),
        1 => format!(
            "https://jira.example.com/rest/api/2/user?username=user{}@example.com",
            issue % 500
        ),
        2 => format!("https://jira.example.com/rest/api/2/issue/KANBAN-{issue}/comment"),
        3 => format!("https://jira.example.com/rest/api/2/issue/KANBAN-{issue}/transitions"),
        _ => format!("https://jira.example.com/rest/api/2/issue/KANBAN-{issue}"),
    };
    let allowed = mix >> 32 & 15 != 0;
    let record = Record {
        time_ms: system_ms(),
        request_id,
        client_request_id: None,
        token: Some(if rare {
            "rare-token".to_owned()
        } else {
            format!("ci-token-{token}")
        }),
        user: Some(format!("svc-{token}@example.com")),
        on_behalf_of: None,
        client: IpAddr::from([
            10,
            0,
            u8::try_from(mix >> 40 & 3).unwrap_or(0),
            u8::try_from(mix >> 48 & 31).unwrap_or(0),
        ]),
        method: if mix >> 60 & 3 == 0 {
            "POST".into()
        } else {
            "GET".into()
        },
        url,
        line: allowed.then(|| LineRef {
            file: format!("team-{}.toml", token % 8),
            number: u32::try_from(10 + token * 3).unwrap_or(0),
            digest: format!("{:016x}", mixed(token)),
        }),
        verdict: if allowed { Verdict::Allow } else { Verdict::Deny },
        reason: if allowed { "line".into() } else { "no-line".into() },
        policy: "4f2a9c1b7d3e5f60819a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70".into(),
        request_bytes: (mix >> 60 & 3 == 0).then_some(mix >> 50 & 0x3ff),
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
        status: Some(match (rare, allowed) {
            (true, _) => 502,
            (_, true) => 200,
            (_, false) => 403,
        }),
        upstream_status: allowed.then_some(200),
        sent_bytes: record.request_bytes.unwrap_or(0),
        received_bytes: 300 + (mix >> 13 & 0xfff),
        total_us: upstream_us + 120 + (mix & 0x3f),
        upstream_us: allowed.then_some(upstream_us),
        end: End::Complete,
    };
    (record, outcome)
}

/// SplitMix64: spreads numbers like random ones.
fn mixed(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// The disk's own answer to a small write.
fn fdatasync(root: &Path) -> Result<(Duration, Duration), Failure> {
    let mut file = File::create(root.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |n: usize| times.get(n).copied().unwrap_or_default();
    Ok((at(100), at(198)))
}

/// Processor time so far of the threads that the store and its database run, seconds.
fn store_threads() -> Result<f64, Failure> {
    let mut sum = 0.0;
    for task in fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        let name = fs::read_to_string(path.join("comm"))?;
        if name.starts_with("audit-") || name.starts_with("sled-") || name.starts_with("log flusher") {
            sum += ticks(&fs::read_to_string(path.join("stat"))?);
        }
    }
    Ok(sum)
}

/// Processor time of this process so far, seconds; from /proc, in hundredths.
fn cpu() -> Result<f64, Failure> {
    Ok(ticks(&fs::read_to_string("/proc/self/stat")?))
}

fn ticks(stat: &str) -> f64 {
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let field = |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (field(11) + field(12)) / 100.0
}

/// Bytes that the files below `path` take on disk.
fn size(path: &Path) -> Result<u64, Failure> {
    use std::os::unix::fs::MetadataExt;
    let mut sum = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() {
            size(&entry.path())?
        } else {
            meta.blocks() * 512
        };
    }
    Ok(sum)
}
