//! `tokenward-verify CERTIFICATE POLICY…`: checks a certificate about compiled policies.

use std::{fs::File, io::Read as _, process::ExitCode};

use tokenward_verify::{Report, verify};

/// The most bytes that a file may have.
const MOST: u64 = 1 << 30;

const USAGE: &str = "usage: tokenward-verify CERTIFICATE POLICY...
Checks a certificate that `tokenward diff --certificates` wrote. Each POLICY is a compiled policy.
Exit code: 0 if every answer has a proof that holds, 1 if the certificate is refused, 2 for wrong usage,
and 3 if a file cannot be read or an answer has no certificate.";

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.len() < 2 || files.iter().any(|file| file.starts_with('-')) {
        return fail(2, USAGE);
    }
    let files: Result<Vec<Vec<u8>>, String> = files.iter().map(|file| read(file)).collect();
    let mut files = match files {
        Ok(files) => files,
        Err(error) => return fail(3, &error),
    };
    let certificate = String::from_utf8_lossy(&files.remove(0)).into_owned();
    match verify(&certificate, &files) {
        Err(refusal) => fail(1, &format!("refused, {refusal}")),
        Ok(Report { about, claims, open }) => {
            about.iter().enumerate().for_each(|(at, policy)| println!("policy {at} is {policy}"));
            claims.iter().for_each(|claim| println!("{claim}"));
            open.iter().for_each(|open| println!("no certificate: {open}"));
            println!("{} answers hold, {} without a certificate", claims.len(), open.len());
            if open.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) }
        }
    }
}

fn fail(code: u8, why: &str) -> ExitCode {
    eprintln!("tokenward-verify: {why}");
    ExitCode::from(code)
}

/// Reads a file; an error if it is larger than any certificate.
fn read(file: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(MOST + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot read `{file}`: {error}"))?;
    if bytes.len() as u64 > MOST { Err(format!("`{file}` has more than {MOST} bytes")) } else { Ok(bytes) }
}
