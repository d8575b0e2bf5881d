//! Requests as people read them: decoded, beside the encoded form that is sent.

use crate::{analysis::Request, hidden::is_hidden};

/// The request as one line, its path and query decoded: method, path, parameters and body. Characters that an editor or a terminal
/// does not show as they are stand as escapes.
#[must_use]
pub fn decoded(request: &Request) -> String {
    let mut text = format!("{} {}", request.method_name(), request.path);
    for (at, (name, value)) in request.query.iter().enumerate() {
        text.push_str(if at == 0 { "?" } else { "&" });
        text.push_str(&format!("{name}={value}"));
    }
    if let Some((media, content)) = request.body.content() {
        text.push_str(&format!(" with {media}: {content}"));
    }
    shown(&text)
}

fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_hidden(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}
