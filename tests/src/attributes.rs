//! The keys of a token that say who may use it, how long and how much: at random, and what a change of them gives more
//! (SEMANTICS 2), by asking who gets in, and how much he may do, before and after.

use std::{collections::BTreeSet, fmt::Write};

use proptest::{option, prelude::*, sample::select, sample::subsequence};

/// The keys of one token.
#[derive(Clone, Debug)]
pub struct Attributes {
    users: Vec<&'static str>,
    any_user: bool,
    allowed_ips: Vec<&'static str>,
    on_behalf_of: Vec<&'static str>,
    expires: Option<&'static str>,
    revoked: bool,
    mint: bool,
    escalate: bool,
    rate: Option<Rate>,
    concurrent: Option<u32>,
    max_body: Option<Size>,
}

/// Calls, and seconds in which so many may be made; and how many at once.
#[derive(Clone, Copy, Debug)]
struct Rate {
    calls: u32,
    seconds: u32,
    burst: Option<u32>,
}

/// A number, and its unit.
#[derive(Clone, Copy, Debug)]
struct Size(u64, &'static str);

const USERS: &[&str] = &["a", "b", "c"];
const NETWORKS: &[&str] = &[
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.3",
    "::1",
    "::ffff:192.168.0.0/112",
    "2001:db8::/32",
];
/// An address of each network that none within it has, and one of no network. What covers an address is named by its number in
/// [`NETWORKS`].
const ADDRESSES: &[&[usize]] = &[&[0], &[0, 1], &[0, 1, 2], &[3], &[4], &[5], &[]];

/// Any keys.
pub fn attributes() -> impl Strategy<Value = Attributes> {
    let names = || subsequence(USERS, 1..=USERS.len());
    let rate = (
        select(&[1, 10, 59, 60, 600][..]),
        select(&[1, 60, 3600][..]),
        option::of(select(&[1, 10, 100][..])),
    );
    let rate = rate.prop_map(|(calls, seconds, burst)| Rate {
        calls,
        seconds,
        burst,
    });
    let size = (select(&[1, 2, 1024][..]), select(&["B", "KiB", "MiB"][..]))
        .prop_map(|(count, unit)| Size(count, unit));
    let expires = select(
        &[
            "2030-01-01",
            "2030-01-01T00:00:00Z",
            "2030-01-01T00:00:01Z",
            "2031-06-30T12:00:00Z",
        ][..],
    );
    let who = (
        names(),
        prop::bool::weighted(0.2),
        subsequence(NETWORKS, 0..=3),
        prop_oneof![Just(Vec::new()), names()],
    );
    let much = (
        option::weighted(0.8, rate),
        option::of(select(&[1, 2, 5][..])),
        option::of(size),
    );
    let flags = (prop::bool::weighted(0.1), any::<bool>(), any::<bool>());
    (who, option::weighted(0.8, expires), much, flags).prop_map(
        |(
            (users, any_user, allowed_ips, on_behalf_of),
            expires,
            (rate, concurrent, max_body),
            (revoked, mint, escalate),
        )| {
            Attributes {
                users,
                any_user,
                allowed_ips,
                on_behalf_of,
                expires,
                revoked,
                mint,
                escalate,
                rate,
                concurrent,
                max_body,
            }
        },
    )
}

impl Attributes {
    /// The keys as a token's entry has them.
    ///
    /// # Panics
    /// Never: text takes what is written to it.
    #[must_use]
    pub fn keys(&self) -> String {
        let mut text = String::new();
        match self.any_user {
            true => text.push_str("any_user = true\n"),
            false => writeln!(text, "users = {:?}", self.users).expect("text"),
        }
        if !self.allowed_ips.is_empty() {
            writeln!(text, "allowed_ips = {:?}", self.allowed_ips).expect("text");
        }
        if !self.on_behalf_of.is_empty() {
            writeln!(text, "on_behalf_of = {:?}", self.on_behalf_of).expect("text");
        }
        if let Some(expires) = self.expires {
            writeln!(text, "expires = {expires}").expect("text");
        }
        if let Some(rate) = self.rate {
            writeln!(text, "rate = \"{}/{}s\"", rate.calls, rate.seconds).expect("text");
            if let Some(burst) = rate.burst {
                writeln!(text, "burst = {burst}").expect("text");
            }
        }
        if let Some(concurrent) = self.concurrent {
            writeln!(text, "concurrent = {concurrent}").expect("text");
        }
        if let Some(Size(count, unit)) = self.max_body {
            writeln!(text, "max_body = \"{count}{unit}\"").expect("text");
        }
        for (key, value) in [
            ("revoked", self.revoked),
            ("mint", self.mint),
            ("escalate", self.escalate),
        ] {
            writeln!(text, "{key} = {value}").expect("text");
        }
        text
    }

    /// The keys by which this gives somebody more than another.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> BTreeSet<&'static str> {
        // The sets of those who get in, and amounts: what is larger gives more.
        let users = |of: &Self| {
            USERS
                .iter()
                .chain(&["someone else"])
                .map(|user| of.any_user || of.users.contains(user))
                .collect()
        };
        let addresses = |of: &Self| {
            let networks = |address: &&[usize]| {
                address
                    .iter()
                    .filter_map(|at| NETWORKS.get(*at))
                    .any(|network| of.allowed_ips.contains(network))
            };
            ADDRESSES
                .iter()
                .map(|address| of.allowed_ips.is_empty() || networks(address))
                .collect()
        };
        let others = |of: &Self| USERS.iter().map(|user| of.on_behalf_of.contains(user)).collect();
        let sets: [(&str, Vec<bool>, Vec<bool>); 3] = [
            ("user", users(self), users(other)),
            ("allowed_ips", addresses(self), addresses(other)),
            ("on_behalf_of", others(self), others(other)),
        ];
        let amounts = [
            ("expires", self.end(), other.end()),
            (
                "rate",
                self.rate.map(Rate::in_an_hour),
                other.rate.map(Rate::in_an_hour),
            ),
            (
                "burst",
                self.rate.map(Rate::at_once),
                other.rate.map(Rate::at_once),
            ),
            (
                "concurrent",
                self.concurrent.map(u64::from),
                other.concurrent.map(u64::from),
            ),
            (
                "max_body",
                self.max_body.map(Size::bytes),
                other.max_body.map(Size::bytes),
            ),
            (
                "revoked",
                Some(u64::from(!self.revoked)),
                Some(u64::from(!other.revoked)),
            ),
            ("mint", Some(u64::from(self.mint)), Some(u64::from(other.mint))),
            (
                "escalate",
                Some(u64::from(self.escalate)),
                Some(u64::from(other.escalate)),
            ),
        ];
        let sets = sets
            .iter()
            .filter(|(_, own, other)| own.iter().zip(other).any(|(own, other)| *own && !other));
        // An amount that is not named has no end.
        let endless = |amount: Option<u64>| amount.unwrap_or(u64::MAX);
        let amounts = amounts
            .iter()
            .filter(|(_, own, other)| endless(*own) > endless(*other));
        sets.map(|(key, ..)| *key)
            .chain(amounts.map(|(key, ..)| *key))
            .collect()
    }

    /// When it expires, as a number that grows with time.
    fn end(&self) -> Option<u64> {
        let digits: String = self.expires?.chars().filter(char::is_ascii_digit).collect();
        format!("{digits:0<14}").parse().ok()
    }
}

impl Rate {
    fn in_an_hour(self) -> u64 {
        u64::from(self.calls) * u64::from(3600 / self.seconds)
    }

    /// Without a burst, as many as the rate names.
    fn at_once(self) -> u64 {
        u64::from(self.burst.unwrap_or(self.calls))
    }
}

impl Size {
    fn bytes(self) -> u64 {
        let unit = match self.1 {
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            _ => 1,
        };
        self.0 * unit
    }
}
