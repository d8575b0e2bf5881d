//! How tokens are stored (`mode` and the section `[keys]`), and which keys sign compiled policies.

use tokenward_compiler::seal::{Mode, PublicKey};

use super::fields::Fields;
use super::{Keys, value};

/// Names of the modes, each with whether it is secure mode.
const MODES: [(&str, bool); 2] = [("standard", false), ("secure", true)];

pub(super) fn keys(it: &mut Fields<'_>) -> (Mode, Keys) {
    let secure = it.or("mode", false, |value| value::choice(value, &MODES));
    let (keys, public) = it.section("keys", |it| section(it, secure));
    if secure && public.is_empty() {
        let message = "`public_keys` in [keys] is required when mode = \"secure\"; `tokenward keys new signing` prints it";
        it.complain(&["mode"], message.to_owned());
    }
    let mode = if secure {
        Mode::Secure(public)
    } else {
        Mode::Standard
    };
    (mode, keys)
}

fn section(it: &mut Fields<'_>, secure: bool) -> (Keys, Vec<PublicKey>) {
    let keys = Keys {
        sealing: it.or("sealing_keys", Vec::new(), |value| {
            value::any_of(value, value::path)
        }),
        signing: it.optional("signing_key", value::path),
        artifact: it.optional("artifact_key", value::path),
        artifact_public: it.or("artifact_public_keys", Vec::new(), |value| {
            value::any_of(value, value::public_key)
        }),
    };
    let public = it.or("public_keys", Vec::new(), |value| {
        value::any_of(value, value::public_key)
    });
    if secure && it.has("sealing_keys") {
        // Git's history may still contain secrets that these keys decrypt.
        let message = "`sealing_keys` cannot be used with mode = \"secure\"; remove it, and destroy those files, because they can decrypt the secrets in the git history";
        it.complain(&["sealing_keys"], message.to_owned());
    }
    for key in ["signing_key", "public_keys"] {
        if !secure && it.has(key) {
            it.complain(&[key], format!("`{key}` cannot be used with mode = \"standard\""));
        }
    }
    if keys.artifact_public.iter().any(|key| public.contains(key)) {
        // With a shared key, anyone who makes tokens could sign as the build, and the build could make tokens.
        let message = "`artifact_public_keys` has a key of `public_keys`; create a separate key for compiled policies with `tokenward keys new artifact`";
        it.complain(&["artifact_public_keys"], message.to_owned());
    }
    (keys, public)
}
