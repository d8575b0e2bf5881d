//! Refusals that an upstream's needs switch off, by name.

macro_rules! relaxations {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Which refusals are lifted. The default lifts none; a product's preset may (`Product::relax`).
        ///
        /// A lifted refusal keeps the rule that the text matched is the text sent: what it admits stands in the
        /// canonical path as itself (`%2F` as those three characters).
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Relax {
            $($(#[$doc])* pub $name: bool,)*
        }

        impl Relax {
            /// The names, as they stand in the configuration below `relax`.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            /// No refusal lifted.
            pub const NONE: Self = Self { $($name: false,)* };

            /// Switches one by its name; false if there is none of that name.
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
    /// Control characters in the path, other than NUL.
    control_character,
    /// NUL in the path.
    nul,
    /// A backslash in the path, sent as `%5C`; its parts obey the rules of segments.
    backslash,
    /// `%2F` in the path, kept as `%2F`; its parts obey the rules of segments. GitLab needs it.
    encoded_slash,
    /// Escapes that a second decoding would read, such as `%252e`. With `encoded_slash`, `%252F` stays refused.
    double_encoding,
    /// `;` in the path, sent raw; what stands before it obeys the rules of segments.
    semicolon,
    /// `.` and `..` segments, sent as they are.
    dot_segment,
    /// Empty segments, sent as they are.
    empty_segment,
    /// A raw `#` in the target, read as data and sent as `%23`.
    number_sign,
    /// Parameters of different names that the upstream may take for one, under the presets that merge.
    ambiguous_parameter,
    /// A body on GET and HEAD.
    get_body,
    /// `Cookie` passes to the upstream. A session cookie carries another identity past the token.
    cookies,
    /// Multipart bodies under the presets that merge bodies with the query.
    merged_multipart,
    /// XML bodies under the presets whose upstream merges them with the query.
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
