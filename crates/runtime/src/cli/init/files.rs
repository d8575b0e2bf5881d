//! The files of a first policy repository.

use std::net::SocketAddr;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use tokenward_compiler::call_limits::CallLimits;
use tokenward_pdp::request::Product;
use toml_edit::Value;

use super::Failure;
use super::example::{Example, example};
use super::write::File;
use crate::authoring::edit::{NewToken, Users, entry};
use crate::config_file;
use crate::new_secret;

/// The user's choices.
pub(super) struct Choices<'a> {
    pub(super) product: Product,
    pub(super) upstream: &'a str,
    pub(super) public_url: Option<&'a str>,
    pub(super) listen: &'a str,
    pub(super) github: bool,
    pub(super) gitlab: bool,
}

/// Lifetime of the example token. `token new --expires 90d` in the README has the same.
const LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Gives all files, in the order in which they are written.
///
/// # Errors
/// The configuration would have errors, such as a URL without a scheme; or there is no randomness.
pub(super) fn files(choices: &Choices<'_>) -> Result<Vec<File>, Failure> {
    let example = example(choices.product);
    let (configuration, public_url) = configuration(choices, example)?;
    let file = |name, text| File {
        name,
        is_secret: false,
        text,
    };
    let mut files = vec![
        file("tokenward.toml", configuration),
        file("policies/example.toml", token(example)?),
        file("policies/invariants.toml", invariants(example)),
        file("policies/tests/example.toml", tests(example)),
        File {
            is_secret: true,
            ..file(".tokenward/upstream-credentials.toml", credentials(example))
        },
        file(".gitignore", include_str!("templates/gitignore").to_owned()),
        file("README.md", readme(choices, example, &public_url)),
    ];
    files.extend(schemas().map(|(name, text)| file(name, text)));
    if choices.github {
        let text = include_str!("templates/github.yml").to_owned();
        files.push(file(".github/workflows/policy.yml", text));
    }
    if choices.gitlab {
        let text = include_str!("templates/gitlab.yml").to_owned();
        files.push(file(".gitlab-ci.yml", text));
    }
    Ok(files)
}

/// The JSON Schemas that the first lines of the TOML files name.
fn schemas() -> impl Iterator<Item = (&'static str, String)> {
    const NAMES: [(&str, &str); 6] = [
        ("tokens", "schemas/tokens.schema.json"),
        ("invariants", "schemas/invariants.schema.json"),
        ("reviewed", "schemas/reviewed.schema.json"),
        ("tests", "schemas/tests.schema.json"),
        ("credentials", "schemas/credentials.schema.json"),
        ("tokenward", "schemas/tokenward.schema.json"),
    ];
    let all = tokenward_lsp::schema::all();
    NAMES.into_iter().filter_map(move |(name, file)| {
        let schema = all.iter().find(|schema| schema.name == name)?;
        Some((file, schema.text()))
    })
}

/// Formats `tokenward.toml`. Gives it with the public URL that it has or implies.
fn configuration(choices: &Choices<'_>, example: &Example) -> Result<(String, String), Failure> {
    let public_url = match choices.public_url {
        Some(url) => url.to_owned(),
        None if listens_everywhere(choices.listen) => {
            return Err(Failure::Usage(format!(
                "`--public-url` is required with `--listen {}`: clients cannot call this address; nothing was written",
                choices.listen
            )));
        }
        None => format!("http://{}", choices.listen),
    };
    let administrators: toml_edit::Array = example.administrators.iter().copied().collect();
    let text = filled(
        include_str!("templates/tokenward.toml"),
        &[
            ("title", example.title),
            ("listen", &quoted(choices.listen)),
            ("upstream", &quoted(choices.upstream)),
            ("public_url", &quoted(&public_url)),
            ("product", &quoted(choices.product.name())),
            ("administrators", &administrators.to_string()),
        ],
    );
    // The name in errors: the values are those of the command line.
    let config = config_file::parse(&text, Path::new("tokenward.toml"))
        .map_err(|error| Failure::from(error).after("nothing was written: "))?;
    Ok((text, config.upstream.public_url.as_str().to_owned()))
}

/// Whether the address stands for all addresses of the machine.
fn listens_everywhere(listen: &str) -> bool {
    let address: Result<SocketAddr, _> = listen.parse();
    address.is_ok_and(|address| address.ip().is_unspecified())
}

/// Formats the example token. Its secret is dropped here, so nobody can use it.
fn token(example: &Example) -> Result<String, Failure> {
    let secret = new_secret::generate().map_err(Failure::trouble)?;
    let expires = Timestamp::now().checked_add(LIFE).map_err(Failure::trouble)?;
    let token = NewToken {
        name: "example".to_owned(),
        users: Users::Named(vec!["svc-ci".to_owned()]),
        secret_hash: secret.hash_text(),
        expires: Some(expires),
        owner: Some("your-team".to_owned()),
        description: Some(example.description.to_owned()),
        allowed_ips: Vec::new(),
        include: Vec::new(),
        lines: example.lines.iter().map(|line| (*line).to_owned()).collect(),
        limits: CallLimits::default(),
        unrestricted: false,
    };
    let entry = entry(&token)?;
    Ok(format!("{}{entry}", include_str!("templates/example.toml")))
}

fn invariants(example: &Example) -> String {
    let administration = example.administration.join("\n");
    filled(
        include_str!("templates/invariants.toml"),
        &[("administration", &administration)],
    )
}

fn tests(example: &Example) -> String {
    filled(include_str!("templates/tests.toml"), &[("path", example.path)])
}

fn credentials(example: &Example) -> String {
    filled(
        include_str!("templates/upstream-credentials.toml"),
        &[("credentials", example.credentials)],
    )
}

fn readme(choices: &Choices<'_>, example: &Example, public_url: &str) -> String {
    let limits: Vec<String> = example
        .lines
        .iter()
        .map(|line| format!("       --limit-to '{line}'"))
        .collect();
    let ci = match (choices.github, choices.gitlab) {
        (true, true) => "`.github/workflows/policy.yml` and `.gitlab-ci.yml` check",
        (true, false) => "`.github/workflows/policy.yml` checks",
        (false, true) => "`.gitlab-ci.yml` checks",
        (false, false) => "Let your CI check",
    };
    filled(
        include_str!("templates/README.md"),
        &[
            ("title", example.title),
            ("credentials", example.credentials),
            ("credentials_from", example.credentials_from),
            ("limits", &limits.join(" \\\n")),
            ("public_url", public_url),
            ("path", example.path),
            ("ci", ci),
        ],
    )
}

/// Replaces each `<<name>>` of a template.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("<<{name}>>"), value)
    })
}

/// Formats a TOML string.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(product: Product) -> Choices<'static> {
        Choices {
            product,
            upstream: "https://tracker.internal/ctx",
            public_url: Some("https://api.example.com/ctx"),
            listen: "127.0.0.1:8080",
            github: true,
            gitlab: true,
        }
    }

    fn text(files: &[File], name: &str) -> String {
        files.iter().find(|file| file.name == name).unwrap().text.clone()
    }

    #[test]
    fn no_placeholder_is_left_in_any_file() {
        for product in Product::ALL {
            for file in files(&choices(product)).unwrap() {
                assert!(!file.text.contains("<<"), "{}: {}", file.name, file.text);
            }
        }
    }

    #[test]
    fn the_configuration_has_the_choices() {
        for product in Product::ALL {
            let files = files(&choices(product)).unwrap();
            let config =
                config_file::parse(&text(&files, "tokenward.toml"), Path::new("tokenward.toml")).unwrap();
            assert_eq!(config.upstream.product, product);
            assert_eq!(config.upstream.public_url.as_str(), "https://api.example.com/ctx");
            assert!(!config.auth.never_act_as.is_empty());
        }
    }

    /// Two repositories never have the same example, and its secret is in no file.
    #[test]
    fn the_example_token_is_of_a_new_secret() {
        let hash = |files: &[File]| {
            let text = text(files, "policies/example.toml");
            let (_, after) = text.split_once("secret_hash = ").unwrap();
            after.lines().next().unwrap().to_owned()
        };
        let first = files(&choices(Product::Jira)).unwrap();
        let second = files(&choices(Product::Jira)).unwrap();
        assert_ne!(hash(&first), hash(&second));
        for file in &first {
            assert!(!file.text.contains("twd_"), "{}", file.name);
        }
    }

    #[test]
    fn a_wrong_value_is_an_error_and_no_text() {
        let wrong = Choices {
            upstream: "ftp://x",
            ..choices(Product::Jira)
        };
        let error = files(&wrong).err().unwrap();
        assert!(
            matches!(&error, Failure::Usage(message) if message.contains("ftp://x")),
            "{error:?}"
        );
        let injected = Choices {
            upstream: "http://x\"\n[auth]\nnever_act_as = []\n#",
            ..choices(Product::Jira)
        };
        assert!(files(&injected).is_err());
    }
}
