//! The values that a parameter or a property takes.

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A text.
    String,
    /// A list.
    Array,
    /// An object.
    Object,
}

/// The values that a schema describes, as far as it can be told without its inner structure.
///
/// The default is the shape of any value. Where a document says something that is not read (a schema of several alternatives with
/// different patterns, for example), the shape is wider than the schema, never narrower.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shape {
    /// The kinds, sorted; empty for any.
    pub kinds: Vec<Kind>,
    /// The `format`, such as `date-time` or `int64`.
    pub format: Option<String>,
    /// The `pattern`: a regular expression of JavaScript that matches a part of the value unless it is anchored.
    pub pattern: Option<String>,
    /// The only values, as texts; empty if the values are not listed.
    pub values: Vec<String>,
    /// The smallest whole number.
    pub minimum: Option<i64>,
    /// The largest whole number.
    pub maximum: Option<i64>,
    /// The smallest number of characters.
    pub min_length: Option<u64>,
    /// The largest number of characters.
    pub max_length: Option<u64>,
    /// The elements of a list.
    pub items: Option<Box<Shape>>,
}

impl Shape {
    /// Every value has this one kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.kinds == [kind]
    }
}
