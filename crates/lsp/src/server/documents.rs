//! Documents that the client opens, changes, saves and closes.

use std::path::PathBuf;

use gen_lsp_types::{
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, Position, PublishDiagnosticsParams, Range, Uri,
};
use lsp_server::{Notification, RequestId};
use serde::de::DeserializeOwned;
use tokenward_compiler::{
    diagnostic::Severity,
    source::{SourceKind, limits},
};

use super::session::{Document, Session, cleared};
use crate::{publish::plain, text::applied, workspace::Document as Text};

/// Open documents at most.
const MOST_DOCUMENTS: usize = 10_000;

/// Bytes of a document at most.
fn most() -> usize {
    usize::try_from(limits::FILE_BYTES).unwrap_or(usize::MAX)
}

impl Session {
    /// Handles a notification. One that cannot be read is left out: nobody waits for an answer.
    pub(super) fn notification(&mut self, notification: Notification) {
        fn read<P: DeserializeOwned>(notification: Notification) -> Option<P> {
            serde_json::from_value(notification.params).ok()
        }
        match notification.method.as_str() {
            "initialized" => self.watch(),
            "textDocument/didOpen" => {
                if let Some(DidOpenTextDocumentParams { text_document: it }) = read(notification) {
                    let text = Text {
                        uri: it.uri,
                        version: it.version,
                        text: it.text.into(),
                    };
                    self.open(text);
                }
            }
            "textDocument/didChange" => {
                if let Some(params) = read(notification) {
                    self.change(params);
                }
            }
            "textDocument/didClose" => {
                if let Some(params) = read::<DidCloseTextDocumentParams>(notification) {
                    self.close(&params.text_document.uri);
                }
            }
            "textDocument/didSave" => {
                if let Some(params) = read::<DidSaveTextDocumentParams>(notification) {
                    self.saved(&[params.text_document.uri]);
                }
            }
            "workspace/didChangeWatchedFiles" => {
                if let Some(params) = read::<DidChangeWatchedFilesParams>(notification) {
                    let uris: Vec<Uri> = params.changes.into_iter().map(|change| change.uri).collect();
                    self.saved(&uris);
                }
            }
            "$/cancelRequest" => {
                let id = notification.params.get("id").cloned();
                let id = id.and_then(|id| serde_json::from_value::<RequestId>(id).ok());
                if let Some(answer) = id.and_then(|id| self.requests.cancel(&id)) {
                    self.answer(answer);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, text: Text) {
        if text.text.len() > most() || self.documents.len() >= MOST_DOCUMENTS {
            self.tell(&format!(
                "`{}` is too large, or too many documents are open; it is not checked",
                text.uri
            ));
            return;
        }
        let uri = text.uri.clone();
        self.close(&uri);
        let document = self.placed(text);
        self.documents.insert(uri, document);
    }

    /// Finds the policy of a document, and checks it.
    fn placed(&mut self, text: Text) -> Document {
        let Some(path) = file_of(&text.uri) else {
            return Document::Other(text);
        };
        if let Some(problems) = self.host.configuration(&path, &text.text) {
            self.show_problems(&text, &problems);
            return Document::Configuration(text);
        }
        if path
            .file_name()
            .and_then(|name| SourceKind::of(name.to_str()?))
            .is_none()
        {
            return Document::Other(text);
        }
        let found = match self.host.find(&path) {
            Ok(Some(found)) => found,
            Ok(None) => return Document::Other(text),
            Err(why) => {
                self.tell(&why);
                return Document::Other(text);
            }
        };
        let Some(number) = self.policy(&found) else {
            return Document::Other(text);
        };
        let path = found.relative;
        if let Some(open) = self.policies.get_mut(&number) {
            open.workspace.set(&path, text);
        }
        self.check(number, true);
        Document::Policy { number, path }
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let (uri, version) = (
            params.text_document.text_document_identifier.uri,
            params.text_document.version,
        );
        let Some(document) = self.documents.get(&uri).cloned() else {
            return;
        };
        let old = match &document {
            Document::Policy { number, path } => {
                let open = self.policies.get(number);
                open.and_then(|open| open.workspace.document(path))
                    .map(|document| document.text.clone())
            }
            Document::Configuration(text) | Document::Other(text) => Some(text.text.clone()),
        };
        let Some(new) = old.and_then(|old| applied(&old, params.content_changes, most())) else {
            self.close(&uri);
            self.tell(&format!("`{uri}` is too large; it is no longer checked"));
            return;
        };
        let text = Text {
            uri: uri.clone(),
            version,
            text: new.into(),
        };
        match document {
            Document::Policy { number, path } => {
                if let Some(open) = self.policies.get_mut(&number) {
                    open.workspace.set(&path, text);
                }
                self.check(number, false);
            }
            Document::Configuration(_) => {
                if let Some(path) = file_of(&uri)
                    && let Some(problems) = self.host.configuration(&path, &text.text)
                {
                    self.show_problems(&text, &problems);
                }
                self.documents.insert(uri, Document::Configuration(text));
            }
            Document::Other(_) => {
                self.documents.insert(uri, Document::Other(text));
            }
        }
    }

    fn close(&mut self, uri: &Uri) {
        match self.documents.remove(uri) {
            Some(Document::Policy { number, path }) => {
                let mut has_open = false;
                if let Some(open) = self.policies.get_mut(&number) {
                    open.workspace.close(&path);
                    has_open = open.workspace.has_open();
                }
                if has_open {
                    self.check(number, false);
                } else {
                    self.forget(number);
                }
            }
            Some(Document::Configuration(_)) => {
                self.notify("textDocument/publishDiagnostics", cleared(uri.clone()));
            }
            Some(Document::Other(_)) | None => {}
        }
    }

    /// Files changed on disk. A changed configuration gives every policy another meaning.
    fn saved(&mut self, uris: &[Uri]) {
        let is_configuration = |uri: &Uri| {
            let name = file_of(uri).and_then(|path| Some(path.file_name()?.to_str()? == "tokenward.toml"));
            name.unwrap_or_default()
        };
        let configured: Vec<PathBuf> = uris.iter().filter_map(file_of).collect();
        let is_named = self.policies.values().any(|open| {
            let own = open.workspace.policy.configuration();
            own.is_some_and(|own| configured.iter().any(|path| path == own))
        });
        if is_named || uris.iter().any(is_configuration) {
            self.find_again();
            return;
        }
        let numbers: Vec<usize> = self.policies.keys().copied().collect();
        for number in numbers {
            self.check(number, false);
        }
    }

    /// Finds the policies of all documents again.
    fn find_again(&mut self) {
        let numbers: Vec<usize> = self.policies.keys().copied().collect();
        let mut texts = Vec::new();
        for (uri, document) in std::mem::take(&mut self.documents) {
            match document {
                Document::Policy { number, path } => {
                    let open = self.policies.get(&number);
                    texts.extend(open.and_then(|open| open.workspace.document(&path)).cloned());
                }
                Document::Other(text) => texts.push(text),
                Document::Configuration(text) => {
                    self.documents.insert(uri, Document::Configuration(text));
                }
            }
        }
        for number in numbers {
            self.forget(number);
        }
        for text in texts {
            let uri = text.uri.clone();
            let document = self.placed(text);
            self.documents.insert(uri, document);
        }
    }

    fn show_problems(&self, text: &Text, problems: &[crate::host::Problem]) {
        let diagnostics = problems.iter().map(|problem| {
            let line = text
                .text
                .split('\n')
                .nth(problem.line.saturating_sub(1))
                .unwrap_or_default();
            let units = |count: usize| -> u32 {
                let units: usize = line.chars().take(count).map(char::len_utf16).sum();
                u32::try_from(units).unwrap_or(u32::MAX)
            };
            let number = u32::try_from(problem.line.saturating_sub(1)).unwrap_or(u32::MAX);
            let range = Range {
                start: Position {
                    line: number,
                    character: units(problem.column.saturating_sub(1)),
                },
                end: Position {
                    line: number,
                    character: units(line.trim_end().chars().count()),
                },
            };
            plain(range, Severity::Error, None, problem.message.clone())
        });
        let params = PublishDiagnosticsParams {
            uri: text.uri.clone(),
            version: Some(text.version),
            diagnostics: diagnostics.collect(),
        };
        self.notify("textDocument/publishDiagnostics", params);
    }
}

/// The path of a file; `None` for an address of something else.
fn file_of(uri: &Uri) -> Option<PathBuf> {
    if uri.scheme() != "file" {
        return None;
    }
    uri.to_file_path().ok()
}
