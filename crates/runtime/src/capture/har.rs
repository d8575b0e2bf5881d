//! HAR archives, as browsers and proxies save them.

use serde::Deserialize;
use tokenward_compiler::BaseUrl;

use super::call::{Calls, Written, push};

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    method: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default)]
    cookies: Vec<Pair>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Pair {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    text: Option<String>,
    #[serde(default)]
    params: Vec<Pair>,
}

pub(super) fn read(text: &str, base: &BaseUrl) -> Result<Calls, String> {
    let archive: Archive = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line().max(1), error.column().max(1));
        format!("line {line}, column {column}: not an entry of a HAR archive; save the archive again")
    })?;
    let mut out = Calls::default();
    let (mut preflights, mut others) = (0_usize, 0_usize);
    for (at, Entry { request }) in archive.log.entries.into_iter().enumerate() {
        let has = |name: &str| {
            request
                .headers
                .iter()
                .any(|pair| pair.name.eq_ignore_ascii_case(name))
        };
        if request.method.eq_ignore_ascii_case("OPTIONS") && has("access-control-request-method") {
            preflights += 1;
            continue;
        }
        if !request
            .url
            .get(..4)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
        {
            others += 1;
            continue;
        }
        for cookie in &request.cookies {
            let value = cookie.value.as_deref().unwrap_or_default();
            out.secrets
                .add_header("Cookie", &format!("{}={value}", cookie.name));
        }
        let call = written(request, format!("entry {}", at + 1))?.call(base, &mut out)?;
        push(&mut out, call)?;
    }
    if preflights > 0 {
        out.notes.push(format!(
            "{preflights} CORS preflight requests were left out; the browser sends them without a token"
        ));
    }
    if others > 0 {
        out.notes
            .push(format!("{others} entries that are not HTTP were left out"));
    }
    Ok(out)
}

fn written(request: Request, place: String) -> Result<Written, String> {
    let mut headers: Vec<(String, String)> = request
        .headers
        .into_iter()
        .map(|pair| (pair.name, pair.value.unwrap_or_default()))
        .collect();
    let mut body = None;
    if let Some(data) = request.post_data {
        body = content(&data, &place)?;
        let has_type = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if body.is_some() && !has_type && !data.mime_type.is_empty() {
            headers.push(("Content-Type".to_owned(), data.mime_type));
        }
    }
    Ok(Written {
        place,
        method: request.method,
        url: request.url,
        headers,
        body,
    })
}

fn content(data: &PostData, place: &str) -> Result<Option<String>, String> {
    match data.text.as_deref() {
        // Browsers record a body without content in this way.
        Some("") if data.params.is_empty() => return Ok(None),
        Some("") | None => {}
        Some(text) => return Ok(Some(text.to_owned())),
    }
    let media = data.mime_type.to_ascii_lowercase();
    if !data.params.is_empty() || media.starts_with("multipart/") || media.contains("octet-stream") {
        // The content of a form and of a file does not get into a line.
        return Ok(Some("x".to_owned()));
    }
    match media.contains("json") {
        true => Err(format!(
            "{place}: the archive has no text of the JSON body; save the archive with its content"
        )),
        false => Ok(None),
    }
}
