//! `tokenward token list`.

use tokenward_pdp::text::time;

use super::known::{self, Known};
use super::{Failure, output, print_json};
use crate::cli::audit::shown;
use crate::cli::columns::columns;
use crate::cli::settings::ConfigArg;

/// List tokens with their user, expiry, last use and findings
///
/// The last use, and the clients that still use a secret from before a rotation, come from the audit: from the
/// running proxy, or from the store's files.
///
/// The findings of a token are the compiler's warnings about it, and whether it has expired or will expire soon, was
/// never used, or is revoked but not yet in the file or in git.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward token list
  tokenward token list --json | jq -r 'select(.findings[].code == \"never-used\").token'")]
pub(super) struct Args {
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArg,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.config.or_default()?;
    let known::All {
        tokens,
        silent,
        broken,
    } = known::all(&config)?;
    if let Some(why) = silent {
        output::note(&format!("Last uses cannot be shown: {why}"));
    }
    if args.json {
        tokens.iter().try_for_each(|token| print_json(&token.json()))?;
    } else {
        output::print(&table(&tokens))?;
    }
    if broken {
        return Err(Failure::Findings(
            "the policy has errors, so tokens may be missing here; `tokenward compile` shows the errors"
                .to_owned(),
        ));
    }
    Ok(())
}

fn table(tokens: &[Known]) -> String {
    const HEAD: [&str; 5] = ["TOKEN", "FOR", "STATE", "EXPIRES", "LAST USED"];
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(tokens.iter().map(row));
    let mut out = String::new();
    for (at, line) in columns(&rows).into_iter().enumerate() {
        out.push_str(&format!("{line}\n"));
        let token = at.checked_sub(1).and_then(|at| tokens.get(at));
        for found in token.iter().flat_map(|token| &token.findings) {
            out.push_str(&format!("    {}: {}\n", found.code, shown(&found.text)));
        }
    }
    out
}

fn row(token: &Known) -> Vec<String> {
    let it = &token.attributes;
    vec![
        shown(&it.name),
        shown(&token.users()),
        token.state().to_owned(),
        it.expires.map_or_else(|| "never".to_owned(), time),
        match &token.used {
            None => "?".to_owned(),
            Some(used) => used.last.clone().unwrap_or_else(|| "-".to_owned()),
        },
    ]
}
