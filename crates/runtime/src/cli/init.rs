//! `tokenward init`: writes a first policy repository.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use tokenward_pdp::plural::plural;
use tokenward_pdp::request::Product;

use super::failure::Failure;
use super::output::print;

mod example;
mod files;
mod write;

use files::{Choices, files};

/// Write a first policy repository
///
/// Creates the configuration, an example token, invariants, a check for CI, a .gitignore and a README with the next steps. No file is
/// overwritten: if one exists, nothing is written. The example token shows how an entry is written. Nobody has its secret, so it
/// allows no call; `tokenward token new` creates tokens that work.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward init --product jira --upstream http://127.0.0.1:8090 tokens
  tokenward init --product gitlab --upstream https://gitlab.internal \\
      --public-url https://api.example.com --ci gitlab tokens")]
pub(super) struct Args {
    /// Directory of the repository; it is created if it is missing
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Product that the proxy protects
    #[arg(long, value_parser = product())]
    product: Product,
    /// URL of the product, as the proxy calls it
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8090")]
    upstream: String,
    /// URL of the proxy, as clients call it [default: http:// and the address of --listen]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Address and port of the proxy
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Service whose CI checks the policy
    #[arg(long, value_enum, value_name = "SERVICE", default_value_t = Ci::Both)]
    ci: Ci,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Ci {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    Gitlab,
    /// Both; each service ignores the file of the other
    Both,
    /// No file for CI
    None,
}

/// Reads a product's name. The list of names is the configuration's.
fn product() -> impl clap::builder::TypedValueParser<Value = Product> {
    PossibleValuesParser::new(Product::ALL.map(Product::name))
        .try_map(|name| Product::from_name(&name).ok_or_else(|| format!("`{name}` is not a product")))
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let choices = Choices {
        product: args.product,
        upstream: &args.upstream,
        public_url: args.public_url.as_deref(),
        listen: &args.listen,
        github: matches!(args.ci, Ci::Github | Ci::Both),
        gitlab: matches!(args.ci, Ci::Gitlab | Ci::Both),
    };
    let files = files(&choices)?;
    write::all(&args.directory, &files)?;
    print(&summary(&args.directory, &files))
}

/// Lists the written files, and names the one with the next steps.
fn summary(directory: &Path, files: &[write::File]) -> String {
    let mut text = String::new();
    for file in files {
        text.push_str(&format!("  {}\n", file.name));
    }
    format!(
        "{} {} written to {}:\n{text}{} describes the next steps.\n",
        files.len(),
        plural(files.len(), "file"),
        directory.display(),
        directory.join("README.md").display()
    )
}
