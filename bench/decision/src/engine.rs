//! What all engines have in common.

use crate::corpus::Call;

/// An engine could not be built, or answered differently from what the generator expects.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An engine that holds a policy.
pub trait Engine {
    /// Whether the call may pass. Whatever the engine needs in a form of its own, a body's nodes included, is made from
    /// the call within.
    fn allowed(&mut self, call: &Call) -> Result<bool, Failure>;
}

/// The node that the generator's policies ask for, for engines that do not read JSON.
pub fn project_key(call: &Call) -> Result<Option<String>, Failure> {
    let Some(body) = &call.body else {
        return Ok(None);
    };
    let body: serde_json::Value = serde_json::from_str(body)?;
    let key = body.pointer("/fields/project/key");
    Ok(key.and_then(|key| key.as_str()).map(str::to_owned))
}

/// The value of a parameter.
pub fn parameter<'c>(call: &'c Call, name: &str) -> Option<&'c str> {
    let found = call.query.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.as_str())
}
