//! Questions of pages as commands. People paste them into a shell, and a link that somebody sent may have filled the fields, so that
//! no value may mean more to the shell than its text.

use tokenward_console::views::audit::Search;
use tokenward_console::views::try_it::TryForm;

/// Characters by which a pasted text begins other commands, reads others' output, or changes files.
const COMMANDING: [char; 13] = ['|', '&', ';', '<', '>', '#', '$', '(', ')', '`', '!', '\\', '\n'];

/// One word of a POSIX shell.
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A search in the audit.
pub(super) fn search(search: &Search) -> String {
    let mut command = "tokenward audit list".to_owned();
    for (name, value) in search.fields() {
        let option = match name {
            _ if value.is_empty() => continue,
            // The command has it as a reason, and shows one call by its id.
            "end" => "--reason".to_owned(),
            "request_id" => return format!("tokenward audit show {}", word(value)),
            name => format!("--{}", name.replace('_', "-")),
        };
        command.push_str(&format!(" {option} {}", word(value)));
    }
    command
}

/// A tried request; empty if no command says the same safely.
pub(super) fn trial(form: &TryForm) -> String {
    let request = form.request.trim();
    if form.is_edited || request.chars().any(char::is_control) {
        return String::new();
    }
    let token = word(&form.token);
    match request.split_once(char::is_whitespace) {
        Some((method, url)) if !method.contains("curl") => format!(
            "tokenward explain {token} --admin {} {}",
            word(method),
            word(url.trim())
        ),
        // The words of a curl command stay as they were quoted by whoever wrote it.
        Some(_) if !request.contains(COMMANDING) => {
            format!("tokenward explain {token} --admin -- {request}")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_word_of_the_shell() {
        let with = |change: fn(&mut Search)| {
            let mut of = Search::default();
            change(&mut of);
            search(&of)
        };
        assert_eq!(
            with(|search| search.request_id = "x;touch /tmp/p".to_owned()),
            "tokenward audit show 'x;touch /tmp/p'"
        );
        assert_eq!(
            with(|search| search.token = "a' b".to_owned()),
            r"tokenward audit list --token 'a'\'' b'"
        );
    }

    #[test]
    fn a_request_that_would_begin_another_command_has_none() {
        let with = |request: &str| {
            trial(&TryForm {
                token: "ci".to_owned(),
                request: request.to_owned(),
                ..TryForm::default()
            })
        };
        assert_eq!(
            with("GET /rest/$(id)"),
            "tokenward explain 'ci' --admin 'GET' '/rest/$(id)'"
        );
        assert_eq!(
            with("curl -X GET https://jira.example.com/a"),
            "tokenward explain 'ci' --admin -- curl -X GET https://jira.example.com/a"
        );
        for request in [
            "curl http://x/ | sh",
            "curl http://x/; id",
            "curl http://x/\nid",
            "curl http://x/ > f",
            "curl \"$(id)\"",
            "curl `id`",
            "curl;id",
        ] {
            assert_eq!(with(request), "", "{request}");
        }
    }
}
