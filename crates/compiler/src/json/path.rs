//! Paths to JSON nodes, as policies write them.

use std::fmt::{self, Display, Write};

/// The way from the root of a body to a node. Without steps it is the root itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The way to the root.
    pub const ROOT: Self = Self(Vec::new());
}

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// To the member of this name, unescaped, of an object.
    Name(String),
    /// `[*]`: to every element of an array.
    Each,
}

/// Shows the path in a policy's syntax: `fields.labels[*]`, with quotes around names that need them. The root is `$`.
impl Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.0.first(), Some(Step::Name(_))) {
            f.write_char('$')?;
        }
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Each => f.write_str("[*]")?,
                Step::Name(name) => {
                    if position > 0 {
                        f.write_char('.')?;
                    }
                    // Only as the first step does a bare `$` mean the root.
                    if is_bare(name) && (position > 0 || name != "$") {
                        f.write_str(name)?
                    } else {
                        write_quoted(f, name)?
                    }
                }
            }
        }
        Ok(())
    }
}

// Quotes more than the grammar asks for so that the text reads one way.
fn is_bare(name: &str) -> bool {
    let special = |c: char| ".[]\":=<>!?~*\\".contains(c) || c.is_whitespace() || c.is_control();
    !name.is_empty() && name != "only" && !name.contains(special)
}

fn write_quoted(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in name.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
