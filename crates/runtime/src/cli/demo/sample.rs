//! A small issue tracker with Jira's API. It trusts its identity header, like an upstream of the proxy, and each
//! response names the user.

use std::io;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

/// The header that names the user to the tracker.
pub(super) const USER_HEADER: &str = "X-Forwarded-User";

/// The running issue tracker.
pub(super) struct Sample {
    server: ServerHandle,
    thread: JoinHandle<()>,
}

impl Sample {
    /// Serves at `listener` on a thread of its own.
    pub(super) fn start(listener: TcpListener) -> io::Result<Self> {
        let server = || App::new().default_service(web::to(respond));
        let (tell, told) = mpsc::channel();
        let thread = thread::Builder::new().name("sample".to_owned()).spawn(move || {
            actix_web::rt::System::new().block_on(async {
                match HttpServer::new(server)
                    .workers(1)
                    .disable_signals()
                    .listen(listener)
                {
                    Ok(server) => {
                        let server = server.run();
                        let _ = tell.send(Ok(server.handle()));
                        // The server ends only when it is stopped, so there is no error to report.
                        let _ = server.await;
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        let server = told.recv().map_err(io::Error::other)??;
        Ok(Self { server, thread })
    }

    pub(super) fn stop(self) {
        // The call itself sends the stop command; the returned future only reports its completion.
        drop(self.server.stop(false));
        let _ = self.thread.join();
    }
}

async fn respond(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let user = request
        .headers()
        .get(USER_HEADER)
        .and_then(|value| value.to_str().ok());
    let query = request.query_string();
    let (status, answer) = answer(request.method().as_str(), request.path(), query, user, &body);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status)
        .content_type("application/json")
        .body(format!("{answer}\n"))
}

fn answer(method: &str, path: &str, query: &str, user: Option<&str>, body: &[u8]) -> (u16, Value) {
    let Some(user) = user else {
        return (
            401,
            json!({ "errorMessages": ["Only the proxy may call, and it names the user."] }),
        );
    };
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let rest = path.strip_prefix("/rest/api/2/").unwrap_or_default();
    let parts: Vec<&str> = rest.split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["serverInfo"]) => (
            200,
            json!({ "serverTitle": "Sample tracker", "version": "9.12.0", "seenAs": user }),
        ),
        ("GET", ["myself"]) => (200, json!({ "name": user, "seenAs": user })),
        ("GET", ["issue", key]) => (200, issue(key, user)),
        ("DELETE", ["issue", _]) => (204, Value::Null),
        ("GET", ["issue", _, "comment"]) => (200, json!({ "comments": [], "seenAs": user })),
        ("POST", ["issue", _, "comment"]) => (
            201,
            json!({ "id": "10100", "author": { "name": user }, "body": sent.get("body"), "seenAs": user }),
        ),
        ("GET", ["search"]) => (
            200,
            json!({ "issues": [issue("KANBAN-100", user)], "query": query, "seenAs": user }),
        ),
        ("POST", ["filter"]) => (
            200,
            json!({ "id": "10200", "owner": { "name": user }, "name": sent.get("name"), "seenAs": user }),
        ),
        _ => (
            404,
            json!({ "errorMessages": [format!("No resource at {path}.")], "seenAs": user }),
        ),
    }
}

fn issue(key: &str, user: &str) -> Value {
    json!({
        "key": key,
        "fields": { "summary": "Make the build faster", "status": { "name": "Open" } },
        "seenAs": user,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_name_the_user_that_the_proxy_named() {
        let (status, answer) = answer(
            "POST",
            "/rest/api/2/issue/K-1/comment",
            "",
            Some("alice"),
            br#"{"body":"hi"}"#,
        );
        assert_eq!(
            (status, &answer["author"]["name"], &answer["body"]),
            (201, &json!("alice"), &json!("hi"))
        );
        assert_eq!(super::answer("GET", "/rest/api/2/myself", "", None, b"").0, 401);
        assert_eq!(
            super::answer("GET", "/secure/admin", "", Some("alice"), b"").0,
            404
        );
    }
}
