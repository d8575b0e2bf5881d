//! Requests of the client.

use std::sync::Arc;

use gen_lsp_types::{
    CodeActionParams, CompletionParams, DefinitionParams, DocumentFormattingParams, HoverParams,
    PrepareRenameParams, ReferenceParams, RenameParams, Uri,
};
use lsp_server::{ErrorCode, Request, RequestId, Response};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::session::{Document, Session};
use crate::{actions, completion, formatting, hover, rename, requests::Work, workspace::Workspace};

/// The failure of a request: its code, and why.
struct Failure(ErrorCode, String);

type Answer = Result<Value, Failure>;

impl Session {
    /// Answers a request, now or later.
    pub(super) fn request(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let answer = match method.as_str() {
            "textDocument/hover" => return self.hover(id, params),
            "textDocument/formatting" => return self.format(id, params),
            "textDocument/completion" => self.complete(params),
            "textDocument/definition" => self.definition(params),
            "textDocument/references" => self.references(params),
            "textDocument/prepareRename" => self.prepare_rename(params),
            "textDocument/rename" => self.rename(params),
            "textDocument/codeAction" => self.actions(params),
            _ => Err(Failure(
                ErrorCode::MethodNotFound,
                format!("there is no method `{method}`"),
            )),
        };
        self.answer(response(id, answer));
    }

    /// The policy and the path of a document.
    fn document(&mut self, uri: &Uri) -> Option<(&mut Workspace, String)> {
        let Document::Policy { number, path } = self.documents.get(uri)? else {
            return None;
        };
        let (number, path) = (*number, path.clone());
        Some((&mut self.policies.get_mut(&number)?.workspace, path))
    }

    /// Answers a question about a document; with nothing for one that is not part of a policy.
    fn about(&mut self, uri: &Uri, ask: impl FnOnce(&mut Workspace, &str) -> Answer) -> Answer {
        match self.document(uri) {
            Some((workspace, path)) => ask(workspace, &path),
            None => Ok(Value::Null),
        }
    }

    fn complete(&mut self, params: Value) -> Answer {
        let params: CompletionParams = read(params)?;
        let (at, has_snippets) = (params.text_document_position_params, self.client.has_snippets);
        self.about(&at.text_document.uri, |workspace, path| {
            Ok(value(completion::complete(
                workspace,
                path,
                at.position,
                has_snippets,
            )))
        })
    }

    fn definition(&mut self, params: Value) -> Answer {
        let params: DefinitionParams = read(params)?;
        let at = params.text_document_position_params;
        self.about(&at.text_document.uri, |workspace, path| {
            Ok(value(rename::definition(workspace, path, at.position)))
        })
    }

    fn references(&mut self, params: Value) -> Answer {
        let params: ReferenceParams = read(params)?;
        let at = params.text_document_position_params;
        let with_definition = params.context.include_declaration;
        self.about(&at.text_document.uri, |workspace, path| {
            Ok(value(rename::references(
                workspace,
                path,
                at.position,
                with_definition,
            )))
        })
    }

    fn prepare_rename(&mut self, params: Value) -> Answer {
        let params: PrepareRenameParams = read(params)?;
        let at = params.text_document_position_params;
        self.about(&at.text_document.uri, |workspace, path| {
            Ok(value(rename::prepare(workspace, path, at.position)))
        })
    }

    fn rename(&mut self, params: Value) -> Answer {
        let params: RenameParams = read(params)?;
        let (at, new_name) = (params.text_document_position_params, params.new_name);
        let can_rename_files = self.client.can_rename_files;
        self.about(&at.text_document.uri, |workspace, path| {
            rename::rename(workspace, path, (at.position, &new_name), can_rename_files)
                .map(value)
                .map_err(|why| Failure(ErrorCode::RequestFailed, why))
        })
    }

    fn actions(&mut self, params: Value) -> Answer {
        let params: CodeActionParams = read(params)?;
        self.about(&params.text_document.uri, |workspace, path| {
            Ok(value(actions::actions(workspace, path, params.range)))
        })
    }

    fn hover(&mut self, id: RequestId, params: Value) {
        let params: HoverParams = match read(params) {
            Ok(params) => params,
            Err(failure) => return self.answer(response(id, Err(failure))),
        };
        let at = params.text_document_position_params;
        let asked = self
            .document(&at.text_document.uri)
            .and_then(|(workspace, path)| {
                let asked = hover::look(workspace, &path, at.position)?;
                Some((asked, Arc::clone(&workspace.policy)))
            });
        let Some((asked, policy)) = asked else {
            return self.answer(Response::new_ok(id, Value::Null));
        };
        let work: Work = Box::new(move |stop| Ok(value(asked.answer(policy.as_ref(), stop))));
        self.later(id, work);
    }

    fn format(&mut self, id: RequestId, params: Value) {
        let params: DocumentFormattingParams = match read(params) {
            Ok(params) => params,
            Err(failure) => return self.answer(response(id, Err(failure))),
        };
        let asked = self
            .document(&params.text_document.uri)
            .and_then(|(workspace, path)| {
                let (source, ..) = workspace.source(&path)?;
                Some(formatting::Asked {
                    sources: Arc::clone(workspace.sources()),
                    id: source,
                })
            });
        let Some(asked) = asked else {
            return self.answer(Response::new_ok(id, Value::Null));
        };
        self.later(id, Box::new(move |_| asked.answer().map(value)));
    }

    fn later(&mut self, id: RequestId, work: Work) {
        if let Some(refused) = self.requests.submit(id, work) {
            self.answer(refused);
        }
    }
}

fn read<P: DeserializeOwned>(params: Value) -> Result<P, Failure> {
    serde_json::from_value(params).map_err(|error| Failure(ErrorCode::InvalidParams, error.to_string()))
}

fn value(answer: impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

fn response(id: RequestId, answer: Answer) -> Response {
    match answer {
        Ok(value) => Response::new_ok(id, value),
        Err(Failure(code, why)) => Response::new_err(id, code as i32, why),
    }
}
