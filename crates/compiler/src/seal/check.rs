//! Whether every token of a policy may be used in secure mode: of sources with a diagnostic, of programs with a list.

use super::{Fault, Mode, fault};
use crate::{
    diagnostic::{Code, Diagnostic},
    ir::Program,
    source::SourceSet,
    tokens,
};

/// The tokens of a program that may not be used in this mode, by name, and why. None in standard mode.
#[must_use]
pub fn faults(program: &Program, mode: &Mode) -> Vec<(String, Fault)> {
    let Mode::Secure(keys) = mode else {
        return Vec::new();
    };
    let tokens = program.tokens().filter_map(|(_, token)| {
        let lines = program.lines_of(token).map(|(_, line)| line.text);
        Some((token.name.clone(), fault(&token.attributes, lines, keys)?))
    });
    tokens.collect()
}

/// The findings that report `faults`, at the tokens' definitions.
pub(crate) fn report(faults: &[(String, Fault)], sources: &SourceSet) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for token in tokens::read_all(sources, &mut Vec::new()) {
        let Some(name) = token.name.as_ref().map(|name| &name.value) else {
            continue;
        };
        for (_, fault) in faults.iter().filter(|(faulty, _)| faulty == name) {
            let code = match fault {
                Fault::Readable => Code::ReadableSecret,
                Fault::Missing | Fault::Stranger(_) | Fault::Wrong => Code::Seal,
            };
            let help = match fault {
                Fault::Readable | Fault::Missing => {
                    "`tokenward token seal` seals it, and takes `secret_sealed` out, if its data are right"
                }
                Fault::Stranger(_) => {
                    "name that key in [keys] public_keys, or seal the token again if its data are right"
                }
                Fault::Wrong => {
                    "nothing but `revoked` can be changed in secure mode: take the change back, or revoke the token and make another"
                }
            };
            let finding = Diagnostic::new(code, token.span, format!("`{name}` {fault}"));
            diagnostics.push(finding.help(help));
        }
    }
    diagnostics
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;
    use crate::{
        compile_for, resolve_policy,
        seal::{PublicKey, Seal, Version, lines, statement},
    };

    /// A file with one token, sealed as it is, and the key that admits the seal.
    fn sealed() -> (String, Mode) {
        let text = format!(
            "[[token]]\nname = \"a\"\nuser = \"u\"\nsecret_hash = \"sha256:{}\"\nexpires = 2030-01-01\n\
             limit_to = \"/rest/a\"\n",
            "11".repeat(32)
        );
        let sources = SourceSet::from_files([("a.toml".to_owned(), text.clone())]);
        let policy = resolve_policy(&sources);
        let token = policy.tokens.first().unwrap();
        let signed = statement(Version::CURRENT, &token.attributes, lines(token, &sources));
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public = PublicKey::from_bytes(key.public_key().as_ref().try_into().unwrap());
        let seal = Seal {
            version: Version::CURRENT,
            key: public.id(),
            signature: key.sign(&signed.unwrap()).as_ref().try_into().unwrap(),
        };
        (format!("{text}seal = \"{seal}\"\n"), Mode::Secure(vec![public]))
    }

    fn findings(text: &str, mode: &Mode) -> (bool, Vec<Code>) {
        let sources = SourceSet::from_files([("a.toml".to_owned(), text.to_owned())]);
        let compilation = compile_for(&sources, mode);
        let codes = compilation.diagnostics.iter().map(|found| found.code);
        (compilation.program.is_some(), codes.collect())
    }

    #[test]
    fn a_sealed_token_may_have_no_key_that_this_release_does_not_know() {
        let (text, mode) = sealed();
        assert_eq!(findings(&text, &mode), (true, Vec::new()));
        for later in [
            "rate = \"600/1m\"",
            "escalate = true",
            "concurrent = 4",
            "Mint = true",
        ] {
            let added = format!("{text}{later}\n");
            assert_eq!(
                findings(&added, &mode),
                (false, vec![Code::UnknownKey]),
                "{later}"
            );
        }
        for known in [
            "mint = true",
            "owner = \"o\"",
            "allowed_ips = [\"::1\"]",
            "lint_allow = [\"TW0102\"]",
        ] {
            let added = format!("{text}{known}\n");
            assert_eq!(findings(&added, &mode), (false, vec![Code::Seal]), "{known}");
        }
    }
}
