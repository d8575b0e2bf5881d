//! TW0509: a line that allows every path that is served.

use super::{
    line::Line,
    suspect::{Claim, Suspect, served_url},
};
use crate::{analysis::Served, diagnostic::Code, method::MethodSet};

pub(super) fn check(line: &Line<'_>, served: &Served, found: &mut Vec<Suspect>) {
    if !line.syntax.constraints.is_empty() || !line.url_text().contains(".*") {
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
    found.push(Suspect {
        code: Code::AllowsAll,
        span: line.syntax.url.span,
        headline: format!("this line allows {which} that the proxy serves"),
        help: "write the paths that the token needs, a line for each".to_owned(),
        claim: Claim::Everything(format!("{prefix}{}", served_url(served))),
        mend: None,
    });
}
