//! Programs by what they do with calls.

/// What a program does with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Curl,
    /// Another client: its calls are not read.
    Client,
    /// Makes no call and runs no program that its arguments name.
    Quiet,
    /// Runs a program with arguments of its own, so that the call is not known.
    Adding,
    /// Runs commands of a text or a file.
    Shell,
    /// Runs commands on another machine.
    Remote,
    /// Runs programs that may make calls, in another language.
    Language,
    /// Any other program: it may run the program that its arguments name.
    Other,
}

const CLIENTS: [&str; 24] = [
    "wget",
    "wget2",
    "http",
    "https",
    "httpie",
    "xh",
    "xhs",
    "curlie",
    "aria2c",
    "lwp-request",
    "ab",
    "hey",
    "wrk",
    "vegeta",
    "grpcurl",
    "newman",
    "hurl",
    "restish",
    "nc",
    "ncat",
    "iwr",
    "irm",
    "Invoke-WebRequest",
    "Invoke-RestMethod",
];

const QUIET: [&str; 67] = [
    "echo", "printf", "print", "which", "type", "hash", "whence", "man", "info", "test", "[", "grep",
    "egrep", "fgrep", "rg", "pgrep", "pkill", "killall", "kill", "apt", "apt-get", "aptitude", "yum", "dnf",
    "apk", "brew", "pacman", "zypper", "choco", "snap", "pip", "pip3", "npm", "logger", "cat", "tee", "sed",
    "awk", "gawk", "jq", "yq", "cut", "sort", "uniq", "head", "tail", "tr", "wc", "cp", "mv", "rm", "mkdir",
    "touch", "ls", "chmod", "chown", "cd", "pushd", "popd", "true", "false", ":", "exit", "sleep", "date",
    "basename", "dirname",
];

const ADDING: [&str; 3] = ["xargs", "parallel", "find"];

const SHELLS: [&str; 10] = [
    "sh", "bash", "dash", "zsh", "ksh", "ash", "mksh", "fish", "busybox", "su",
];

const LANGUAGES: [&str; 14] = [
    "python",
    "python2",
    "python3",
    "node",
    "deno",
    "bun",
    "ruby",
    "perl",
    "php",
    "pwsh",
    "powershell",
    "go",
    "java",
    "make",
];

/// The kind of a program by the last part of its path.
pub(super) fn kind(program: &str) -> Kind {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.strip_suffix(".exe").unwrap_or(name);
    match name {
        "curl" => Kind::Curl,
        "ssh" | "sshpass" | "mosh" => Kind::Remote,
        _ if CLIENTS.contains(&name) => Kind::Client,
        _ if QUIET.contains(&name) => Kind::Quiet,
        _ if ADDING.contains(&name) => Kind::Adding,
        _ if SHELLS.contains(&name) => Kind::Shell,
        _ if LANGUAGES.contains(&name) => Kind::Language,
        _ => Kind::Other,
    }
}

/// Whether a text has a command that makes a call.
pub(super) fn mentions_call(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || "();&|`'\"=$/{}".contains(c))
        .any(|word| {
            matches!(kind(word), Kind::Curl)
                || matches!(word, "wget" | "http" | "https" | "xh") && text.contains("://")
        })
}
