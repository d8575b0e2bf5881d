//! Making TOML to commit: a new token, or new limits of a token.

use super::effect::Effect;
use super::parts::Diagnostic;

/// The page that writes a new token.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// The form, as it was filled in.
    pub form: NewTokenForm,
    /// Problems of fields: name (such as `name`, `users`, `lines`) and text.
    pub errors: Vec<(String, String)>,
    /// Errors and warnings of the lines.
    pub diagnostics: Vec<Diagnostic>,
    /// What the token would allow, if the form is right.
    pub effect: Option<Effect>,
    /// The result, if the form was sent and is right.
    pub made: Option<Made>,
    /// The reason why no token can be made here, if so.
    pub impossible: Option<String>,
    /// Policy files to choose from.
    pub files: Vec<String>,
}

/// The form for a new token.
#[derive(Clone, Debug, Default)]
pub struct NewTokenForm {
    /// Name.
    pub name: String,
    /// Purpose.
    pub purpose: String,
    /// Owner.
    pub owner: String,
    /// Users, separated by commas.
    pub users: String,
    /// End, such as `90d` or `2027-04-02`.
    pub expires: String,
    /// Addresses, separated by commas.
    pub allowed_from: String,
    /// Policy lines, one a line.
    pub lines: String,
}

/// A new token: TOML to commit, and its secret, shown once.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// TOML to commit.
    pub toml: String,
    /// The secret; `None` if none was made, since the form was only checked.
    pub secret: Option<String>,
    /// What to do next, one sentence each.
    pub next: Vec<String>,
}

/// The page that writes new limits of a token.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Name of the token.
    pub name: String,
    /// Policy lines, one a line.
    pub lines: String,
    /// Problems of fields: name (`lines`) and text.
    pub errors: Vec<(String, String)>,
    /// Errors and warnings of the lines.
    pub diagnostics: Vec<Diagnostic>,
    /// Where the token is defined, in words.
    pub place: String,
    /// The change to commit: TOML of the token's lines.
    pub toml: Option<String>,
    /// What the change newly allows and newly denies, if the lines have no errors.
    pub effect: Option<Effect>,
    /// The reason why limits cannot be written here, if so.
    pub impossible: Option<String>,
}
