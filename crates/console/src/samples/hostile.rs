//! Pages with texts that try to be markup, to hide, or to be endless.

use super::common::{chrome, place};
use super::{audit, overview, review, token, try_it};
use crate::pages;
use crate::views::chrome::Chrome;
use crate::views::parts::Line;

/// Markup, quotes, bidirectional and control characters, and 64 KiB of text.
pub(super) fn text() -> String {
    format!(
        "\"'><script>window.hacked=1</script><img src=x onerror=\"window.hacked=1\">\u{202e}evil\u{200b}\r\n\u{7}{}",
        "x".repeat(65_536)
    )
}

/// The pages.
pub(super) fn pages() -> Vec<(&'static str, String)> {
    let chrome = Chrome {
        upstream: text(),
        ..chrome()
    };
    let mut first = overview::busy();
    for row in &mut first.busiest.rows {
        (row.token, row.owner) = (text(), text());
    }
    for row in &mut first.reasons.rows {
        (row.code, row.words) = (text(), text());
    }
    for row in &mut first.unused_lines.rows {
        (row.line, row.place) = (Line::new(text()), place(&text(), 1));
    }
    vec![
        ("hostile-overview", pages::overview(&chrome, &first)),
        ("hostile-token", pages::token(&chrome, &one())),
        ("hostile-audit", pages::audit(&chrome, &list())),
        ("hostile-call", pages::call(&chrome, &call())),
        ("hostile-try", pages::try_it(&chrome, &tried())),
        ("hostile-review", pages::review(&chrome, &reviewed())),
    ]
}

fn one() -> crate::views::token::Token {
    let mut page = token::one();
    (page.name, page.purpose, page.users, page.owner) = (text(), text(), text(), text());
    for row in &mut page.denials.rows {
        (row.path, row.method, row.client, row.story) = (text(), text(), text(), text());
    }
    for row in &mut page.lines {
        (row.line, row.words) = (Line::new(text()), text());
    }
    for snippet in &mut page.snippets {
        snippet.text = text();
    }
    page
}

fn list() -> crate::views::audit::Audit {
    let mut page = audit::list();
    (
        page.search.token,
        page.search.url,
        page.search.reason,
        page.command,
    ) = (text(), text(), text(), text());
    page.errors = vec![("url".to_owned(), text())];
    for row in &mut page.calls {
        (row.path, row.method, row.client, row.token) = (text(), text(), text(), Some(text()));
    }
    page
}

fn call() -> crate::views::call::Call {
    let mut page = audit::denied();
    (page.method, page.url, page.client, page.why) = (text(), text(), text(), text());
    (page.token, page.user, page.on_behalf_of) = (Some(text()), Some(text()), Some(text()));
    page.request = vec![(text(), text())];
    page.story = vec![text()];
    for line in &mut page.lines {
        line.path.why = text();
    }
    page
}

fn tried() -> crate::views::try_it::TryIt {
    let mut page = try_it::denied();
    (page.form.lines, page.form.request, page.form.user) = (text(), text(), text());
    page.tokens = vec![text()];
    if let Some(judged) = &mut page.judged {
        (judged.url, judged.why, judged.test) = (text(), text(), Some(text()));
    }
    page
}

fn reviewed() -> crate::views::review::Review {
    let mut page = review::more();
    page.after = text();
    if let Some(compared) = &mut page.compared {
        for token in &mut compared.tokens {
            token.name = text();
            for witness in &mut token.witnesses {
                (witness.url, witness.body) = (text(), text());
            }
        }
    }
    page
}
