//! Refusals that can be lifted by name, for an upstream that needs it.

macro_rules! relaxations {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Refusals that are lifted. The default lifts none; a product's preset may lift some (`Product::relax`).
        ///
        /// A lifted refusal keeps the rule that the matched text is the forwarded text: the canonical path contains the
        /// allowed characters themselves (`%2F` as those three characters).
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Relax {
            $($(#[$doc])* pub $name: bool,)*
        }

        impl Relax {
            /// Names of the refusals, as in the configuration section `relax`.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            /// Lifts no refusal.
            pub const NONE: Self = Self { $($name: false,)* };

            /// Lifts or restores a refusal by its name; returns false if the name is unknown.
            pub fn set(&mut self, name: &str, on: bool) -> bool {
                match name {
                    $(stringify!($name) => self.$name = on,)*
                    _ => return false,
                }
                true
            }
        }
    };
}

relaxations! {
    /// Allows control characters in the path, except NUL.
    control_character,
    /// Allows NUL in the path.
    nul,
    /// Allows a backslash in the path, forwarded as `%5C`; its parts follow the rules of segments.
    backslash,
    /// Allows `%2F` in the path, kept as `%2F`; its parts follow the rules of segments. GitLab needs it.
    encoded_slash,
    /// Allows escapes that a second decoding would read, such as `%252e`. With `encoded_slash`, `%252F` is still
    /// refused.
    double_encoding,
    /// Allows `;` in the path, forwarded raw; the text before it follows the rules of segments.
    semicolon,
    /// Allows `.` and `..` segments, forwarded as they are.
    dot_segment,
    /// Allows empty segments, forwarded as they are.
    empty_segment,
    /// Allows a raw `#` in the target, read as data and forwarded as `%23`.
    number_sign,
    /// Allows parameters of different names that the upstream may treat as the same, under the presets that merge.
    ambiguous_parameter,
    /// Allows a body on GET and HEAD.
    get_body,
    /// Forwards `Cookie` to the upstream. A session cookie contains another identity than the token's.
    cookies,
    /// Allows multipart bodies under the presets that merge bodies with the query.
    merged_multipart,
    /// Allows XML bodies under the presets whose upstream merges them with the query.
    xml_body,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_switches_its_own() {
        for name in Relax::NAMES {
            let mut relax = Relax::default();
            assert!(relax.set(name, true));
            assert_ne!(relax, Relax::NONE);
            assert!(relax.set(name, false));
            assert_eq!(relax, Relax::NONE);
        }
        assert!(!Relax::default().set("all", true));
    }
}
