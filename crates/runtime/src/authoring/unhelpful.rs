//! What to do after a denial for a reason that comes before the lines.

use tokenward_pdp::explain::Report;

/// Why neither a change of the request nor a line helps: for reasons that come before the lines.
pub(crate) fn unhelpful(report: &Report) -> (String, String) {
    let (change, line) = match report.reason.as_str() {
        "revoked" => (
            "no request with this token is allowed, since the token is revoked",
            "no line helps, since the token is revoked; create another token",
        ),
        "expired" => (
            "no request with this secret is allowed, since it has ended",
            "no line helps; give the token a new secret or a later `expires`",
        ),
        "address" => (
            "the token works only from other addresses; call from one that `allowed_ips` contains",
            "no line helps; `allowed_ips` of the token decides this",
        ),
        "minting" => (
            "the call issues or shows credentials, however it is written",
            "no line helps; the token needs `mint = true`, which its owner must decide",
        ),
        "escalating" => (
            "the call gives rights, however it is written",
            "no line helps; the token needs `escalate = true`, which its owner must decide",
        ),
        "context-user" => (
            "leave out the header `contextUser`, or name a user that `on_behalf_of` lists",
            "no line helps; `on_behalf_of` of the token decides this",
        ),
        "outside-endpoints" => (
            "the proxy does not serve this path; check the base URL and its context path",
            "no line helps; `endpoints` of the configuration decides which paths are served",
        ),
        "policy-error" => (
            "the token has a line with an error, so the proxy allows it nothing",
            "correct the line that `tokenward compile --check` names",
        ),
        "no-upstream-identity" => (
            "the proxy has no upstream credentials of the user, so it forwards no request of this user",
            "no line helps; `[upstream.identity]` of the configuration decides this",
        ),
        "body-too-large" | "body-over-limit" | "body-over-token-limit" => (
            "send a smaller body",
            "no line helps; `limits` of the configuration and `max_body` of the token decide this",
        ),
        _ if report.status == Some(400) => (
            "write the request as the reason says: the proxy refuses it before it asks any line",
            "no line helps: the proxy refuses the request before it asks any line",
        ),
        _ => (
            "no change of the method, the path, the parameters or the body helps: the reason is another one",
            "no line helps: the proxy answers before it asks any line",
        ),
    };
    (change.to_owned(), line.to_owned())
}
