//! The server: one loop that handles messages in their order, and the results of the threads.

mod documents;
mod features;
mod session;

use std::{
    io::{self, BufRead, Write},
    sync::Arc,
};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};

use self::session::Session;
use crate::{host::Host, transport::Transport};

/// Results of checks that wait.
const WAITING: usize = 64;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client asked for it, in the order of the protocol.
    Asked,
    /// The client was gone, or left without `shutdown`.
    Left,
}

/// Serves one client over a pair of streams.
///
/// # Errors
/// The streams fail.
pub fn serve(
    input: impl BufRead + Send + 'static,
    output: impl Write + Send + 'static,
    host: Arc<dyn Host>,
) -> io::Result<Ended> {
    let transport = Transport::start(input, output)?;
    let ended = serve_on(&transport.receiver, &transport.sender, host)?;
    transport.finish()?;
    Ok(ended)
}

/// Serves one client over a pair of channels.
///
/// # Errors
/// The system gives no threads.
pub fn serve_on(
    receiver: &Receiver<Message>,
    sender: &Sender<Message>,
    host: Arc<dyn Host>,
) -> io::Result<Ended> {
    let Some(initialize) = before(receiver, sender) else {
        return Ok(Ended::Left);
    };
    let (results_in, results) = bounded(WAITING);
    let mut session = Session::new(sender.clone(), host, results_in, &initialize.params)?;
    session.answer(Response::new_ok(initialize.id, capabilities()));
    let ended = run(&mut session, receiver, &results);
    // Nobody takes results from here on, so no thread waits until one is taken.
    drop(results);
    Ok(ended)
}

/// Waits for `initialize`; `None` if the client leaves before.
fn before(receiver: &Receiver<Message>, sender: &Sender<Message>) -> Option<Request> {
    for message in receiver {
        match message {
            Message::Request(request) if request.method == "initialize" => return Some(request),
            Message::Request(request) => {
                let why = "the first request must be `initialize`".to_owned();
                let response = Response::new_err(request.id, ErrorCode::ServerNotInitialized as i32, why);
                sender.send(response.into()).ok()?;
            }
            Message::Notification(notification) if notification.method == "exit" => return None,
            Message::Notification(_) | Message::Response(_) => {}
        }
    }
    None
}

fn run(
    session: &mut Session,
    receiver: &Receiver<Message>,
    results: &Receiver<(usize, crate::checks::Result)>,
) -> Ended {
    let mut has_shut_down = false;
    loop {
        let answers = session.requests.answers().clone();
        select! {
            recv(receiver) -> message => match message {
                Err(_) => return Ended::Left,
                Ok(Message::Notification(notification)) if notification.method == "exit" => {
                    return if has_shut_down { Ended::Asked } else { Ended::Left };
                }
                Ok(Message::Request(request)) if has_shut_down => {
                    let why = "the server was shut down".to_owned();
                    session.answer(Response::new_err(request.id, ErrorCode::InvalidRequest as i32, why));
                }
                Ok(Message::Request(request)) if request.method == "shutdown" => {
                    has_shut_down = true;
                    session.answer(Response::new_ok(request.id, Value::Null));
                }
                Ok(Message::Request(request)) => session.request(request),
                Ok(Message::Notification(notification)) if !has_shut_down => session.notification(notification),
                Ok(Message::Notification(_) | Message::Response(_)) => {}
            },
            recv(results) -> result => if let Ok((number, result)) = result {
                session.checked(number, result);
            },
            recv(answers) -> answer => if let Ok(answer) = answer
                && session.requests.complete(&answer.id)
            {
                session.answer(answer);
            },
        }
    }
}

impl Session {
    pub(super) fn answer(&self, response: Response) {
        // A client that is gone takes no answers; the loop ends with its input.
        let _ = self.sender.send(response.into());
    }

    pub(super) fn notify(&self, method: &str, params: impl serde::Serialize) {
        if let Ok(params) = serde_json::to_value(params) {
            let notification = Notification {
                method: method.to_owned(),
                params,
            };
            let _ = self.sender.send(notification.into());
        }
    }

    pub(super) fn ask_client(&mut self, method: &str, params: Value) {
        self.asked += 1;
        let request = Request {
            id: RequestId::from(format!("tokenward/{}", self.asked)),
            method: method.to_owned(),
            params,
        };
        let _ = self.sender.send(request.into());
    }
}

/// The abilities of this server.
fn capabilities() -> Value {
    json!({
        "serverInfo": { "name": "tokenward", "version": env!("CARGO_PKG_VERSION") },
        "capabilities": {
            "positionEncoding": "utf-16",
            "textDocumentSync": { "openClose": true, "change": 2, "save": { "includeText": false } },
            "hoverProvider": true,
            "completionProvider": { "triggerCharacters": ["[", ":", "{", "\"", ",", "@", "!", "=", "/"] },
            "definitionProvider": true,
            "referencesProvider": true,
            "renameProvider": { "prepareProvider": true },
            "codeActionProvider": { "codeActionKinds": ["quickfix"] },
            "documentFormattingProvider": true,
        },
    })
}
