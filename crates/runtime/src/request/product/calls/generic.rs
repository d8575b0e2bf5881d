//! Calls of an unknown server. A collection is recognised by the name that most APIs give it, and only if the path ends
//! in it or in one of its members. Deeper in a path, or under other words, a name is often only data.

use super::{Call, Class, Group, Source};

const CUSTOM: Source = Source::Known("names that most APIs use");

pub(crate) static CALLS: &[Group] = &[
    Group {
        class: Class::Mint,
        reason: "Begins a session, or issues a token",
        source: CUSTOM,
        calls: &[
            Call::any("/oauth/token"),
            Call::any("/oauth2/token"),
            Call::any("/oauth/authorize"),
            Call::any("/oauth2/authorize"),
            Call::any("/login"),
        ],
    },
    Group {
        class: Class::Escalate,
        reason: "Says who is a member, who is asked to become one, and what a role may do",
        source: CUSTOM,
        calls: &[
            Call::write("/**/members"),
            Call::write("/**/members/*"),
            Call::write("/**/memberships"),
            Call::write("/**/memberships/*"),
            Call::write("/**/collaborators"),
            Call::write("/**/collaborators/*"),
            Call::write("/**/invitations"),
            Call::write("/**/invitations/*"),
            Call::write("/**/roles"),
            Call::write("/**/roles/*"),
            Call::write("/**/permissions"),
            Call::write("/**/permissions/*"),
            Call::write("/**/scim/v2/**"),
        ],
    },
    Group {
        class: Class::Escalate,
        reason: "Sends what happens to another server, for as long as it is registered",
        source: CUSTOM,
        calls: &[Call::write("/**/webhooks"), Call::write("/**/webhooks/*")],
    },
    Group {
        class: Class::Escalate,
        reason: "Administers the server",
        source: CUSTOM,
        calls: &[
            Call::write("/admin/**"),
            Call::write("/api/admin/**"),
            Call::write("/api/*/admin/**"),
            Call::write("/rest/admin/**"),
            Call::write("/rest/api/admin/**"),
        ],
    },
    Group {
        class: Class::Carries,
        reason: "One path for all that the other calls do, or many calls in one body",
        source: CUSTOM,
        calls: &[
            Call::any("/**/graphql"),
            Call::write("/**/batch"),
            Call::write("/**/$batch"),
            Call::write("/**/jsonrpc"),
            Call::write("/**/xmlrpc"),
            Call::write("/**/mcp"),
        ],
    },
];
