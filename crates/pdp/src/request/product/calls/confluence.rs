//! Calls of Confluence: those in Data Center's API description for 10.0, and others that it lacks.

use super::{Call, Class, Group, Source};

pub(crate) static CALLS: &[Group] = &[
    // Calls for credentials.
    Group {
        class: Class::Mint,
        reason: "Shows the session, or begins one",
        source: Source::Known("the platform's session, which Confluence's description lacks"),
        calls: &[
            Call::any("/rest/auth/*/session"),
            Call::any("/rest/auth/*/websudo"),
        ],
    },
    Group {
        class: Class::Mint,
        reason: "Sets a password, or creates an account with one",
        source: Source::Described,
        calls: &[
            Call::post("/rest/api/{v?}/admin/user"),
            Call::any("/rest/api/{v?}/admin/user/*/password"),
            Call::any("/rest/api/{v?}/user/**/password"),
        ],
    },
    Group {
        class: Class::Mint,
        reason: "Shows the configuration of webhooks, with the secret by which a receiver recognises them",
        source: Source::Described,
        calls: &[Call::any("/rest/api/{v?}/webhooks/**")],
    },
    Group {
        class: Class::Mint,
        reason: "Creates a token with which its holder edits a page together with others",
        source: Source::Known("the collaborative editor, which the description lacks"),
        calls: &[Call::any("/rest/synchrony/*/token/**")],
    },
    // Calls that contain other calls.
    Group {
        class: Class::Carries,
        reason: "Forwards calls to Jira with the credentials of the application link",
        source: Source::Known("a module that creates Jira issues from pages"),
        calls: &[Call::any("/rest/createjiracontent/**")],
    },
    // Calls that give rights.
    Group {
        class: Class::Escalate,
        reason: "Creates, changes or removes accounts and groups, and sets the members of groups",
        source: Source::Described,
        calls: &[
            Call::write("/rest/api/{v?}/admin/**"),
            Call::write("/rest/api/{v?}/user/*/group/*"),
            // This call sets the address to which a password reset is sent.
            Call::write("/rest/api/{v?}/user/current"),
        ],
    },
    Group {
        class: Class::Escalate,
        reason: "Sets what users, groups and visitors may do or see",
        source: Source::Described,
        calls: &[
            Call::write("/rest/api/{v?}/permissions/**"),
            Call::write("/rest/api/{v?}/space/*/permissions/**"),
            Call::write("/rest/api/{v?}/content/*/restriction/**"),
        ],
    },
    Group {
        class: Class::Escalate,
        reason: "Exports all content and all accounts, or replaces them",
        source: Source::Described,
        calls: &[
            Call::write("/rest/api/{v?}/backup-restore/**"),
            Call::read("/rest/api/{v?}/backup-restore/jobs/*/download"),
        ],
    },
    Group {
        class: Class::Escalate,
        reason: "Sends events to another server for as long as it is registered, or calls one immediately",
        source: Source::Described,
        calls: &[Call::write("/rest/api/{v?}/webhooks/**")],
    },
    Group {
        class: Class::Escalate,
        reason: "Sets who may do what, by older and other APIs",
        source: Source::Known("experimental and internal APIs, which the description lacks"),
        calls: &[
            Call::write("/rest/experimental/content/*/restriction/**"),
            Call::write("/rest/experimental/space/*/permission/**"),
            Call::write("/rest/experimental/admin/**"),
            Call::write("/rest/experimental/user/**"),
            Call::write("/rest/experimental/group/**"),
            Call::write("/rest/api/{v?}/group/**"),
            Call::write("/rest/api/{v?}/settings/**"),
            Call::write("/rest/prototype/*/user/**"),
            Call::write("/rest/prototype/*/admin/**"),
            Call::write("/rest/ui/*/pagepermissions/**"),
            Call::write("/rest/create-dialog/*/space-blueprint/**"),
            Call::write("/rest/masterdetail/*/admin/**"),
            Call::write("/rest/user-directories/**"),
        ],
    },
    // Calls that only do their own work.
    Group {
        class: Class::Plain,
        reason: "Works on pages, comments, attachments, labels and properties; does not change who may see them",
        source: Source::Described,
        calls: &[
            Call::post("/rest/api/{v?}/content"),
            Call::write("/rest/api/{v?}/content/*"),
            Call::write("/rest/api/{v?}/content/*/child/**"),
            Call::write("/rest/api/{v?}/content/*/label/**"),
            Call::write("/rest/api/{v?}/content/*/property/**"),
            Call::write("/rest/api/{v?}/content/*/version/*"),
            Call::write("/rest/api/{v?}/content/blueprint/**"),
            Call::post("/rest/api/{v?}/contentbody/convert/*"),
        ],
    },
    Group {
        class: Class::Plain,
        reason: "Works on spaces, their colours, categories and properties; who creates a space becomes the administrator of this space only",
        source: Source::Described,
        calls: &[
            Call::post("/rest/api/{v?}/space"),
            Call::write("/rest/api/{v?}/space/*"),
            Call::write("/rest/api/{v?}/space/*/archive"),
            Call::write("/rest/api/{v?}/space/*/restore"),
            Call::write("/rest/api/{v?}/space/*/trash"),
            Call::write("/rest/api/{v?}/space/*/category/**"),
            Call::write("/rest/api/{v?}/space/*/property/**"),
            Call::write("/rest/api/{v?}/space/*/color-scheme/**"),
            Call::write("/rest/api/{v?}/color-scheme/**"),
        ],
    },
    Group {
        class: Class::Plain,
        reason: "Watches or stops watching; mails go only to users who may see the page",
        source: Source::Described,
        calls: &[Call::write("/rest/api/{v?}/user/watch/**")],
    },
    // Reads whose names speak of credentials or rights, and that give neither.
    Group {
        class: Class::Plain,
        reason: "Reads something by its key; a key names a space or a property, and gives no access",
        source: Source::Described,
        calls: &[
            Call::read("/rest/api/{v?}/content/*/property/*"),
            Call::read("/rest/api/{v?}/content/scan"),
            Call::read("/rest/api/{v?}/label/labels"),
            Call::read("/rest/api/{v?}/space"),
            Call::read("/rest/api/{v?}/space/*/property/*"),
        ],
    },
    Group {
        class: Class::Plain,
        reason: "Lists jobs of backup and restore, and the names of their files; downloading one needs `escalate`",
        source: Source::Described,
        calls: &[
            Call::read("/rest/api/{v?}/backup-restore/jobs"),
            Call::read("/rest/api/{v?}/backup-restore/jobs/*"),
            Call::read("/rest/api/{v?}/backup-restore/restore/files"),
        ],
    },
    Group {
        class: Class::Plain,
        reason: "Reads the log of administrative changes",
        source: Source::Described,
        calls: &[Call::read("/rest/api/{v?}/audit")],
    },
];
