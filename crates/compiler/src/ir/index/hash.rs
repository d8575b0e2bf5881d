//! Keys: the beginnings of texts as numbers.
//!
//! Eight bytes a step, by multiply and fold as wyhash does. Not keyed: who writes the policy gains nothing by colliding,
//! and what a request makes collide is matched in vain.

/// URLs' literals shorter than this tell too little apart.
pub(super) const SHORTEST: usize = 4;

/// Where a literal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// The whole path.
    Whole,
    /// At the start of the path.
    Anchored,
    /// Behind any beginning of the path.
    Floating,
    /// At the start of a parameter's value.
    Param,
}

impl Family {
    pub(super) const COUNT: usize = 4;
    pub(super) const ALL: [Self; Self::COUNT] = [Self::Whole, Self::Anchored, Self::Floating, Self::Param];

    /// What hashes of this family begin with; that of a parameter has its name besides.
    pub(super) fn seed(self, name: &[u8]) -> u64 {
        let seed = match self {
            Self::Whole => 0x8EBC_6AF0_9C88_C6E3,
            Self::Anchored => 0x9E37_79B9_7F4A_7C15,
            Self::Floating => 0xD1B5_4A32_D192_ED03,
            Self::Param => 0xA24B_AED4_963E_E407,
        };
        match self {
            Self::Whole | Self::Anchored | Self::Floating => seed,
            Self::Param => whole(seed, name),
        }
    }
}

/// Calls back with the key of each beginning of the text that has one of these lengths, which ascend. Ends early where
/// the callback says so.
pub(super) fn each_cut(
    seed: u64,
    text: &[u8],
    cuts: &[u8],
    mut found: impl FnMut(u32) -> Option<()>,
) -> Option<()> {
    let (mut state, mut done) = (seed, 0);
    for cut in cuts {
        let cut = usize::from(*cut);
        let Some(beginning) = text.get(..cut) else { break };
        while let Some(word) = beginning.get(done..).and_then(<[u8]>::first_chunk) {
            state = fold(state ^ u64::from_le_bytes(*word));
            done += 8;
        }
        let left = cut - done;
        let last = match text.get(done..).and_then(<[u8]>::first_chunk) {
            // Of the word only what belongs to the beginning: shifted out are the other bytes.
            Some(word) if left > 0 => {
                let others = (8 - left) * 8;
                u64::from_le_bytes(*word) << others >> others
            }
            _ => padded(beginning.get(done..).unwrap_or_default()),
        };
        found(low(fold(state ^ with_length(last, cut))))?;
    }
    Some(())
}

/// The key of a text as a whole.
pub(super) fn of_whole(seed: u64, text: &[u8]) -> u32 {
    low(whole(seed, text))
}

fn low(hash: u64) -> u32 {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn whole(seed: u64, text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let state = words
        .iter()
        .fold(seed, |state, word| fold(state ^ u64::from_le_bytes(*word)));
    let last = match text.last_chunk() {
        Some(word) if !rest.is_empty() => u64::from_le_bytes(*word) >> ((8 - rest.len()) * 8),
        _ => padded(rest),
    };
    fold(state ^ with_length(last, text.len()))
}

/// Fewer than eight bytes as a word.
fn padded(rest: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (place, byte) in word.iter_mut().zip(rest) {
        *place = *byte;
    }
    u64::from_le_bytes(word)
}

/// A word of fewer than eight bytes with the length of the whole in its last one.
fn with_length(last: u64, length: usize) -> u64 {
    last ^ (length as u64) << 56
}

/// One bit for how a text begins; none for a text that is too short.
pub(super) fn bit(text: &[u8]) -> u64 {
    const { assert!(SHORTEST == size_of::<u32>()) };
    text.first_chunk()
        .map_or(0, |start| 1 << (fold(u64::from(u32::from_le_bytes(*start))) & 63))
}

fn fold(word: u64) -> u64 {
    let product = u128::from(word) * 0xA076_1D64_78BD_642F;
    let [low, high] = [product, product >> 64].map(|half| {
        let [a, b, c, d, e, f, g, h, ..] = half.to_le_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    });
    low ^ high
}
