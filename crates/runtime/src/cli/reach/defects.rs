//! The places of descriptions that could not be read.

use serde_json::{Value, json};
use tokenward_openapi::Defect;
use tokenward_pdp::plural::plural;

use super::super::ask::{Ended, Text};
use super::super::descriptions::{Described, DescribedFile};
use super::super::failure::Failure;
use super::super::output;
use super::shown::Format;

/// Lists the places. It is a failure if operations may be missing.
pub(super) fn show(described: &Described, format: Format) -> Result<Ended, Failure> {
    match format {
        Format::Json => output::print_json(&document(described))?,
        Format::Table | Format::Markdown => output::print(&text(described, format))?,
    }
    Ok(
        match described.files.iter().flat_map(DescribedFile::losses).count() {
            0 => Ok(()),
            count => Err(Failure::Trouble(format!(
                "operations may be missing because of {count} {}; correct the description",
                plural(count, "defect")
            ))),
        },
    )
}

fn text(described: &Described, format: Format) -> String {
    let mut out = Text::default();
    for file in &described.files {
        let count = file.defects.len();
        let path = file.path.display();
        out.line(0, &format!("{path}: {count} {}", plural(count, "defect")));
        if format == Format::Markdown {
            out.line(0, "");
        }
        for defect in &file.defects {
            let word = if defect.is_loss { "loss" } else { "note" };
            match format {
                Format::Markdown => out.line(
                    0,
                    &format!("- {word}: `{}`", defect.to_string().replace('`', "'")),
                ),
                Format::Table | Format::Json => out.line(2, &format!("{word}: {defect}")),
            }
        }
    }
    out.end()
}

fn document(described: &Described) -> Value {
    let files = described.files.iter().map(|file| {
        json!({
            "file": file.path.display().to_string(),
            "title": file.title,
            "version": file.version,
            "operations": file.operations,
            "defects": file.defects.iter().map(defect).collect::<Vec<Value>>(),
        })
    });
    json!({
        "version": 1,
        "kind": "defects",
        "settled": described.lost(None).is_none(),
        "descriptions": files.collect::<Vec<Value>>(),
    })
}

fn defect(defect: &Defect) -> Value {
    json!({
        "pointer": defect.pointer,
        "line": defect.line,
        "message": defect.message,
        "loss": defect.is_loss,
    })
}
