//! Reading responses of HTTP/1.1.

use std::io::{BufRead, Read};

use crate::Failure;

/// Reads a whole response, which must be 2xx and have a `Content-Length` or be chunked.
pub(crate) fn read(from: &mut impl BufRead) -> Result<(), Failure> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 2") {
        return Err(format!("answered {line:?}").into());
    }
    let (mut length, mut chunked) = (None, false);
    loop {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            return Err("the response ended within its headers".into());
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse()?);
            }
            chunked |= name.eq_ignore_ascii_case("transfer-encoding")
                && value.trim().eq_ignore_ascii_case("chunked");
        }
    }
    match length {
        Some(length) if !chunked => skip(from, length),
        None if chunked => skip_chunks(from),
        _ => Err("the length of the response is unknown".into()),
    }
}

fn skip_chunks(from: &mut impl BufRead) -> Result<(), Failure> {
    let mut line = String::new();
    loop {
        line.clear();
        from.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim_end(), 16)?;
        skip(from, length + 2)?;
        if length == 0 {
            return Ok(());
        }
    }
}

fn skip(from: &mut impl BufRead, length: u64) -> Result<(), Failure> {
    if std::io::copy(&mut from.take(length), &mut std::io::sink())? < length {
        return Err("the response ended within its body".into());
    }
    Ok(())
}
