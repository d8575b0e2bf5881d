//! `tokenward complete-operations`: the operations of the API's descriptions, for the completion scripts.

use std::collections::BTreeMap;

use tokenward_compiler::visible;

use super::super::descriptions::{DescriptionArgs, read_one};
use super::super::failure::Failure;
use super::super::output;
use super::super::settings::ConfigArg;

/// Print the operations of the API, for completion
///
/// Each line is an operation's id, or its name if it has none, a tab, and its name. Without a description, or if none can be read,
/// nothing is printed, and the exit code is 0.
#[derive(clap::Args)]
pub(in super::super) struct OperationsArgs {
    /// Print the paths of the operations with this method instead
    #[arg(long, value_name = "METHOD")]
    paths_of: Option<String>,
    #[command(flatten)]
    descriptions: DescriptionArgs,
    #[command(flatten)]
    config: ConfigArg,
}

pub(in super::super) fn list_operations(args: &OperationsArgs) -> Result<(), Failure> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for file in args.descriptions.quiet_files(&args.config) {
        // A description with a mistake is the matter of other commands.
        let Ok(description) = read_one(&file) else {
            continue;
        };
        for operation in &description.operations {
            let name = operation.name();
            let (word, meaning) = match (&args.paths_of, &operation.id) {
                (Some(method), id) if operation.method.eq_ignore_ascii_case(method) => {
                    let path = name.split_once(' ').map_or("", |(_, path)| path);
                    (path.to_owned(), id.clone().unwrap_or_default())
                }
                (Some(_), _) => continue,
                (None, Some(id)) => (id.clone(), name),
                (None, None) => (name.clone(), name),
            };
            // A tab and a line end have a meaning for the scripts.
            if !word.is_empty() && !word.contains(char::is_control) {
                found.entry(word).or_insert(meaning);
            }
        }
    }
    let lines = found
        .iter()
        .map(|(word, meaning)| format!("{word}\t{}\n", visible(meaning)));
    output::print_raw(&lines.collect::<String>())
}
