use proptest::{collection::vec, prelude::*};

use super::{super::*, is_code};

/// What [`is_code`] means.
fn written(bytes: &[u8]) -> bool {
    let globs: Option<Vec<Glob>> = alternatives(bytes).map(decode).collect();
    globs
        .and_then(|globs| Code::new(&globs))
        .is_some_and(|code| code.as_bytes() == bytes)
}

/// Operations, mostly whole.
fn operation() -> impl Strategy<Value = Vec<u8>> {
    let byte = || prop::sample::select(&b"/0a9\xc3"[..]);
    let count = || prop_oneof![0_u8..4, Just(254_u8), Just(255_u8)];
    let set = prop_oneof![
        Just(ByteSet::DIGITS.to_bytes().to_vec()),
        Just(ByteSet::ALL_BUT_SLASH.to_bytes().to_vec()),
        (vec(any::<u8>(), 16), 0_u8..3).prop_map(|(set, others)| [set, vec![others]].concat()),
        (0_usize..128, 0_u8..2).prop_map(|(bit, others)| {
            let mut set = vec![0; 17];
            set[bit / 8] = 1 << (bit % 8);
            set[16] = others;
            set
        }),
    ];
    let literal = (vec(byte(), 0..4), 0_u8..2).prop_map(|(text, more)| {
        let length = u8::try_from(text.len()).unwrap() + more / 2;
        [vec![LITERAL, length, 0], text].concat()
    });
    prop_oneof![
        4 => literal,
        3 => (0_u8..12).prop_map(|length| vec![ANY, length, 0]),
        2 => (prop_oneof![Just(DIGITS), Just(SEGMENT)], count(), count()).prop_map(|(kind, min, max)| vec![kind, min, max]),
        2 => (set, count(), count()).prop_map(|(set, min, max)| [vec![RUN], set, vec![min, max]].concat()),
        1 => (0_u8..12).prop_map(|length| vec![ALTERNATIVE, length, 0]),
    ]
}

/// Atoms that are often a glob's.
fn atom() -> impl Strategy<Value = Atom> {
    let set = prop_oneof![
        Just(ByteSet::DIGITS),
        Just(ByteSet::ALL_BUT_SLASH),
        any::<u16>().prop_map(|bits| {
            let mut set = [0; 17];
            set[..2].copy_from_slice(&bits.to_le_bytes());
            set[5] = 0x80;
            ByteSet::from_bytes(set)
        }),
    ];
    prop_oneof![
        3 => "[/ab0]{1,3}".prop_map(|text| Atom::Literal(text.into_bytes())),
        2 => Just(Atom::Any),
        2 => (set, 0_u32..3, prop::option::of(0_u32..4)).prop_map(|(set, min, max)| Atom::Run { set, min, max }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn operations_are_code_if_the_encoder_writes_them(operations in vec(operation(), 0..6)) {
        let bytes = operations.concat();
        prop_assert_eq!(is_code(&bytes), written(&bytes), "{}", bytes.escape_ascii());
    }

    #[test]
    fn what_the_encoder_writes_is_code_and_what_differs_by_a_byte_only_if_written_so(
        globs in vec(vec(atom(), 0..6), 1..4), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let globs: Vec<Glob> = globs.into_iter().filter_map(Glob::from_atoms).collect();
        let Some(code) = Code::new(&globs) else { return Ok(()) };
        prop_assert!(is_code(code.as_bytes()), "{:?}", code);
        let mut bytes = code.as_bytes().to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        prop_assert_eq!(is_code(&bytes), written(&bytes), "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_glob_has_so_many_atoms_and_no_more() {
    let digits = [DIGITS, 1, 1];
    let slash = [LITERAL, 1, 0, b'/'];
    for pairs in 11..14 {
        let bytes = [&digits[..], &slash].concat().repeat(pairs);
        assert_eq!(is_code(&bytes), pairs <= 12, "{pairs} pairs");
        assert_eq!(is_code(&bytes), written(&bytes));
    }
}
