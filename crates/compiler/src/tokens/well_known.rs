//! Hashes of secrets that anybody tries first.

/// SHA-256 of such secrets, each also with the line end that `echo` adds, and words for a message. Constants: a policy has many tokens.
const HASHES: [(&str, &str); 18] = [
    (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "the empty text",
    ),
    (
        "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
        "the empty text",
    ),
    (
        "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        "`password`",
    ),
    (
        "6b3a55e0261b0304143f805a24924d0c1c44524821305f31d9277843b8a10f4e",
        "`password`",
    ),
    (
        "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92",
        "`123456`",
    ),
    (
        "e150a1ec81e8e93e1eae2c3a77e66ec6dbd6a3b460f89c1d08aecf422ee401a0",
        "`123456`",
    ),
    (
        "ef797c8118f02dfb649607dd5d3f8c7623048c9c063d532cc95c5ed7a898a64f",
        "`12345678`",
    ),
    (
        "2634c3097f98e36865f0c572009c4ffd73316bc8b88ccfe8d196af35f46e2394",
        "`12345678`",
    ),
    (
        "057ba03d6c44104863dc7361fe4578965d1887360f90a0895882e58a6248fc86",
        "`changeme`",
    ),
    (
        "41edf6e61ed42a3c6848b0ae91ddc5662377c09a3ed38fcd9f9e82664294bcfd",
        "`changeme`",
    ),
    (
        "8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918",
        "`admin`",
    ),
    (
        "fc8252c8dc55839967c58b9ad755a59b61b67c13227ddae4bd3f78a38bf394f7",
        "`admin`",
    ),
    (
        "1c8bfe8f801d79745c4631d09fff36c82aa37fc4cce4fc946683d7b336b63032",
        "`letmein`",
    ),
    (
        "8de47d5aa7d61e92c577d8156b966583f6d7d75d714a3b99fca4fb2f8bfe97c6",
        "`letmein`",
    ),
    (
        "65e84be33532fb784c48129675f9eff3a682b27168c0ea744b2cf58ee02337c5",
        "`qwerty`",
    ),
    (
        "9ceece10cf8b97d1f1924dae5d14c137fd144ce999ede85f48be6d7582e2dd23",
        "`qwerty`",
    ),
    (
        "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2",
        "`root`",
    ),
    (
        "53175bcc0524f37b47062fafdda28e3f8eb91d519ca0a184ca71bbebe72f969a",
        "`root`",
    ),
];

/// The secret of a hash in words, if it is one of these.
pub(super) fn secret(hash: &[u8; 32]) -> Option<&'static str> {
    let hash = hex::encode(hash);
    let mut known = HASHES.iter().filter(|(known, _)| *known == hash);
    known.next().map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::secret;

    #[test]
    fn secrets_that_anybody_tries_are_known() {
        for text in ["", "\n", "password", "admin\n", "root"] {
            assert!(secret(&Sha256::digest(text).into()).is_some(), "{text:?}");
        }
        assert_eq!(secret(&Sha256::digest("tw_7hq2").into()), None);
    }
}
