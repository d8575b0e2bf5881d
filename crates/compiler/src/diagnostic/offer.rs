//! The kinds of fixes that codes offer, as the pages and the table of `docs/fixes.md` say it.

use super::code::Code;

/// The best proof that a fix of a code can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The fix is equivalent.
    Equivalent,
    /// The fix allows less.
    Narrower,
    /// The fix is equivalent, or allows less.
    EquivalentOrNarrower,
    /// The fix of a forbid line allows less. That of a permit line gives access, so it is a suggestion for a person.
    NarrowerOrSuggestion,
    /// Every fix is a suggestion for a person.
    Suggestion,
    /// There is no fix.
    None,
}

impl Offer {
    /// The words of the table and of the pages.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Narrower => "narrower",
            Self::EquivalentOrNarrower => "equivalent or narrower",
            Self::NarrowerOrSuggestion => "narrower or suggestion",
            Self::Suggestion => "suggestion",
            Self::None => "none",
        }
    }

    /// Whether a fix with the result of a proof (`equivalent`, `narrower`) can be one of this kind.
    #[must_use]
    pub fn includes(self, proof: &str) -> bool {
        match proof {
            // A fix that takes access is equivalent for a token that has none of it.
            "equivalent" => !matches!(self, Self::Suggestion | Self::None),
            "narrower" => matches!(
                self,
                Self::Narrower | Self::EquivalentOrNarrower | Self::NarrowerOrSuggestion
            ),
            _ => self != Self::None,
        }
    }
}

impl Code {
    /// The kind of fix that findings of this code offer.
    #[must_use]
    pub fn offer(self) -> Offer {
        match self {
            Self::CoveredLine
            | Self::IdleForbid
            | Self::TakenBack
            | Self::IncludedTwice
            | Self::MeansMore
            | Self::TopAlternation
            | Self::BodilessMethod
            | Self::AvoidableForbid
            | Self::IdleException => Offer::Equivalent,
            Self::DeadForbid
            | Self::DeadHere
            | Self::PermitsAll
            | Self::UntypedLiteral
            | Self::Unanchored
            | Self::MissingBoundary
            | Self::UnescapedDot
            | Self::NoMethods
            | Self::SingleForList => Offer::Narrower,
            Self::EmptyLine | Self::DeadAlternative => Offer::EquivalentOrNarrower,
            Self::LineSyntax
            | Self::UrlText
            | Self::ValueText
            | Self::ForeignText
            | Self::Anchor
            | Self::WordClass
            | Self::MisspeltPart
            | Self::DoubtfulValue => Offer::NarrowerOrSuggestion,
            Self::RepeatedCharacter
            | Self::UnknownKey
            | Self::WrongValue
            | Self::UnknownSet
            | Self::NeverMatches => Offer::Suggestion,
            _ => Offer::None,
        }
    }
}
