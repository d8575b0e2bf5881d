//! Files of requests.

use std::path::Path;

use crate::Failure;

/// Reads requests, each after a line with its length in bytes.
pub(crate) fn read(file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = std::fs::read(file)?;
    let mut rest = bytes.as_slice();
    let mut requests = Vec::new();
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or("a length without a line end")?;
        let length: usize = std::str::from_utf8(rest.get(..end).unwrap_or_default())?.parse()?;
        let request = rest
            .get(end + 1..end + 1 + length)
            .ok_or("a request is shorter than its length")?;
        requests.push(request.to_vec());
        rest = rest.get(end + 1 + length..).unwrap_or_default();
    }
    if requests.is_empty() {
        return Err("the file has no request".into());
    }
    Ok(requests)
}
