//! The stable codes. Each has a page under `pages/`, which `tokenward explain-code` prints.

use super::severity::Severity;

macro_rules! codes {
    ($($variant:ident $code:literal $severity:ident $title:literal;)*) => {
        /// What kind of finding a diagnostic is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// `TW0001`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Whether findings of this code keep a policy from compiling.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// The title of the code.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The page for users: what, why, an example, what to write instead. Markdown.
            #[must_use]
            pub fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("pages/", $code, ".md")),)* }
            }
        }
    };
}

codes! {
    TomlSyntax "TW0001" Error "a token file that is not valid TOML";
    UnknownKey "TW0002" Error "an unknown key";
    WrongValue "TW0003" Error "an invalid value";
    MissingKey "TW0004" Error "a missing key";
    DuplicateName "TW0005" Error "two tokens, or two sets, with the same name";
    DuplicateSecret "TW0006" Error "two tokens with the same secret";
    NoLimit "TW0007" Error "a token without lines";
    BackslashInString "TW0008" Error "limit lines in a string with backslash escapes";
    UnknownSet "TW0009" Error "a set that does not exist";
    IncludeCycle "TW0010" Error "sets that include each other";
    LineSyntax "TW0011" Error "a line that does not parse";
    EmptyUrl "TW0012" Error "a line without a URL";
    Regexp "TW0013" Error "a regexp that does not parse";
    RegexpFeature "TW0014" Error "a regexp feature that is not supported";
    TooLarge "TW0015" Error "a line or regexp over its size limit";
    UserPlaceholder "TW0016" Error "{USER} where the user is not fixed";
    OnlyInForbid "TW0017" Error "`only` in a forbid line";
    UserKeys "TW0018" Error "user keys that contradict each other";
    UrlText "TW0020" Error "text that no URL contains";
    ValueText "TW0021" Error "an encoded character in a value";
    ForeignText "TW0022" Error "a wildcard or placeholder of another language";
    Anchor "TW0023" Error "an anchor in the middle of a regexp";
    HiddenText "TW0024" Error "text that looks different from what the compiler reads";
    MixedScripts "TW0025" Error "letters or signs that look like others";
    DeadForbid "TW0026" Error "a forbid line that does not forbid what it names";
    DeadHere "TW0027" Error "a forbid line without effect under this configuration";
    PermitsAll "TW0028" Error "permit lines in an unrestricted token";
    WordClass "TW0029" Error "a character class that looks like a word or a range of numbers";
    SecretInFile "TW0030" Error "a token's secret in a policy file";
    NoExpiry "TW0101" Warning "a token that never expires";
    MisspeltPart "TW0102" Error "text that looks like a method list or constraint but is not";
    UntypedLiteral "TW0103" Warning "`true`, `false` or `null` that also matches a string";
    ForbidAlias "TW0104" Warning "a forbid line that an alias in the upstream may bypass";
    NeverMatches "TW0105" Warning "a URL regexp that no URL can match";
    UnusedSet "TW0106" Warning "a set that no token includes";
    EmptyLine "TW0107" Warning "a line that no request can match";
    CoveredLine "TW0108" Warning "a line that other lines make redundant";
    IdleForbid "TW0109" Warning "a forbid line that forbids nothing";
    TakenBack "TW0110" Warning "a permit line that forbid lines override completely";
    EqualReach "TW0111" Warning "two tokens with the same users that allow the same requests";
    IncludedTwice "TW0112" Warning "a set that is included twice";
    TwoCases "TW0113" Warning "JSON names that differ only in letter case";
    UnusableToken "TW0114" Warning "a token that no call can use";
    NearFile "TW0120" Warning "a file name similar to that of a policy file";
    MeansMore "TW0121" Warning "a line with another meaning than in earlier versions";
    RepeatedCharacter "TW0122" Warning "a `*` that repeats one character";
    DoubtfulValue "TW0123" Warning "quotes or a list in a value";
    BrokenInvariant "TW0201" Error "a token that breaks an invariant";
    OpenInvariant "TW0202" Error "an invariant that could not be settled";
    IdleInvariant "TW0203" Warning "an invariant that selects no token";
    IdleLine "TW0204" Error "an invariant that applies to no request";
    NewAccess "TW0301" Error "access that nobody reviewed";
    StaleReview "TW0302" Warning "a review that is no longer needed";
    NewCredential "TW0303" Error "a credential that nobody reviewed";
    NewUser "TW0304" Error "a user that nobody reviewed";
    LongerLife "TW0305" Error "a token or secret that stays valid longer";
    MoreAddresses "TW0306" Error "new addresses from which a token works";
    ActsForMore "TW0307" Error "a new user that a token can act for";
    NewMint "TW0308" Error "a token that newly issues credentials";
    NewUnrestricted "TW0309" Error "a token that is newly unrestricted";
    LiftedForbid "TW0310" Error "a forbid line that was lifted";
    LooserConfiguration "TW0311" Error "a less strict setting";
    LostInvariant "TW0312" Error "an invariant that was removed or changed";
    FreedToken "TW0313" Error "a token that breaks an invariant of the base";
    UnacceptedReview "TW0314" Error "a review that the base does not have";
    GrownSet "TW0315" Warning "an unused set that grew";
    OpenComparison "TW0316" Error "a comparison that could not be settled";
    NewEscalate "TW0317" Error "a token that can newly grant rights";
    MoreCalls "TW0320" Error "a token with higher call limits";
    LatentAccess "TW0330" Error "access that another change would give";
    LatentBreach "TW0331" Warning "an invariant that only a setting or a key keeps";
    LiftedNames "TW0332" Error "names that the proxy no longer refuses";
    Seal "TW0401" Error "a token without a valid seal";
    ReadableSecret "TW0402" Error "a readable secret in secure mode";
    TooLongLife "TW0403" Error "a token that lives longer than the configuration allows";
    OverCeiling "TW0404" Error "a limit higher than the configuration allows";
    Expired "TW0501" Warning "an expired token";
    ExpiresSoon "TW0502" Warning "a token that expires soon";
    AnyUser "TW0503" Warning "a token that works for any user";
    Unanchored "TW0504" Warning "a `.*` before the path that matches other paths too";
    MissingBoundary "TW0505" Warning "a name or number that may go on";
    UnescapedDot "TW0506" Warning "a `.` that matches any character";
    OpenValue "TW0507" Warning "a query value to which conditions can be added";
    NoMethods "TW0508" Warning "a wide line without methods";
    AllowsAll "TW0509" Warning "a line that allows everything that is served";
    DeadAlternative "TW0510" Warning "an alternative that no request can match";
    TopAlternation "TW0511" Warning "a `|` that separates whole URLs";
    BodilessMethod "TW0512" Warning "a method without a body in a line that tests the body";
    ReachesReserved "TW0513" Warning "a line that allows calls for credentials or rights";
    AvoidableForbid "TW0514" Warning "a forbid line that only limits methods";
    SingleForList "TW0515" Warning "a list in JSON that is tested as a single value";
    WrongException "TW0520" Error "an exception that is not valid";
    IdleException "TW0521" Warning "an exception that is not needed";
    StaleBaseline "TW0550" Error "a baseline entry that accepts no finding";
    Unacceptable "TW0551" Error "a baseline entry for a finding that cannot be accepted";
    PolicyInTests "TW0601" Error "a policy file in a directory of tests";
    TestRequest "TW0602" Error "a test whose request cannot be read";
    TestToken "TW0603" Error "a test of a token that does not exist";
    TestCaller "TW0604" Error "a test that does not say who makes the request";
    TestExpectation "TW0605" Error "a test that no policy can pass";
    TestName "TW0606" Error "two tests with the same name";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    /// Reads `TW0001`, in any case.
    fn from_str(given: &str) -> Result<Self, UnknownCode> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str().eq_ignore_ascii_case(given))
            .ok_or_else(|| UnknownCode(given.to_owned()))
    }
}

/// The text is not a code.
#[derive(Debug, thiserror::Error)]
#[error("the code `{0}` does not exist; codes look like `TW0011`")]
pub struct UnknownCode(String);
