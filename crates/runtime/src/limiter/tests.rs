use std::sync::atomic::AtomicU64;

use super::*;

const SECOND: u64 = 1_000_000_000;

/// A limiter with a clock that the test sets.
struct Timed {
    limiter: Limiter,
    nanos: Arc<AtomicU64>,
}

impl Timed {
    fn new(each: &str, together: &str) -> Self {
        let nanos = Arc::new(AtomicU64::new(SECOND));
        let limits = |keys: &str| {
            crate::config_file::parse(keys, std::path::Path::new("t.toml"))
                .unwrap()
                .tokens
        };
        let each = limits(&format!("[tokens]\n{each}")).limits;
        let together = limits(&format!("[tokens.together]\n{together}")).together;
        Self {
            limiter: Limiter::at(each, together, Clock::Set(Arc::clone(&nanos))),
            nanos,
        }
    }

    fn pass(&self, nanos: u64) {
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    fn admit(&self, policy: &Program, name: &str) -> Result<Admitted, OverLimit> {
        let mut tokens = policy.tokens().map(|(_, token)| token);
        let token = tokens.find(|token| token.name == name).unwrap();
        self.limiter.admit(policy, token)
    }

    /// The calls of a token that are admitted at once, of so many.
    fn admitted(&self, policy: &Program, name: &str, calls: u32) -> u32 {
        let admitted = (0..calls).filter(|_| self.admit(policy, name).is_ok());
        u32::try_from(admitted.count()).unwrap()
    }
}

/// A policy of tokens with these names and keys.
fn policy(tokens: &[(&str, &str)]) -> Program {
    let entries = tokens.iter().map(|(name, keys)| {
        let hash = hex::encode(tokenward_pdp::secret::hash(name));
        format!(
            "[[token]]\nname = \"{name}\"\nuser = \"u\"\nsecret_hash = \"sha256:{hash}\"\nlimit_to = '/a'\n{keys}\n"
        )
    });
    let sources =
        tokenward_compiler::source::SourceSet::from_files([("a.toml".to_owned(), entries.collect())]);
    tokenward_compiler::compile(&sources).program.unwrap()
}

#[test]
fn a_rate_admits_its_burst_at_once_and_then_as_time_passes() {
    let timed = Timed::new("", "");
    let policy = policy(&[
        ("a", "rate = \"60/1m\"\nburst = 5"),
        ("b", "rate = \"60/1m\""),
        ("c", ""),
    ]);
    let first = timed.admit(&policy, "a").unwrap();
    let level = Level {
        burst: 5,
        window: Duration::from_secs(5),
        left: 4,
        next: Duration::from_secs(1),
    };
    assert_eq!(first.level, Some(level));
    assert_eq!(timed.admitted(&policy, "a", 100), 4);
    let over = timed.admit(&policy, "a").unwrap_err();
    assert_eq!((over.limit, over.together), (Exceeded::Rate, false));
    assert_eq!(over.retry_after, Duration::from_secs(1));
    assert_eq!(over.level.map(|level| level.left), Some(0));
    // What is refused does not count, so that who waits as long as he was told is admitted.
    timed.pass(SECOND - 1);
    assert!(timed.admit(&policy, "a").is_err());
    timed.pass(1);
    assert_eq!(timed.admitted(&policy, "a", 100), 1);
    timed.pass(3600 * SECOND);
    assert_eq!(
        timed.admitted(&policy, "a", 100),
        5,
        "no more than the burst is saved up"
    );
    // Other tokens have limits of their own, or none.
    assert_eq!(timed.admitted(&policy, "b", 100), 60);
    assert_eq!(timed.admitted(&policy, "c", 100), 100);
}

#[test]
fn calls_in_progress_are_counted_until_the_last_copy_is_dropped() {
    let timed = Timed::new("", "");
    let policy = policy(&[("a", "concurrent = 2\nrate = \"3/1h\"")]);
    let one = timed.admit(&policy, "a").unwrap();
    let two = timed.admit(&policy, "a").unwrap();
    let copy = two.clone();
    drop(two);
    let over = timed.admit(&policy, "a").unwrap_err();
    assert_eq!(
        (over.limit, over.retry_after),
        (Exceeded::Concurrent, Duration::from_secs(1))
    );
    drop(copy);
    let three = timed.admit(&policy, "a").unwrap();
    // The refused call has not used up the rate; this one has none left, and gives its slot back.
    drop(one);
    assert_eq!(timed.admit(&policy, "a").unwrap_err().limit, Exceeded::Rate);
    drop(three);
    assert_eq!(timed.admit(&policy, "a").unwrap_err().limit, Exceeded::Rate);
    assert_eq!(
        timed.limiter.tokens.read().unwrap().by_secret[&tokenward_pdp::secret::hash("a")]
            .in_progress
            .load(Ordering::Relaxed),
        0
    );
}

#[test]
fn the_configuration_limits_tokens_that_do_not() {
    let timed = Timed::new(
        "rate = \"60/1m\"\nburst = 10\nconcurrent = 50\nmax_body = \"1MiB\"",
        "",
    );
    let policy = policy(&[
        ("a", ""),
        ("b", "rate = \"30/1m\""),
        ("c", "max_body = \"1KiB\"\nconcurrent = 3"),
    ]);
    let limits = |name| {
        let mut tokens = policy.tokens().map(|(_, token)| token);
        timed
            .limiter
            .limits_of(tokens.find(|token| token.name == name).unwrap())
    };
    assert_eq!(
        limits("a").to_string(),
        ", rate 60/1m, burst 10, concurrent 50, max_body 1MiB"
    );
    assert_eq!(
        limits("b").to_string(),
        ", rate 30/1m, burst 30, concurrent 50, max_body 1MiB"
    );
    assert_eq!(
        limits("c").to_string(),
        ", rate 60/1m, burst 10, concurrent 3, max_body 1KiB"
    );
    assert_eq!(timed.admitted(&policy, "a", 100), 10);
}

#[test]
fn a_token_over_its_own_limits_uses_up_nothing_of_what_is_shared() {
    let timed = Timed::new(
        "rate = \"60/1m\"\nburst = 5",
        "rate = \"60/1m\"\nburst = 8\nconcurrent = 4",
    );
    let policy = policy(&[("a", ""), ("b", "")]);
    assert_eq!(timed.admitted(&policy, "a", 100), 5);
    assert_eq!(timed.admitted(&policy, "b", 4), 3);
    let over = timed.admit(&policy, "b").unwrap_err();
    assert_eq!((over.limit, over.together), (Exceeded::Rate, true));
    timed.pass(60 * SECOND);
    let held: Vec<Admitted> = (0..4).map(|_| timed.admit(&policy, "a").unwrap()).collect();
    let over = timed.admit(&policy, "b").unwrap_err();
    assert_eq!((over.limit, over.together), (Exceeded::Concurrent, true));
    drop(held);
    assert!(timed.admit(&policy, "b").is_ok());
}

#[test]
fn a_reload_keeps_what_was_used_and_a_changed_rate_takes_effect() {
    let timed = Timed::new("", "");
    let before = policy(&[
        ("a", "rate = \"60/1m\"\nburst = 10\nconcurrent = 1"),
        ("b", "rate = \"60/1m\""),
    ]);
    let held = timed.admit(&before, "a").unwrap();
    assert_eq!(timed.admit(&before, "a").unwrap_err().limit, Exceeded::Concurrent);
    drop(held);
    assert_eq!(timed.admitted(&before, "a", 6), 6);
    // The same limits in another policy: three calls of ten are left.
    let same = policy(&[("a", "rate = \"60/1m\"\nburst = 10\nconcurrent = 1\nowner = \"x\"")]);
    let held = timed.admit(&same, "a").unwrap();
    // A lower rate, a higher one, and none: what was used stays used, as far as the new burst has room for it.
    let lower = policy(&[("a", "rate = \"6/1m\"\nburst = 9\nconcurrent = 1")]);
    assert_eq!(
        timed.admit(&lower, "a").unwrap_err().limit,
        Exceeded::Concurrent,
        "calls in progress count, too"
    );
    drop(held);
    assert_eq!(timed.admitted(&lower, "a", 100), 1);
    let higher = policy(&[("a", "rate = \"600/1m\"\nburst = 100")]);
    assert_eq!(timed.admitted(&higher, "a", 1000), 91);
    let small = policy(&[("a", "rate = \"1/1m\"\nburst = 2")]);
    assert_eq!(timed.admitted(&small, "a", 100), 0);
    timed.pass(60 * SECOND);
    assert_eq!(timed.admitted(&small, "a", 100), 1);
    let none = policy(&[("a", "")]);
    assert_eq!(timed.admitted(&none, "a", 1000), 1000);
    assert_eq!(timed.admitted(&before, "b", 100), 60);
}

#[test]
fn states_of_former_tokens_do_not_pile_up() {
    let timed = Timed::new("rate = \"60/1m\"", "");
    let held = timed
        .admit(&policy(&[("held", "concurrent = 5")]), "held")
        .unwrap();
    for n in 0..SPARE + 500 {
        let name = format!("t{n}");
        let policy = policy(&[(&name, "")]);
        timed.admit(&policy, &name).unwrap();
        assert!(timed.limiter.tokens.read().unwrap().by_secret.len() <= SPARE + 2);
    }
    assert!(
        timed
            .limiter
            .tokens
            .read()
            .unwrap()
            .by_secret
            .contains_key(&tokenward_pdp::secret::hash("held")),
        "its call is in progress"
    );
    drop(held);
    // Tokens without limits have no state.
    let timed = Timed::new("", "rate = \"60/1m\"");
    timed.admit(&policy(&[("a", "max_body = \"1B\"")]), "a").unwrap();
    assert!(timed.limiter.tokens.read().unwrap().by_secret.is_empty());
}

#[test]
fn no_limit_that_the_compiler_accepts_overflows() {
    for keys in [
        "rate = \"1000000/1ms\"\nburst = 20000",
        "rate = \"1/31d\"\nburst = 11",
        "rate = \"1/1d\"\nburst = 366",
        "rate = \"1000000/31d\"\nburst = 20000",
    ] {
        let timed = Timed::new("", "");
        let policy = policy(&[("a", keys)]);
        let level = timed.admit(&policy, "a").unwrap().level.unwrap();
        assert_eq!(timed.admitted(&policy, "a", 21_000), level.burst - 1, "{keys}");
        assert!(
            timed.admit(&policy, "a").unwrap_err().retry_after <= Duration::from_secs(31 * 86_400),
            "{keys}"
        );
        timed.pass(400 * 86_400 * SECOND);
        assert_eq!(timed.admitted(&policy, "a", 21_000), level.burst, "{keys}");
    }
}
