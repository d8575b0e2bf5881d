//! Calls of Redmine. It shows API keys to users who read their own account, and Atom keys in its pages.

use super::{Call, Class, Group, Source};

const ROUTES: Source =
    Source::Known("Redmine has no description of its API: from its documentation and its routes");

pub(crate) static CALLS: &[Group] = &[
    // Calls for credentials.
    Group {
        class: Class::Mint,
        reason: "Shows an account's API key, to its user and to administrators, or sets its password",
        source: ROUTES,
        calls: &[
            Call::any("/users/*"),
            Call::any("/users/*/edit"),
            Call::post("/users"),
            Call::any("/my/account/**"),
            Call::any("/my/api_key/**"),
            Call::any("/my/password"),
            Call::any("/my/show_api_key"),
            Call::any("/my/reset_api_key"),
            Call::any("/my/reset_atom_key"),
            Call::any("/my/reset_rss_key"),
            Call::any("/my/twofa/**"),
            Call::any("/users/*/twofa/**"),
            Call::any("/login"),
            Call::any("/account/**"),
            Call::any("/oauth/**"),
        ],
    },
    Group {
        class: Class::Mint,
        reason: "Shows the Atom key of the reader, with any ending of the path",
        source: Source::Known(
            "pages whose path ends in the name of a file, so that `.json` is not a format there",
        ),
        calls: &[
            Call::read("/projects/*/repository/**/show/**"),
            Call::read("/projects/*/repository/**/browse/**"),
            Call::read("/projects/*/repository/**/changes/**"),
        ],
    },
    // Calls that give rights.
    Group {
        class: Class::Escalate,
        reason: "Sets members and their roles",
        source: ROUTES,
        calls: &[
            Call::write("/memberships/**"),
            Call::write("/projects/*/memberships/**"),
            Call::write("/groups/**"),
            Call::write("/users/*/memberships/**"),
            Call::write("/users/*/groups/**"),
            Call::write("/principal_memberships/**"),
        ],
    },
    Group {
        class: Class::Escalate,
        reason: "Creates, changes or removes accounts, or adds an address for their recovery",
        source: ROUTES,
        calls: &[
            Call::write("/users/**"),
            Call::write("/my/account/**"),
            Call::write("/email_addresses/**"),
            Call::any("/imports/**"),
        ],
    },
    Group {
        class: Class::Escalate,
        reason: "Sets what a role may do or see, or where accounts come from",
        source: ROUTES,
        calls: &[
            Call::write("/roles/**"),
            Call::write("/workflows/**"),
            Call::write("/custom_fields/**"),
            Call::write("/trackers/**"),
            Call::any("/auth_sources/**"),
        ],
    },
    Group {
        class: Class::Escalate,
        reason: "Makes a project public, or lets it inherit members",
        source: ROUTES,
        calls: &[
            Call::post("/projects"),
            Call::put("/projects/*"),
            Call::write("/projects/*/copy"),
            Call::write("/projects/*/settings/**"),
            Call::write("/projects/*/modules"),
        ],
    },
    Group {
        class: Class::Escalate,
        reason: "Administers the instance, or sends events to another server",
        source: ROUTES,
        calls: &[
            Call::any("/settings/**"),
            Call::any("/admin/**"),
            Call::any("/sys/**"),
            Call::write("/webhooks/**"),
            Call::write("/projects/*/repositories/**"),
            Call::write("/repositories/**"),
        ],
    },
    // Calls that contain other calls.
    Group {
        class: Class::Carries,
        reason: "Takes a mail, and carries it out in the name of the sender that the mail states",
        source: ROUTES,
        calls: &[Call::any("/mail_handler/**")],
    },
    Group {
        class: Class::Carries,
        reason: "Can do everything that the other calls can, by one path",
        source: Source::Known("a plug-in's API"),
        calls: &[Call::any("/graphql/**"), Call::any("/mcp/**")],
    },
];
