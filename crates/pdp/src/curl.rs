//! Reads a curl command as the request that curl would send.

mod options;
mod shell;
mod url;

use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenward_compiler::BaseUrl;
use tokenward_compiler::diagnostic::nearest;

use options::{Effect, Flag, Value};
use shell::split;
pub use shell::{Word, ansi_quoted};
use url::{Url, component};

/// Maximum size of a body; larger ones are refused by every configuration that inspects them.
const LARGEST: u64 = 32 << 20;
const BOUNDARY: &str = "------------------------tokenward0000000";

/// A request as curl sends it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Method of the request.
    pub method: String,
    /// Path and query of the request.
    pub target: String,
    /// Names and values of the headers.
    pub headers: Vec<(String, String)>,
    /// Body of the request; empty if there is none.
    pub body: Vec<u8>,
    /// User of credentials whose secret the command does not show.
    pub user: Option<String>,
    /// Remarks on the command.
    pub notes: Vec<String>,
}

/// Origin of a command, which decides how its URL and its files are read.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Whether the words come from Tokenward's own arguments or keys, and not from a curl command: then the URL is taken as it is,
    /// and encoded as HTTP libraries do.
    pub native: bool,
    /// Whether the command may read files. Whoever runs a command may; one that is part of a repository may not, since it could
    /// show files of whoever runs its tests.
    pub files: bool,
    /// Whether the command is part of a recorded script: credentials may come from files, several requests are read, and the caller
    /// explains unknown variables.
    pub is_script: bool,
}

impl Origin {
    /// A curl command that the user gives.
    pub const COMMAND: Self = Self {
        native: false,
        files: true,
        is_script: false,
    };
    /// A curl command of a script.
    pub const SCRIPT: Self = Self {
        is_script: true,
        ..Self::COMMAND
    };
    /// Arguments of a subcommand.
    pub const ARGUMENTS: Self = Self {
        native: true,
        files: true,
        is_script: false,
    };

    /// The same for a text of somebody else, which reads no files.
    pub const fn without_files(self) -> Self {
        Self { files: false, ..self }
    }
}

/// Reads a command as it was copied from a terminal or a browser.
///
/// # Errors
/// The text is not one command that can be read as one request; the error says which part and why.
pub fn command(text: &str, base: &BaseUrl, origin: Origin) -> Result<Sent, String> {
    let command = split(text)?;
    let mut sent = read(&command.words, base, origin)?;
    if command.is_piped {
        let note = "the part of the command after `|` is ignored";
        sent.notes.insert(0, note.to_owned());
    }
    Ok(sent)
}

/// Reads the words of a command; the first one is `curl`.
///
/// # Errors
/// The command cannot be read as one request; the text says which part and why.
pub fn read(words: &[Word], base: &BaseUrl, origin: Origin) -> Result<Sent, String> {
    let mut all = read_all(words, base, origin)?.into_iter();
    match (all.next(), all.next()) {
        (Some(sent), None) => Ok(sent),
        (None, _) => Err("the command has no URL".to_owned()),
        (Some(_), Some(_)) => Err("the command has several URLs; explain each request separately".to_owned()),
    }
}

/// Reads the words of a command that may make several requests; the first one is `curl`.
///
/// # Errors
/// The command cannot be read; the text says which part and why.
pub fn read_all(words: &[Word], base: &BaseUrl, origin: Origin) -> Result<Vec<Sent>, String> {
    let program = words.first().map(|word| word.text.as_str()).unwrap_or_default();
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    if name != "curl" && name != "curl.exe" {
        return Err(format!("the command must begin with `curl`, not `{program}`"));
    }
    let mut options = Options::new(origin);
    let mut sent = Vec::new();
    let mut rest = words.iter().skip(1);
    let mut only_urls = false;
    while let Some(word) = rest.next() {
        if only_urls || !word.text.starts_with('-') || word.text == "-" {
            options.value(Value::Url, word)?;
        } else if word.text == "--" {
            only_urls = true;
        } else if origin.is_script && matches!(word.text.as_str(), "--next" | "-:") {
            std::mem::replace(&mut options, Options::new(origin)).requests(base, origin, &mut sent)?;
        } else if let Some(name) = word.text.strip_prefix("--") {
            options.long(name, &mut rest)?;
        } else {
            options.short(word, &mut rest)?;
        }
    }
    options.requests(base, origin, &mut sent)?;
    Ok(sent)
}

#[derive(Clone, Default)]
struct Options {
    may_read_files: bool,
    is_script: bool,
    urls: Vec<String>,
    query: Vec<String>,
    target: Option<String>,
    method: Option<String>,
    headers: Vec<String>,
    data: Option<Vec<u8>>,
    is_json: bool,
    parts: Vec<Vec<u8>>,
    upload: Option<(String, Vec<u8>)>,
    authorization: Option<Authorization>,
    user_agent: Option<String>,
    referer: Option<String>,
    cookies: Vec<String>,
    range: Option<String>,
    get: bool,
    head: bool,
    compressed: bool,
    glob_off: bool,
    path_as_is: bool,
}

/// Credentials of the command.
#[derive(Clone)]
enum Authorization {
    Header(String),
    /// The secret is a variable, or curl would ask for it.
    Unknown {
        user: Option<String>,
    },
}

impl Options {
    fn new(origin: Origin) -> Self {
        Self {
            may_read_files: origin.files,
            is_script: origin.is_script,
            ..Self::default()
        }
    }

    /// Adds the requests of these options: one for each URL.
    fn requests(self, base: &BaseUrl, origin: Origin, all: &mut Vec<Sent>) -> Result<(), String> {
        if self.urls.is_empty() {
            return Err("the command has no URL".to_owned());
        }
        for url in &self.urls {
            let one = Self {
                urls: vec![url.clone()],
                ..self.clone()
            };
            all.push(one.sent(base, origin.native)?);
        }
        Ok(())
    }

    fn long<'w>(&mut self, name: &str, rest: &mut impl Iterator<Item = &'w Word>) -> Result<(), String> {
        let shown = format!("--{name}");
        let known = options::long(name).or_else(|| {
            // `--no-X` takes back a flag that has no effect here.
            let positive = options::long(name.strip_prefix("no-")?)?;
            (positive.1 == Effect::Idle).then_some(positive)
        });
        let Some((_, effect)) = known else {
            let near = nearest(name, options::names());
            let near = near.map_or_else(String::new, |near| format!("; did you mean `--{near}`?"));
            return Err(format!(
                "the curl option `{shown}` is unknown; remove it if it does not change the request{near}"
            ));
        };
        match effect {
            Effect::Idle => Ok(()),
            Effect::Flag(flag) => {
                self.flag(flag);
                Ok(())
            }
            Effect::Credentials(_) if self.is_script => Ok(()),
            Effect::CredentialsValue(_) if self.is_script => next(&shown, rest).map(|_| ()),
            Effect::Refused(why)
            | Effect::RefusedValue(why)
            | Effect::Credentials(why)
            | Effect::CredentialsValue(why) => Err(refused(&shown, why)),
            Effect::IdleValue => next(&shown, rest).map(|_| ()),
            Effect::Value(value) => self.value(value, next(&shown, rest)?),
        }
    }

    /// Reads a cluster such as `-sSXPOST`.
    fn short<'w>(&mut self, word: &Word, rest: &mut impl Iterator<Item = &'w Word>) -> Result<(), String> {
        for (at, character) in word.text.char_indices().skip(1) {
            let shown = format!("-{character}");
            let Some((_, effect)) = options::short(character) else {
                return Err(format!(
                    "the curl option `{shown}` is unknown; remove it if it does not change the request"
                ));
            };
            let attached = word.text.get(at + character.len_utf8()..).unwrap_or_default();
            match effect {
                Effect::Idle => {}
                Effect::Flag(flag) => self.flag(flag),
                Effect::Credentials(_) if self.is_script => {}
                Effect::CredentialsValue(_) if self.is_script => {
                    return match attached.is_empty() {
                        true => next(&shown, rest).map(|_| ()),
                        false => Ok(()),
                    };
                }
                Effect::Refused(why)
                | Effect::RefusedValue(why)
                | Effect::Credentials(why)
                | Effect::CredentialsValue(why) => return Err(refused(&shown, why)),
                Effect::IdleValue | Effect::Value(_) => {
                    let attached = Word {
                        text: attached.to_owned(),
                        variables: word.variables.clone(),
                    };
                    let value = if attached.text.is_empty() {
                        next(&shown, rest)?
                    } else {
                        &attached
                    };
                    return match effect {
                        Effect::Value(kind) => self.value(kind, value),
                        _ => Ok(()),
                    };
                }
            }
        }
        Ok(())
    }

    fn flag(&mut self, flag: Flag) {
        match flag {
            Flag::Get => self.get = true,
            Flag::Head => self.head = true,
            Flag::Compressed => self.compressed = true,
            Flag::GlobOff => self.glob_off = true,
            Flag::PathAsIs => self.path_as_is = true,
        }
    }

    fn value(&mut self, kind: Value, word: &Word) -> Result<(), String> {
        // A secret in a variable is taken as the token's; all else must be known.
        if !word.variables.is_empty() {
            if let Some(unknown) = unknown_secret(kind, word) {
                self.authorization = Some(unknown);
                return Ok(());
            }
            if self.is_script {
                return Err(unknown_value(word));
            }
            return Err(format!(
                "`{}` is a shell variable; replace it with its value, or put the command after `--`, so that the shell replaces it",
                word.variables.first().map(String::as_str).unwrap_or_default()
            ));
        }
        let text = word.text.clone();
        match kind {
            Value::Url => self.urls.push(text),
            Value::UrlQuery => self.query.push(match text.strip_prefix('+') {
                Some(raw) => raw.to_owned(),
                None => String::from_utf8_lossy(&self.urlencoded(&text)?).into_owned(),
            }),
            Value::Target => self.target = Some(text),
            Value::Method => self.method = Some(text),
            Value::Header if text.starts_with('@') => {
                return Err(refused("-H @FILE", "it reads headers from a file"));
            }
            Value::Header => self.headers.push(text),
            Value::Data => {
                let bytes = match text.strip_prefix('@') {
                    Some(file) => without_line_ends(self.content(file)?),
                    None => text.into_bytes(),
                };
                self.add_data(&bytes, b"&");
            }
            Value::DataBinary => {
                let bytes = self.named_content(&text)?;
                self.add_data(&bytes, b"&");
            }
            Value::DataRaw => self.add_data(text.as_bytes(), b"&"),
            Value::DataUrlencode => {
                let bytes = self.urlencoded(&text)?;
                self.add_data(&bytes, b"&");
            }
            Value::Json => {
                self.is_json = true;
                let bytes = self.named_content(&text)?;
                self.add_data(&bytes, b"");
            }
            Value::Form => {
                let part = self.part(&text, true)?;
                self.parts.push(part);
            }
            Value::FormString => {
                let part = self.part(&text, false)?;
                self.parts.push(part);
            }
            Value::Upload => {
                let name = Path::new(&text).file_name();
                let name = name.map(|name| name.to_string_lossy().into_owned());
                self.upload = Some((name.unwrap_or_default(), self.content(&text)?));
            }
            Value::User => self.authorization = Some(basic(&text)),
            Value::Bearer => self.authorization = Some(Authorization::Header(format!("Bearer {text}"))),
            Value::UserAgent => self.user_agent = Some(text),
            Value::Referer => self.referer = Some(text),
            Value::Cookie if self.is_script && !text.contains('=') => {}
            Value::Cookie if !text.contains('=') => {
                return Err(refused("-b FILE", "it reads cookies from a file"));
            }
            Value::Cookie => self.cookies.push(text),
            Value::Range => self.range = Some(format!("bytes={text}")),
        }
        Ok(())
    }

    fn add_data(&mut self, bytes: &[u8], joint: &[u8]) {
        match &mut self.data {
            Some(data) => {
                data.extend_from_slice(joint);
                data.extend_from_slice(bytes);
            }
            None => self.data = Some(bytes.to_vec()),
        }
    }

    /// The request of these options.
    fn sent(mut self, base: &BaseUrl, native: bool) -> Result<Sent, String> {
        let mut sent = Sent::default();
        let [url] = self.urls.as_slice() else {
            return Err("the command has no URL".to_owned());
        };
        let kinds = [self.data.is_some(), !self.parts.is_empty(), self.upload.is_some()];
        if kinds.into_iter().filter(|given| *given).count() > 1
            || self.head && kinds != [false; 3] && !self.get
        {
            return Err(
                "curl does not accept these options together: a request can have only one of -d, -F, -T and -I"
                    .to_owned(),
            );
        }
        let context = base.path();
        if !context.is_empty()
            && url
                .strip_prefix(context)
                .is_some_and(|rest| rest.starts_with('/'))
        {
            sent.notes.push(format!(
                "a path is relative to `{}`; remove `{context}` if this is not intended",
                base.as_str()
            ));
        }
        let mut url = self.url(url, base, native)?;
        let mut length = None;
        let mut kind = None;
        let mut method = if self.head { "HEAD" } else { "GET" };
        if let Some(data) = self.data.take() {
            if self.get {
                url.add_query(&String::from_utf8_lossy(&data));
            } else {
                method = "POST";
                kind = Some(if self.is_json {
                    "application/json".to_owned()
                } else {
                    "application/x-www-form-urlencoded".to_owned()
                });
                length = Some(data.len());
                sent.body = data;
            }
        } else if !self.parts.is_empty() {
            method = "POST";
            sent.body = multipart(&self.parts);
            length = Some(sent.body.len());
            kind = Some(format!("multipart/form-data; boundary={BOUNDARY}"));
        } else if let Some((name, bytes)) = self.upload.take() {
            method = "PUT";
            if url.target.ends_with('/') {
                url.target.push_str(&component(&name));
            }
            length = Some(bytes.len());
            sent.body = bytes;
        }
        for query in &self.query {
            url.add_query(query);
        }
        sent.method = self.method.take().unwrap_or_else(|| method.to_owned());
        if self.authorization.is_none() {
            self.authorization = url.user.take().map(|user| basic(&user));
        }
        if native && url.encode() {
            sent.notes
                .push("characters of the URL were percent-encoded, as clients do".to_owned());
        }
        sent.target = self.target.take().unwrap_or_else(|| url.target.clone());
        self.headers(&mut sent, (&url, base), kind, length)?;
        Ok(sent)
    }

    fn url(&self, text: &str, base: &BaseUrl, native: bool) -> Result<Url, String> {
        let mut url = Url::parse(text, base)?;
        if native {
            let host = url.authority.as_deref().filter(|_| !text.contains("://"));
            // `rest/api` is a path whose slash was forgotten, not a host.
            if host.is_some_and(|host| host != "localhost" && !host.contains(['.', ':'])) {
                return Err(format!(
                    "`{text}` begins neither with a slash nor with http:// or https://; write `/{text}`"
                ));
            }
            return Ok(url);
        }
        if url.authority.is_none() {
            return Err(format!("`{text}` is a path; a curl command needs a complete URL"));
        }
        if self.is_script && !self.glob_off && url.target.contains(['[', ']', '{', '}']) {
            return Err(
                "curl reads `[…]` and `{…}` in a URL as several URLs; write a command for each of them, or add -g if the characters are part of the URL".to_owned(),
            );
        }
        if !self.glob_off && url.target.contains(['[', ']', '{', '}']) {
            return Err(
                "curl reads `[…]` and `{…}` in a URL as several URLs; write `%5B`, `%5D`, `%7B`, `%7D`, or add -g".to_owned(),
            );
        }
        if url.target.contains(' ') {
            return Err("curl does not accept a URL with a space; write `%20`".to_owned());
        }
        if !self.path_as_is {
            url.remove_dots();
        }
        Ok(url)
    }

    /// Writes the headers in curl's order. A header of the command replaces curl's own; one without a value removes it.
    fn headers(
        &mut self,
        sent: &mut Sent,
        (url, base): (&Url, &BaseUrl),
        kind: Option<String>,
        length: Option<usize>,
    ) -> Result<(), String> {
        let authority = url
            .authority
            .clone()
            .unwrap_or_else(|| base.authority().to_owned());
        let mut own = vec![("Host", authority)];
        match self.authorization.take() {
            Some(Authorization::Header(value)) => own.push(("Authorization", value)),
            Some(Authorization::Unknown { user }) => {
                sent.user = user;
                sent.notes.push(
                    "the command does not contain the secret; the token's own secret is assumed".to_owned(),
                );
            }
            None => {}
        }
        own.push((
            "User-Agent",
            self.user_agent.take().unwrap_or_else(|| "curl/8".to_owned()),
        ));
        own.push((
            "Accept",
            if self.is_json { "application/json" } else { "*/*" }.to_owned(),
        ));
        let optional = [
            ("Referer", self.referer.take()),
            ("Range", self.range.take()),
            (
                "Accept-Encoding",
                self.compressed.then(|| "deflate, gzip, br, zstd".to_owned()),
            ),
            (
                "Cookie",
                (!self.cookies.is_empty()).then(|| self.cookies.join("; ")),
            ),
            ("Content-Type", kind),
        ];
        own.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let mut given: Vec<(String, Option<String>)> = Vec::new();
        for header in &self.headers {
            given.push(match (header.split_once(':'), header.strip_suffix(';')) {
                (Some((name, value)), _) => {
                    let value = value.trim();
                    (name.to_owned(), (!value.is_empty()).then(|| value.to_owned()))
                }
                (None, Some(name)) => (name.to_owned(), Some(String::new())),
                (None, None) => {
                    return Err(format!("-H '{header}' is not a header; write 'Name: value'"));
                }
            });
        }
        let is_given = |name: &str| given.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let chunked = is_given("Transfer-Encoding");
        if let (Some(length), false) = (length, chunked) {
            own.push(("Content-Length", length.to_string()));
        }
        own.retain(|(name, _)| !is_given(name));
        sent.headers
            .extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
        sent.headers
            .extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
        Ok(())
    }
}

/// The message for a word with an unknown value: it begins with the variable in backticks.
fn unknown_value(word: &Word) -> String {
    format!(
        "`{}` has no known value",
        word.variables.first().map(String::as_str).unwrap_or_default()
    )
}

fn next<'w>(option: &str, rest: &mut impl Iterator<Item = &'w Word>) -> Result<&'w Word, String> {
    rest.next()
        .ok_or_else(|| format!("the curl option `{option}` needs a value"))
}

fn refused(option: &str, why: &str) -> String {
    format!("the curl option `{option}` is not supported: {why}")
}

/// Credentials whose secret is a variable as a whole.
fn unknown_secret(kind: Value, word: &Word) -> Option<Authorization> {
    let [variable] = word.variables.as_slice() else {
        return None;
    };
    match kind {
        Value::Bearer if word.text == *variable => Some(Authorization::Unknown { user: None }),
        Value::User => {
            let (user, secret) = word.text.split_once(':')?;
            (secret == variable).then(|| Authorization::Unknown {
                user: Some(user.to_owned()),
            })
        }
        Value::Header => {
            let (name, value) = word.text.split_once(':')?;
            let secret = value
                .trim()
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))?
                .1;
            (name.eq_ignore_ascii_case("authorization") && secret.trim() == variable)
                .then_some(Authorization::Unknown { user: None })
        }
        _ => None,
    }
}

fn basic(text: &str) -> Authorization {
    match text.split_once(':') {
        Some(_) => Authorization::Header(format!("Basic {}", STANDARD.encode(text))),
        // curl asks for the password.
        None => Authorization::Unknown {
            user: Some(text.to_owned()),
        },
    }
}

impl Options {
    /// The content of `@file`, otherwise the text.
    fn named_content(&self, text: &str) -> Result<Vec<u8>, String> {
        match text.strip_prefix('@') {
            Some(file) => self.content(file),
            None => Ok(text.as_bytes().to_vec()),
        }
    }

    fn content(&self, file: &str) -> Result<Vec<u8>, String> {
        if matches!(file, "-" | ".") {
            return Err("the body comes from standard input; specify a file or the text itself".to_owned());
        }
        if !self.may_read_files {
            return Err(format!(
                "the command reads the file `{file}`; write its content into the command, since no files are read here"
            ));
        }
        let failed = |error: std::io::Error| format!("cannot read the file `{file}` of the command: {error}");
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(file).map_err(failed)?;
        opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LARGEST {
            return Err(format!(
                "`{file}` has more than {LARGEST} bytes; use a smaller body"
            ));
        }
        Ok(bytes)
    }

    /// The forms of `--data-urlencode`: `text`, `=text`, `name=text`, `@file`, `name@file`.
    fn urlencoded(&self, text: &str) -> Result<Vec<u8>, String> {
        let (name, value) = match text.find(['=', '@']) {
            None => ("", text.as_bytes().to_vec()),
            Some(at) => {
                let (name, rest) = text.split_at_checked(at).unwrap_or((text, ""));
                let value = match rest.strip_prefix('@') {
                    Some(file) => self.content(file)?,
                    None => rest.strip_prefix('=').unwrap_or_default().as_bytes().to_vec(),
                };
                (name, value)
            }
        };
        let joint = if name.is_empty() { "" } else { "=" };
        let value = String::from_utf8(value)
            .map_err(|_| "--data-urlencode of bytes that are not UTF-8".to_owned())?;
        Ok(format!("{name}{joint}{}", component(&value)).into_bytes())
    }

    /// One part of a multipart body: `name=text`, `name=@file`, `name=<file`, with `;type=…` behind a file.
    fn part(&self, text: &str, reads_files: bool) -> Result<Vec<u8>, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("-F '{text}' is not a part; write name=text or name=@file"))?;
        let file = reads_files
            .then(|| value.strip_prefix(['@', '<']))
            .flatten()
            .map(|file| file.split(';').next().unwrap_or_default().trim_matches('"'));
        let mut head = format!("Content-Disposition: form-data; name=\"{name}\"");
        let bytes = match file {
            Some(file) => {
                if value.starts_with('@') {
                    head.push_str(&format!(
                        "; filename=\"{file}\"\r\nContent-Type: application/octet-stream"
                    ));
                }
                self.content(file)?
            }
            None => value.as_bytes().to_vec(),
        };
        let mut part = format!("{head}\r\n\r\n").into_bytes();
        part.extend(bytes);
        Ok(part)
    }
}

/// As `-d @file` does.
fn without_line_ends(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | b'\0'));
    bytes
}

fn multipart(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\n").as_bytes());
        body.extend_from_slice(part);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

#[cfg(test)]
mod tests;
