//! An editor without a screen, and a host that compiles with the defaults.

use std::{
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, bounded};
use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokenward_compiler::{
    BaseUrl,
    analysis::{
        Asked, Budget, NameRefusals, Obstacle, Proxied, Proxy, Request as Shown, Served, Serving, Universe,
    },
    compile, findings, fix,
    lint::{self, LintSet},
    source::SourceSet,
};
use tokenward_lsp::{Checked, Ended, Found, Host, Policy, Problem, Stop, Terms, serve_on};
use url::Url;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A policy directory under the default settings.
pub(crate) struct Defaults {
    directory: std::path::PathBuf,
    policy: Arc<Compiler>,
}

struct Compiler {
    terms: Terms,
}

struct Forwards;

impl Proxy for Forwards {
    fn obstacles(&self, _: Asked<'_>, _: &Shown) -> Vec<Obstacle> {
        Vec::new()
    }

    fn refuses_parameter(&self, _: &str) -> bool {
        false
    }

    fn names(&self) -> Option<&dyn NameRefusals> {
        None
    }
}

impl Host for Defaults {
    fn find(&self, file: &Path) -> Result<Option<Found>, String> {
        let Ok(below) = file.strip_prefix(&self.directory) else {
            return Ok(None);
        };
        Ok(Some(Found {
            directory: self.directory.clone(),
            relative: below.to_str().unwrap().to_owned(),
            policy: Arc::clone(&self.policy) as Arc<dyn Policy>,
        }))
    }

    fn configuration(&self, file: &Path, text: &str) -> Option<Vec<Problem>> {
        let problem = Problem {
            line: 1,
            column: 2,
            message: "not a configuration".to_owned(),
        };
        let problems = if text.contains("bad") {
            vec![problem]
        } else {
            Vec::new()
        };
        file.ends_with("tokenward.toml").then_some(problems)
    }
}

impl Policy for Compiler {
    fn check(&self, sources: &SourceSet, stop: &Stop) -> Result<Checked, String> {
        let compiled = compile(sources);
        let mut diagnostics = compiled.diagnostics;
        let budget = Budget::stopped_by(200_000, stop.flag());
        let served = Served::of(["/*".to_owned()], false);
        if let Some(program) = compiled.program {
            let bound = program.bind(&self.terms.base).unwrap();
            let asked = (self.terms.universe, &served, &budget);
            let found = findings::find(&bound, &compiled.source_map, &diagnostics, asked, |_, _| {}).unwrap();
            diagnostics.extend(found.diagnostics);
            let policy = lint::Policy {
                sources,
                program: &bound,
                source_map: &compiled.source_map,
                reserved: None,
            };
            let settings = lint::Settings {
                set: LintSet::Regular,
                expires_within_ms: 0,
                now_ms: 0,
            };
            let found = lint::find(policy, settings, &mut diagnostics, asked).unwrap();
            diagnostics.extend(found.diagnostics);
        }
        let policy = fix::Policy {
            sources,
            base: &self.terms.base,
            merges: self.terms.merges_body,
            universe: self.terms.universe,
            proxied: Some(&self.terms.proxied),
            budget: &budget,
        };
        fix::prove(&policy, &mut diagnostics).unwrap();
        Ok(Checked { diagnostics, open: 0 })
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn configuration(&self) -> Option<&Path> {
        None
    }
}

/// A client with its server.
pub(crate) struct Client {
    pub(crate) directory: TempDir,
    sender: Option<Sender<Message>>,
    receiver: Receiver<Message>,
    server: Option<JoinHandle<Ended>>,
    next: i32,
    /// Messages that nobody waited for yet.
    kept: Vec<Message>,
}

impl Client {
    /// Starts a server for a directory with these files.
    pub(crate) fn start(files: &[(&str, &str)]) -> Self {
        let mut client = Self::silent(files);
        let capabilities = json!({
            "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } },
            "workspace": { "workspaceEdit": { "documentChanges": true, "resourceOperations": ["rename"] } },
        });
        let answer = client.ask(
            "initialize",
            json!({ "processId": null, "rootUri": null, "capabilities": capabilities }),
        );
        assert_eq!(answer["capabilities"]["positionEncoding"], "utf-16");
        client.tell("initialized", json!({}));
        client
    }

    /// The same before the handshake.
    pub(crate) fn silent(files: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let terms = Terms {
            base: BaseUrl::parse("https://jira.example.com").unwrap(),
            merges_body: false,
            universe: Universe::default(),
            proxied: Proxied::new(
                &Serving {
                    endpoints: vec!["/*".to_owned()],
                    ..Serving::default()
                },
                Arc::new(Forwards),
            )
            .unwrap(),
        };
        let host = Defaults {
            directory: root,
            policy: Arc::new(Compiler { terms }),
        };
        let (sender, to_server) = bounded(0);
        let (from_server, receiver) = bounded(1_000);
        let server = thread::spawn(move || serve_on(&to_server, &from_server, Arc::new(host)).unwrap());
        Self {
            directory,
            sender: Some(sender),
            receiver,
            server: Some(server),
            next: 0,
            kept: Vec::new(),
        }
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        let root = self.directory.path().canonicalize().unwrap();
        Url::from_file_path(root.join(path)).unwrap().to_string()
    }

    pub(crate) fn send(&self, message: impl Into<Message>) {
        self.sender
            .as_ref()
            .unwrap()
            .send_timeout(message.into(), PATIENCE)
            .expect("the server reads");
    }

    pub(crate) fn tell(&self, method: &str, params: Value) {
        let method = method.to_owned();
        self.send(Notification { method, params });
    }

    /// Sends a request; its id.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> RequestId {
        self.next += 1;
        let id = RequestId::from(self.next);
        let method = method.to_owned();
        self.send(Request {
            id: id.clone(),
            method,
            params,
        });
        id
    }

    /// Sends a request, and waits for its answer.
    pub(crate) fn try_ask(&mut self, method: &str, params: Value) -> Result<Value, (i32, String)> {
        let id = self.request(method, params);
        self.answer(&id)
    }

    pub(crate) fn answer(&mut self, id: &RequestId) -> Result<Value, (i32, String)> {
        let answer =
            self.wait(|message| matches!(message, Message::Response(response) if response.id == *id));
        let Message::Response(response) = answer else {
            panic!("no response");
        };
        response
            .response_result
            .map_err(|error| (error.code, error.message))
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.try_ask(method, params).expect("an answer")
    }

    fn wait(&mut self, is_wanted: impl Fn(&Message) -> bool) -> Message {
        if let Some(at) = self.kept.iter().position(&is_wanted) {
            return self.kept.remove(at);
        }
        loop {
            let message = self.receiver.recv_timeout(PATIENCE).expect("a message");
            if is_wanted(&message) {
                return message;
            }
            self.kept.push(message);
        }
    }

    /// Waits until the findings of a file fulfil a condition.
    #[track_caller]
    pub(crate) fn findings(&mut self, path: &str, is_wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let uri = self.uri(path);
        let of = |message: &Message| -> Option<Vec<Value>> {
            let Message::Notification(it) = message else {
                return None;
            };
            let is_here = it.method == "textDocument/publishDiagnostics" && it.params["uri"] == uri.as_str();
            is_here.then(|| it.params["diagnostics"].as_array().unwrap().clone())
        };
        let found = self.wait(|message| of(message).is_some_and(|found| is_wanted(&found)));
        // What came before is out of date.
        self.kept.retain(|message| of(message).is_none());
        of(&found).unwrap()
    }

    pub(crate) fn open(&self, path: &str, text: &str) {
        self.tell(
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": self.uri(path), "languageId": "toml", "version": 1, "text": text } }),
        );
    }

    pub(crate) fn change(&self, path: &str, version: i32, changes: Value) {
        self.tell(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": self.uri(path), "version": version }, "contentChanges": changes }),
        );
    }

    /// A request about the place of a text in another, at its first byte.
    pub(crate) fn at(&self, path: &str, text: &str, place: &str) -> Value {
        let at = text.find(place).unwrap_or_else(|| panic!("no {place:?}"));
        self.position(path, text, at)
    }

    pub(crate) fn position(&self, path: &str, text: &str, at: usize) -> Value {
        let before = &text.as_bytes()[..at];
        let before = std::str::from_utf8(before).unwrap();
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
        json!({ "textDocument": { "uri": self.uri(path) }, "position": { "line": line, "character": column } })
    }

    /// Ends the session in the order of the protocol.
    pub(crate) fn finish(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        assert_eq!(self.server.take().unwrap().join().unwrap(), Ended::Asked);
    }

    /// Leaves without a word.
    pub(crate) fn leave(mut self) -> Ended {
        self.sender = None;
        self.server.take().unwrap().join().unwrap()
    }
}

/// The codes of some findings.
pub(crate) fn codes(found: &[Value]) -> Vec<&str> {
    found.iter().map(|one| one["code"].as_str().unwrap()).collect()
}

/// A token with these lines.
pub(crate) fn token(name: &str, lines: &str) -> String {
    let digit = name.bytes().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    format!(
        "[[token]]\nname = \"{name}\"\nuser = \"svc-{name}\"\nsecret_hash = \"sha256:{digit:064x}\"\nexpires = 2035-01-01T00:00:00Z\nowner = \"team\"\nlimit_to = '''\n{lines}\n'''\n"
    )
}
