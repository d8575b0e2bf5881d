//! Requests glued from pieces that servers are known to read in more than one way, with bytes that slipped, against the running proxy.
//! Its upstream keeps every byte. Whatever arrives there is clean and, however it is read, permitted by the token's policy as the
//! reference evaluator has it; where no byte slipped, it is also the one reading that the sent bytes have; and what does not arrive got
//! a 4xx. Requests to which nothing was done get exactly what the reference says.
//!
//! `TOKENWARD_NASTY_CASES` and `TOKENWARD_NASTY_SECONDS` bound a run, `TOKENWARD_NASTY_SEED` (printed by each) chooses another.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail their test"
)]

mod echo;
mod oracle;
mod pieces;
mod policies;
mod request;

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use tokenward_compiler::decide::Media;
use tokenward_tests::{
    Answer, Client, Proxy, Setup, TestToken,
    naive::{http::Message, target},
    reference::{Body, MOST_NESTING, Outcome, has_doubtful_name},
};

use echo::{Echo, MARK};
use oracle::World;
use request::Nasty;

/// A body that never comes whole is given up on soon: its request is refused like the others.
const SECTIONS: &str = "[upstream.identity]\nmode = \"trusted-header\"\nheader = \"X-Forwarded-User\"\n\
     [relax]\nget_body = true\n[limits]\nbody_timeout = \"300ms\"\nhead_timeout = \"300ms\"";
const CLIENTS: u64 = 8;

#[test]
fn jira_gets_only_what_is_permitted() {
    run("jira", "", 1);
}

#[test]
fn an_unknown_product_below_a_context_path_gets_only_what_is_permitted() {
    run("generic", "/ctx", 2);
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn runner(seed: u64, cases: u64) -> TestRunner {
    let mut bytes = [0; 32];
    let (start, _) = bytes.split_at_mut(8);
    start.copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn run(product: &str, context: &'static str, number: u64) {
    let seed = setting("TOKENWARD_NASTY_SEED", 0);
    let cases = setting("TOKENWARD_NASTY_CASES", 3000);
    let seconds = Duration::from_secs(setting("TOKENWARD_NASTY_SECONDS", 10));
    println!("TOKENWARD_NASTY_SEED={seed} TOKENWARD_NASTY_CASES={cases}");
    let seed = seed.wrapping_mul(1000).wrapping_add(number * 100);

    let echo = Echo::start();
    let mut tokens = policies::tokens(&mut runner(seed, 1), 40);
    let start = |tokens: &[TestToken]| {
        let setup = Setup::new(echo.port())
            .product(product)
            .context(context)
            .section(SECTIONS);
        Proxy::start(&tokens.iter().fold(setup, Setup::token))
    };
    let mut proxy = start(&tokens);
    // The calls of a token with a forbid line that no request can match are refused. Such tokens lose their forbid lines.
    let refused = refused(&proxy.log());
    if !refused.is_empty() {
        for token in tokens.iter_mut().filter(|token| refused.contains(token.name())) {
            *token = token.without_forbid_lines();
        }
        proxy = start(&tokens);
        assert_eq!(self::refused(&proxy.log()), HashSet::new());
    }
    let bench = Bench {
        tokens,
        echo,
        proxy,
        context,
        merges: product == "generic",
        case: AtomicU64::new(1),
        // Building the proxy, where that is due, takes none of it.
        end: Instant::now() + seconds,
    };
    let counts = std::thread::scope(|scope| {
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|client| {
                let bench = &bench;
                scope.spawn(move || bench.client(runner(seed + client, cases / CLIENTS)))
            })
            .collect();
        let counts: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
        counts
            .into_iter()
            .map(|count| count.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    });
    let world = bench.world();
    for message in bench.echo.leftovers() {
        let fault = world.fault(&message);
        assert_eq!(
            fault,
            None,
            "of nobody's request: {}",
            message.head.escape_ascii()
        );
    }
    println!("{product}: {} forwarded, {} refused", counts.0, counts.1);
    let asked = counts.0 + counts.1;
    assert!(counts.0 > asked / 20 && counts.1 > asked / 20, "{counts:?}");
    assert!(!bench.proxy.log().contains("panicked"), "{}", bench.proxy.log());
}

/// The tokens whose calls the proxy refuses, as its log says at the start.
fn refused(log: &str) -> HashSet<String> {
    let line = log
        .lines()
        .find(|line| line.contains("refusing the calls of tokens"));
    let names = line.and_then(|line| line.split_once("tokens=\"")?.1.split('"').next());
    let names = names.into_iter().flat_map(|names| names.split(", "));
    names.map(str::to_owned).collect()
}

struct Bench {
    tokens: Vec<TestToken>,
    echo: Echo,
    proxy: Proxy,
    context: &'static str,
    merges: bool,
    case: AtomicU64,
    end: Instant,
}

impl Bench {
    /// What the oracle knows: of one thread, as the resolved policy is.
    fn world(&self) -> World {
        World::new(self.tokens.clone(), self.proxy.port(), self.context, self.merges)
    }

    /// How many requests were forwarded, and how many refused.
    fn client(&self, mut runner: TestRunner) -> (u64, u64) {
        let world = self.world();
        let counts = Cell::new((0, 0));
        let outcome = runner.run(&request::nasty(self.tokens.len()), |sent| {
            if Instant::now() > self.end {
                return Ok(());
            }
            let case = self.case.fetch_add(1, Ordering::Relaxed);
            let host = format!("127.0.0.1:{}", self.proxy.port());
            let bytes = sent.bytes(&self.tokens, self.context, &host, case);
            let (forwarded, refused) = counts.get();
            let arrived = self
                .exchange(&world, &sent, &bytes, case)
                .map_err(|what| TestCaseError::fail(format!("{what}\nsent: {}", bytes.escape_ascii())))?;
            counts.set(if arrived {
                (forwarded + 1, refused)
            } else {
                (forwarded, refused + 1)
            });
            Ok(())
        });
        if let Err(error) = outcome {
            std::panic::panic_any(error.to_string());
        }
        counts.get()
    }

    /// Sends the bytes, and judges what comes of them: whether the request was forwarded, or what is wrong.
    fn exchange(&self, world: &World, sent: &Nasty, bytes: &[u8], case: u64) -> Result<bool, String> {
        let mut client = Client::connect(self.proxy.port());
        // A refusal may close the connection before all is written.
        let _ = client.write(bytes);
        let head = sent.method == "HEAD" && bytes.starts_with(b"HEAD ");
        let answer = client.answer(head);
        let status = answer.as_ref().map(|answer| answer.status).ok();
        // An answer to HEAD does not say why.
        let is_ambiguous = answer.as_ref().is_ok_and(|answer| {
            answer.status == 400 && (head || answer.text().contains("ambiguous-parameter"))
        });
        let text = answer.as_ref().map(Answer::text).unwrap_or_default();
        let echoed = answer.is_ok_and(|answer| answer.header(MARK).is_some());
        if !sent.is_whole() || sent.stands_for.is_none() {
            client.drain(Duration::from_millis(5));
        }
        let arrived = self.echo.take(case);
        for message in &arrived {
            if let Some(fault) = world.fault(message) {
                return Err(format!("{fault}\narrived: {}", message.head.escape_ascii()));
            }
        }
        match status {
            Some(200) if echoed => {}
            Some(400..500) if arrived.is_empty() => {}
            _ => return Err(format!("{status:?}, {} arrived", arrived.len())),
        }
        if let Some(plain) = &sent.plain {
            let path = plain.path.as_str();
            let expected: &[u16] = match world.decide(sent.token, plain) {
                _ if path.contains(char::is_control) => &[400],
                _ if !path.starts_with("/rest/") => &[404],
                _ if self.merges && may_be_one(&plain.query) => &[400],
                Outcome::Allow(_) => &[200],
                Outcome::Ambiguous => &[400],
                _ => &[403],
            };
            let given = status.unwrap_or_default();
            // What merges bodies and parameters looks into more of them than the policy does.
            let unreadable = match &plain.body {
                Body::Broken | Body::Opaque(Media::Multipart) => true,
                Body::Json(json) => json.nesting() > MOST_NESTING || has_doubtful_name(json),
                _ => false,
            };
            let looked = self.merges && unreadable && given == 400;
            // What stands for a constrained name on the other side, or in another spelling, has no single reading.
            let ambiguous = self.merges && is_ambiguous && world.constrains_a_name_of(sent.token, plain);
            if !expected.contains(&given) && !looked && !ambiguous && given != 408 {
                let lines = self.tokens.get(sent.token).map(TestToken::entry);
                return Err(format!("{given}, and not {expected:?}: {text}\n{lines:?}"));
            }
        }
        if sent.is_whole() {
            match arrived.as_slice() {
                [] => {}
                [message] => same(sent, message, self.context)?,
                more => return Err(format!("{} arrived", more.len())),
            }
        }
        Ok(echoed)
    }
}

/// Whether two parameters of different names are one to some server that merges: `n` and `n[x]`, `N` and `n`.
fn may_be_one(query: &[(String, Option<String>)]) -> bool {
    let first = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
    let alike = |a: &str, b: &str| {
        let nested = a.contains('[') != b.contains('[');
        let (a, b) = (first(a), first(b));
        a.eq_ignore_ascii_case(&b) && (nested || a != b)
    };
    query.iter().any(|(a, _)| query.iter().any(|(b, _)| alike(a, b)))
}

/// Whether what arrived is what the parts of the sent request say.
fn same(sent: &Nasty, message: &Message, context: &str) -> Result<(), String> {
    let bytes = |text: &str| -> Vec<u8> { text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect() };
    let (path, query) = message.halves();
    let asked = bytes(&format!("{context}{}", sent.path));
    if message.method != sent.method || target::unescaped(path) != target::unescaped(&asked) {
        return Err("another method, or another path".to_owned());
    }
    let asked = bytes(sent.query.as_deref().unwrap_or_default());
    if target::pairs(query, b"&") != target::pairs(&asked, b"&") {
        return Err(format!("another query: {}", query.escape_ascii()));
    }
    if sent.stands_for.as_deref().map(bytes).as_deref() != Some(&message.body) {
        return Err(format!("another body: {}", message.body.escape_ascii()));
    }
    Ok(())
}
