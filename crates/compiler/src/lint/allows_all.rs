//! TW0509: a line that allows every path that is served.

use super::{
    line::Line,
    suspect::{Claim, Suspect, served_below_url, served_url},
};
use crate::{analysis::Served, diagnostic::Code, method::MethodSet};

pub(super) fn check(line: &Line<'_>, served: &Served, found: &mut Vec<Suspect>) {
    let url = line.url_text();
    let needs_one = url.contains(".+");
    if !line.syntax.constraints.is_empty() || !(needs_one || url.contains(".*")) {
        return;
    }
    let methods = line.syntax.methods.unwrap_or(MethodSet::NAMED);
    let list = methods.to_string().to_lowercase();
    let (which, prefix) = match line.syntax.methods {
        None => ("every request".to_owned(), String::new()),
        Some(MethodSet::NAMED) => ("every request".to_owned(), String::new()),
        Some(methods) => (
            format!("every {} request", methods.to_string().replace(',', ", ")),
            format!("[{list}]"),
        ),
    };
    let suspect = |headline: String, all: &str| Suspect {
        code: Code::AllowsAll,
        span: line.syntax.url.span,
        headline,
        help: "write the paths that the token needs, a line for each".to_owned(),
        claim: Claim::Everything(format!("{prefix}{all}")),
        mend: None,
        fixes: Vec::new(),
    };
    let all = format!("this line allows {which} that the proxy serves");
    found.push(suspect(all, &served_url(served)));
    if needs_one {
        // `/rest/.+` leaves only `/rest/` itself out.
        let below = format!("this line allows {which} below the paths that the proxy serves");
        found.push(suspect(below, &served_below_url(served)));
    }
}
