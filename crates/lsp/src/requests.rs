//! Requests that need proofs: done one after the other by a thread of their own, from a bounded queue, until they are cancelled.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use lsp_server::{ErrorCode, RequestId, Response};
use serde_json::Value;

use crate::host::Stop;

/// Requests that wait at most.
const WAITING: usize = 32;

/// The work of a request.
pub(crate) type Work = Box<dyn FnOnce(&Stop) -> Result<Value, String> + Send>;

struct Queued {
    id: RequestId,
    stop: Stop,
    work: Work,
}

/// The queue and its thread, which ends with it.
pub(crate) struct Requests {
    sender: Sender<Queued>,
    pending: HashMap<RequestId, Stop>,
    answers: Receiver<Response>,
}

impl Requests {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (sender, queue) = bounded::<Queued>(WAITING);
        let (done, answers) = bounded(WAITING);
        thread::Builder::new()
            .name("lsp-requests".to_owned())
            .spawn(move || {
                for queued in queue {
                    let Queued { id, stop, work } = queued;
                    let result = if stop.is_asked() {
                        Ok(Value::Null)
                    } else {
                        // A fault of one request leaves the editor its server.
                        catch_unwind(AssertUnwindSafe(|| work(&stop))).unwrap_or_else(|_| {
                            Err("internal error; please report it with the file".to_owned())
                        })
                    };
                    let response = match result {
                        Ok(value) => Response::new_ok(id, value),
                        Err(why) => Response::new_err(id, ErrorCode::RequestFailed as i32, why),
                    };
                    if done.send(response).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self {
            sender,
            pending: HashMap::new(),
            answers,
        })
    }

    /// Answers that are ready.
    pub(crate) fn answers(&self) -> &Receiver<Response> {
        &self.answers
    }

    /// Takes a request; the answer at once if too many wait, or if one with the same id does.
    pub(crate) fn submit(&mut self, id: RequestId, work: Work) -> Option<Response> {
        if self.pending.contains_key(&id) {
            let why = "a request with this id is in progress".to_owned();
            return Some(Response::new_err(id, ErrorCode::InvalidRequest as i32, why));
        }
        let stop = Stop::default();
        let queued = Queued {
            id: id.clone(),
            stop: stop.clone(),
            work,
        };
        match self.sender.try_send(queued) {
            Ok(()) => {
                self.pending.insert(id, stop);
                None
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                let why = "too many requests wait; try again".to_owned();
                Some(Response::new_err(id, ErrorCode::ServerCancelled as i32, why))
            }
        }
    }

    /// Cancels a request; its answer, if it waits or is in progress.
    pub(crate) fn cancel(&mut self, id: &RequestId) -> Option<Response> {
        let stop = self.pending.remove(id)?;
        stop.ask();
        let why = "cancelled by the client".to_owned();
        Some(Response::new_err(
            id.clone(),
            ErrorCode::RequestCanceled as i32,
            why,
        ))
    }

    /// Whether an answer that is ready is still wanted.
    pub(crate) fn complete(&mut self, id: &RequestId) -> bool {
        self.pending.remove(id).is_some()
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        self.pending.values().for_each(Stop::ask);
    }
}
