//! Makes every call that the demo prints and the edit, queries the audit, and compares the results with the expected
//! ones.

use std::fs;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::calls::{CALLS, Call, EDIT, HR, Who};
use super::running::Demo;
use crate::cli::{Failure, print, recorded};

/// Time limit for an edit to take effect. The documentation promises one second; a busy machine gets more.
const EDIT_WAIT: Duration = Duration::from_secs(10);

/// Makes all calls once, whatever their results.
///
/// # Errors
/// The proxy does not answer.
pub(super) fn make_calls(demo: &Demo) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::trouble)?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    for call in CALLS {
        runtime.block_on(make(&client, demo, call))?;
    }
    Ok(())
}

/// # Errors
/// Any result differs; the error lists all differences.
pub(super) fn run(demo: &Demo) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::trouble)?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut differences = Vec::new();
    for (index, call) in CALLS.iter().enumerate() {
        let (status, body) = runtime.block_on(make(&client, demo, call))?;
        let right = status == call.status && body.contains(call.answer);
        let mark = if right { "ok" } else { "DIFFERS" };
        let number = index + 1;
        print(&format!("{number:>2}. {status} {mark}  {}\n", call.says))?;
        if !right {
            differences.push(format!(
                "call {number}: expected {} and `{}`, got {status}: {body}",
                call.status, call.answer
            ));
        }
    }
    differences.extend(runtime.block_on(edit(&client, demo))?);
    differences.extend(audit(demo)?);
    if differences.is_empty() {
        print("All calls had the expected result.\n")
    } else {
        Err(Failure::Findings(format!(
            "the demo did not have the expected results\n{}",
            differences.join("\n")
        )))
    }
}

type Http = Client<HttpConnector, Full<Bytes>>;

async fn make(client: &Http, demo: &Demo, call: &Call) -> Result<(u16, String), Failure> {
    let secret = call.secret(&demo.home);
    let basic = |user: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")));
    let authorization = match call.who {
        Who::Basic(user, _) => basic(user),
        Who::Stranger => basic("svc-ci"),
        Who::Bearer(_) => format!("Bearer {secret}"),
    };
    let mut request = Request::builder()
        .method(call.method)
        .uri(format!("{}{}", demo.base(), call.target))
        .header(header::AUTHORIZATION, authorization);
    if let Some((name, value)) = call.header {
        request = request.header(name, value);
    }
    if call.json.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = Full::from(call.json.unwrap_or_default());
    let request = request.body(body).map_err(Failure::trouble)?;
    let response = client.request(request).await.map_err(Failure::trouble)?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(Failure::trouble)?;
    Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
}

/// Makes the suggested edit and waits for its effect.
async fn edit(client: &Http, demo: &Demo) -> Result<Option<String>, Failure> {
    let path = demo.home.policies().join("ci.toml");
    let text = fs::read_to_string(&path).map_err(Failure::trouble)?;
    let (before, after) = EDIT;
    if !text.contains(before) {
        return Ok(Some(format!("{} has no line {before}", path.display())));
    }
    fs::write(&path, text.replace(before, after)).map_err(Failure::trouble)?;
    let begun = Instant::now();
    loop {
        let (status, _) = make(client, demo, &HR).await?;
        let waited = begun.elapsed();
        if status == 200 {
            print(&format!("Edit: active after {} ms\n", waited.as_millis()))?;
            return Ok(None);
        }
        if waited > EDIT_WAIT {
            return Ok(Some(format!(
                "the edited policy did not take effect: still {status}"
            )));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Checks that every call is recorded, with its line if one decided, and without any secret.
fn audit(demo: &Demo) -> Result<Vec<String>, Failure> {
    let entries = recorded(&demo.config)?;
    let mut differences = Vec::new();
    if entries.len() < CALLS.len() {
        differences.push(format!(
            "{} calls were made, but {} are recorded",
            CALLS.len(),
            entries.len()
        ));
    }
    let text = entries.join("\n");
    if CALLS.iter().any(|call| text.contains(call.secret(&demo.home))) {
        differences.push("a secret was recorded".to_owned());
    }
    print(&format!("Audit: {} calls recorded\n", entries.len()))?;
    Ok(differences)
}
