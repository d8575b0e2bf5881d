//! Definition, references and new names of sets.

use std::collections::BTreeMap;

use gen_lsp_types::{
    DocumentChange, Edit, Location, OptionalVersionedTextDocumentIdentifier, Position,
    PrepareRenamePlaceholder, Range, RenameFile, TextDocumentEdit, TextDocumentIdentifier, TextEdit,
    WorkspaceEdit,
};
use tokenward_compiler::source::SourceKind;

use crate::{
    findings::Place,
    publish::Places,
    sets::{Sets, Use, check_name},
    workspace::Workspace,
};

/// The set that a position names: an include, or anything in the file of a set.
fn set_at(workspace: &mut Workspace, path: &str, position: Position) -> Option<(Sets, String, Option<Use>)> {
    let (_, kind, text) = workspace.source(path)?;
    let at = workspace.lines(path, &text).offset(&text, position);
    let sets = Sets::of(workspace);
    if let Some(one) = sets.use_at(path, at).cloned() {
        return Some((sets, one.name.clone(), Some(one)));
    }
    if kind != SourceKind::Limits {
        return None;
    }
    let files = sets.files.iter();
    let mut named = files.filter(|(_, files)| files.iter().any(|file| file == path));
    let name = named.next()?.0.clone();
    Some((sets, name, None))
}

/// Where the set of an include is defined: its files.
pub(crate) fn definition(workspace: &mut Workspace, path: &str, position: Position) -> Vec<Location> {
    let Some((sets, name, Some(_))) = set_at(workspace, path, position) else {
        return Vec::new();
    };
    files(workspace, &sets, &name)
}

fn files(workspace: &Workspace, sets: &Sets, name: &str) -> Vec<Location> {
    let files = sets.files.get(name).into_iter().flatten();
    files
        .filter_map(|file| {
            Some(Location {
                uri: workspace.uri(file)?,
                range: Range::default(),
            })
        })
        .collect()
}

/// Where a set is included.
pub(crate) fn references(
    workspace: &mut Workspace,
    path: &str,
    position: Position,
    with_definition: bool,
) -> Vec<Location> {
    let Some((sets, name, _)) = set_at(workspace, path, position) else {
        return Vec::new();
    };
    let mut found = if with_definition {
        files(workspace, &sets, &name)
    } else {
        Vec::new()
    };
    let places = Places::new(workspace);
    found.extend(sets.uses_of(&name).filter_map(|one| places.location(&place(one))));
    found
}

fn place(one: &Use) -> Place {
    Place {
        file: one.file.as_str().into(),
        range: one.range.clone(),
    }
}

/// The name to change, before the editor asks for the new one. In a file of a set only its includes have one.
pub(crate) fn prepare(
    workspace: &mut Workspace,
    path: &str,
    position: Position,
) -> Option<PrepareRenamePlaceholder> {
    let (_, name, one) = set_at(workspace, path, position)?;
    let range = match one {
        Some(one) => Places::new(workspace).range(&place(&one))?,
        None => Range {
            start: position,
            end: position,
        },
    };
    Some(PrepareRenamePlaceholder {
        range,
        placeholder: name,
    })
}

/// The edits that give a set another name: its file, and each include.
///
/// # Errors
/// The set cannot have the name, or the editor cannot rename files.
pub(crate) fn rename(
    workspace: &mut Workspace,
    path: &str,
    (position, new): (Position, &str),
    can_rename_files: bool,
) -> Result<WorkspaceEdit, String> {
    let (sets, name, _) = set_at(workspace, path, position).ok_or_else(|| {
        "only sets can be renamed here; place the cursor on the name of an included set".to_owned()
    })?;
    let new = check_name(&sets, &name, new).map_err(|fault| fault.to_string())?;
    if new == name {
        return Ok(WorkspaceEdit::default());
    }
    if !can_rename_files {
        return Err(format!(
            "a set is a file, and this editor does not rename files for a language server; rename `{name}.limits` and its includes by hand"
        ));
    }
    let places = Places::new(workspace);
    let mut by_file: BTreeMap<&str, Vec<Edit>> = BTreeMap::new();
    for one in sets.uses_of(&name) {
        let range = places
            .range(&place(one))
            .ok_or_else(|| format!("cannot read `{}`", one.file))?;
        let edit = TextEdit {
            range,
            new_text: new.clone(),
        };
        by_file.entry(&one.file).or_default().push(Edit::TextEdit(edit));
    }
    let mut changes = Vec::new();
    for (file, edits) in by_file {
        let uri = workspace
            .uri(file)
            .ok_or_else(|| format!("`{file}` has no address"))?;
        let version = workspace.document(file).map(|document| document.version);
        changes.push(DocumentChange::TextDocumentEdit(TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier {
                version,
                text_document_identifier: TextDocumentIdentifier { uri },
            },
            edits,
        }));
    }
    let file = sets.files.get(&name).and_then(|files| files.first());
    let file = file.ok_or_else(|| format!("there is no set `{name}`"))?;
    let old_uri = workspace
        .uri(file)
        .ok_or_else(|| format!("`{file}` has no address"))?;
    // The same folder, with another name.
    let new_uri = old_uri.join(&encoded(&new)).map_err(|error| error.to_string())?;
    changes.push(DocumentChange::RenameFile(RenameFile {
        old_uri,
        new_uri,
        options: None,
        annotation_id: None,
    }));
    Ok(WorkspaceEdit {
        document_changes: Some(changes),
        ..WorkspaceEdit::default()
    })
}

/// The name of a set's file as a relative address. `./`, so that no name is taken for a scheme.
fn encoded(name: &str) -> String {
    format!("./{name}.limits")
}
