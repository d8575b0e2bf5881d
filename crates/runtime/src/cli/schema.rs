//! `tokenward schema`: the JSON Schemas of the TOML files.

use tokenward_lsp::schema::all;

use super::failure::Failure;
use super::output;

/// Print the JSON Schema of a TOML file, for editors and checkers
///
/// Write it next to the policy, and name it in the first line of each file:
///
///   tokenward schema tokens > schemas/tokens.schema.json
///
///   #:schema ../schemas/tokens.schema.json
///
/// A schema knows the keys and the forms of their values. It does not replace `tokenward compile --check`, and
/// `tokenward lsp` shows more in an editor.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Name of the schema; without it, the command lists the names
    name: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let schemas = all();
    let Some(name) = &args.name else {
        let lines = schemas
            .iter()
            .map(|schema| format!("{:<12} {}\n", schema.name, schema.files));
        return output::print(&lines.collect::<String>());
    };
    match schemas.iter().find(|schema| schema.name == name) {
        Some(schema) => output::print_raw(&schema.text()),
        None => {
            let names: Vec<&str> = schemas.iter().map(|schema| schema.name).collect();
            Err(Failure::Usage(format!(
                "`{name}` is not a schema; the schemas are {}",
                names.join(", ")
            )))
        }
    }
}
