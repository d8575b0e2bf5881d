//! `tokenward-verify CERTIFICATE POLICY…`: checks a certificate about compiled policies.

use std::io::{Read as _, Write as _};
use std::{fs::File, process::ExitCode};

use tokenward_compiler::visible;
use tokenward_verify::{Report, verify};

/// The most bytes that a file may have.
const MOST: u64 = 1 << 30;

const USAGE: &str = "usage: tokenward-verify CERTIFICATE POLICY...
Checks a certificate that `--certificates` of `tokenward compile`, `ask` or `diff` wrote. Each POLICY is a compiled policy.
Exit code: 0 if there are answers, and each has a proof that holds; 1 if the certificate is refused; 2 for wrong usage;
and 3 if a file cannot be read, an answer has no certificate, or there are no answers.";

fn main() -> ExitCode {
    let (code, why) = run().err().unwrap_or_default();
    // Names of files may have anything in them.
    why.lines().for_each(|line| eprintln!("{}", visible(line)));
    ExitCode::from(code)
}

/// Checks the files that the command line names. An error has the exit code, and a reason.
fn run() -> Result<(), (u8, String)> {
    let files = std::env::args_os().skip(1).map(|file| file.to_string_lossy().into_owned());
    let files: Vec<String> = files.collect();
    if files.len() < 2 || files.iter().any(|file| file.starts_with('-')) {
        return Err((2, USAGE.to_owned()));
    }
    let mut files: Vec<Vec<u8>> = files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    let certificate = String::from_utf8_lossy(&files.remove(0)).into_owned();
    let refused = |why| (1, format!("the certificate is refused, {why}"));
    let Report { about, claims, open } = verify(&certificate, &files).map_err(refused)?;
    let policies = about.iter().enumerate().map(|(at, policy)| format!("policy {at} is {policy}\n"));
    let claims_shown = claims.iter().map(|claim| format!("{claim}\n"));
    let open_shown = open.iter().map(|open| format!("no certificate: {open}\n"));
    let counts = format!("{} answers hold, {} without a certificate\n", claims.len(), open.len());
    let text: String = policies.chain(claims_shown).chain(open_shown).chain([counts]).collect();
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| (3, format!("cannot print: {error}")))?;
    if claims.is_empty() && open.is_empty() {
        return Err((3, "the certificate has no answers, so nothing was checked".to_owned()));
    }
    if open.is_empty() { Ok(()) } else { Err((3, String::new())) }
}

/// Reads a file; an error if it is larger than any certificate.
fn read(file: &str) -> Result<Vec<u8>, (u8, String)> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(MOST + 1).read_to_end(&mut bytes));
    read.map_err(|error| (3, format!("cannot read `{file}`: {error}")))?;
    if bytes.len() as u64 > MOST { Err((3, format!("`{file}` exceeds {MOST} bytes"))) } else { Ok(bytes) }
}
