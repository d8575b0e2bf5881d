//! What the server knows of a client and of the policies that it has open.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    path::PathBuf,
    sync::Arc,
};

use crossbeam_channel::Sender;
use gen_lsp_types::{PublishDiagnosticsParams, Uri};
use lsp_server::Message;
use serde_json::{Value, json};

use crate::{
    checks::{self, Checks, Moment},
    findings::Whole,
    host::{Found, Host},
    publish,
    requests::Requests,
    workspace::Workspace,
};

/// Policies that are open at once.
const MOST_POLICIES: usize = 16;

/// A client, and its policies.
pub(crate) struct Session {
    pub(super) sender: Sender<Message>,
    pub(super) requests: Requests,
    pub(super) asked: u64,
    pub(super) host: Arc<dyn Host>,
    pub(super) policies: HashMap<usize, Open>,
    /// The policy and the path of each open document.
    pub(super) documents: HashMap<Uri, Document>,
    pub(super) client: Client,
    results: Sender<(usize, checks::Result)>,
    numbers: usize,
    /// Messages that were shown, so that none is repeated.
    told: BTreeSet<String>,
}

/// A policy with open documents.
pub(crate) struct Open {
    pub(super) workspace: Workspace,
    checks: Checks,
    /// What is shown of each file.
    shown: BTreeMap<Uri, PublishDiagnosticsParams>,
}

/// An open document.
#[derive(Clone, Debug)]
pub(crate) enum Document {
    /// A file of a policy.
    Policy {
        /// The number of the policy.
        number: usize,
        /// The path below its directory.
        path: String,
    },
    /// A configuration.
    Configuration(crate::workspace::Document),
    /// A file of a policy whose configuration does not load, or a file of none.
    Other(crate::workspace::Document),
}

/// What a client can do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Client {
    pub(super) has_snippets: bool,
    pub(super) can_rename_files: bool,
    pub(super) can_watch_files: bool,
}

impl Client {
    fn of(initialize: &Value) -> Self {
        let at = |pointer: &str| initialize.pointer(&format!("/capabilities/{pointer}"));
        let flag = |pointer: &str| at(pointer).and_then(Value::as_bool).unwrap_or_default();
        let operations = at("workspace/workspaceEdit/resourceOperations").and_then(Value::as_array);
        let has_rename = operations.is_some_and(|all| all.iter().any(|one| one == "rename"));
        Self {
            has_snippets: flag("textDocument/completion/completionItem/snippetSupport"),
            // Neovim names the operations and not `documentChanges`, and does both.
            can_rename_files: has_rename,
            can_watch_files: flag("workspace/didChangeWatchedFiles/dynamicRegistration"),
        }
    }
}

impl Session {
    pub(super) fn new(
        sender: Sender<Message>,
        host: Arc<dyn Host>,
        results: Sender<(usize, checks::Result)>,
        initialize: &Value,
    ) -> io::Result<Self> {
        Ok(Self {
            sender,
            requests: Requests::start()?,
            asked: 0,
            host,
            policies: HashMap::new(),
            documents: HashMap::new(),
            client: Client::of(initialize),
            results,
            numbers: 0,
            told: BTreeSet::new(),
        })
    }

    /// Asks the client to report changes of files.
    pub(super) fn watch(&mut self) {
        if !self.client.can_watch_files {
            return;
        }
        let watchers = json!([{ "globPattern": "**/*.toml" }, { "globPattern": "**/*.limits" }]);
        let registration = json!({
            "id": "files",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": { "watchers": watchers },
        });
        self.ask_client(
            "client/registerCapability",
            json!({ "registrations": [registration] }),
        );
    }

    /// The number of a policy, which is opened if need be.
    pub(super) fn policy(&mut self, found: &Found) -> Option<usize> {
        let known = self.policies.iter();
        let mut same = known.filter(|(_, open)| open.workspace.directory == found.directory);
        if let Some((number, _)) = same.next() {
            return Some(*number);
        }
        if self.policies.len() >= MOST_POLICIES {
            self.tell(&format!(
                "documents of {MOST_POLICIES} policies are open; close some to check those of another policy"
            ));
            return None;
        }
        self.numbers += 1;
        let number = self.numbers;
        let directory: PathBuf = found.directory.clone();
        let checks = match Checks::start(number, directory.clone(), self.results.clone()) {
            Ok(checks) => checks,
            Err(error) => {
                self.tell(&format!("cannot start a thread: {error}"));
                return None;
            }
        };
        let open = Open {
            workspace: Workspace::new(directory, Arc::clone(&found.policy)),
            checks,
            shown: BTreeMap::new(),
        };
        self.policies.insert(number, open);
        Some(number)
    }

    /// Checks a policy whose texts changed. If nothing differs from what was checked last, its findings are shown at once.
    pub(super) fn check(&mut self, number: usize, is_urgent: bool) {
        let Some(open) = self.policies.get(&number) else {
            return;
        };
        let workspace = &open.workspace;
        let moment = Moment {
            revision: workspace.revision,
            policy: Arc::clone(&workspace.policy),
            sources: Arc::clone(workspace.sources()),
            open: workspace.documents(),
            changed: workspace.changed(),
        };
        let is_known = moment.changed.is_empty();
        open.checks.check(moment, is_urgent);
        if is_known {
            self.publish(number);
        }
    }

    /// Takes the result of a check.
    pub(super) fn checked(&mut self, number: usize, result: checks::Result) {
        let Some(open) = self.policies.get_mut(&number) else {
            return;
        };
        match result {
            checks::Result::Pieces { revision, found } if revision == open.workspace.revision => {
                open.workspace.checked_pieces(found);
            }
            checks::Result::Whole { revision, checked } if revision == open.workspace.revision => {
                match checked {
                    Ok((whole, disk)) => open.workspace.checked(whole, Some(disk)),
                    Err(why) => {
                        open.workspace.checked(Whole::default(), None);
                        self.tell(&why);
                    }
                }
            }
            // About an earlier text: a newer check is on its way.
            checks::Result::Pieces { .. } | checks::Result::Whole { .. } => return,
        }
        self.publish(number);
    }

    /// Shows the findings of a policy.
    pub(super) fn publish(&mut self, number: usize) {
        let Some(open) = self.policies.get_mut(&number) else {
            return;
        };
        let all = publish::all(&open.workspace).into_iter();
        let now: BTreeMap<Uri, PublishDiagnosticsParams> =
            all.map(|params| (params.uri.clone(), params)).collect();
        let before = std::mem::replace(&mut open.shown, now.clone());
        for uri in before.keys().filter(|uri| !now.contains_key(*uri)) {
            self.notify("textDocument/publishDiagnostics", cleared(uri.clone()));
        }
        for (uri, params) in now {
            if before.get(&uri) != Some(&params) {
                self.notify("textDocument/publishDiagnostics", params);
            }
        }
    }

    /// Forgets a policy without open documents, and its findings.
    pub(super) fn forget(&mut self, number: usize) {
        if let Some(open) = self.policies.remove(&number) {
            for uri in open.shown.into_keys() {
                self.notify("textDocument/publishDiagnostics", cleared(uri));
            }
        }
    }

    /// Shows a message, once.
    pub(super) fn tell(&mut self, message: &str) {
        if self.told.len() > 100 {
            self.told.clear();
        }
        if self.told.insert(message.to_owned()) {
            self.notify(
                "window/showMessage",
                json!({ "type": 2, "message": format!("tokenward: {message}") }),
            );
        }
    }
}

/// No findings in a file.
pub(super) fn cleared(uri: Uri) -> PublishDiagnosticsParams {
    PublishDiagnosticsParams {
        uri,
        version: None,
        diagnostics: Vec::new(),
    }
}
