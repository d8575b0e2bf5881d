use tokenward_pdp::request::{Framing, Version};
use tokenward_runtime::fuzzing::{WireReading, read_wire};

use crate::naive;

const HEAD_BYTES: usize = 600;
const HEAD_FIELDS: usize = 8;

/// The first byte says how the rest is cut into pieces. Cut or whole, the wire guard reads the same requests and ends in the same
/// verdict; a naive reader finds the same requests in the same bytes, and nothing to object to in them; written anew in the plainest
/// form, they read as themselves; and no more waits in memory than a head.
pub fn wire(bytes: &[u8]) {
    let Some((&cut, bytes)) = bytes.split_first() else {
        return;
    };
    let read = |size: usize| read_wire(bytes.chunks(size.max(1)), HEAD_BYTES, HEAD_FIELDS);
    let whole = read(bytes.len());
    for size in [1, usize::from(cut) + 1, usize::from(cut & 7) + 1] {
        let cut = read(size);
        assert_eq!(
            (&cut.requests, cut.broken),
            (&whole.requests, whole.broken),
            "in pieces of {size}: {:?}",
            String::from_utf8_lossy(bytes)
        );
        assert!(
            cut.buffered <= HEAD_BYTES + size || cut.broken.is_some(),
            "{} bytes wait",
            cut.buffered
        );
    }
    naively(bytes, &whole);
    anew(&whole);
}

fn naively(bytes: &[u8], reading: &WireReading) {
    let mut rest = bytes;
    for request in reading.requests.iter().filter(|request| request.complete) {
        rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
        let (message, length) = naive::http::take(rest).unwrap_or_else(|| {
            panic!(
                "naively not whole: {request:?} in {:?}",
                String::from_utf8_lossy(rest)
            )
        });
        // The guard drops trailers, as RFC 9110 section 6.5.1 has it, and leaves it to the reading to refuse targets by name.
        let faults: Vec<_> = message
            .faults
            .iter()
            .filter(|fault| !["a trailer", "the target"].contains(fault))
            .collect();
        assert!(
            faults.is_empty(),
            "{faults:?} in {:?}",
            String::from_utf8_lossy(rest)
        );
        let fields: Vec<_> = request
            .fields
            .iter()
            .map(|(name, value)| (String::from_utf8_lossy(name).to_ascii_lowercase(), value.clone()))
            .collect();
        assert_eq!(
            (&message.method, &message.target, &message.fields, &message.body),
            (&request.method, &request.target, &fields, &request.body)
        );
        rest = rest.get(length..).unwrap_or_default();
    }
}

fn anew(reading: &WireReading) {
    let mut requests = reading.requests.clone();
    requests.retain(|request| request.complete);
    let mut bytes = Vec::new();
    for request in &mut requests {
        let version = match request.version {
            Version::Http10 => "HTTP/1.0",
            _ => "HTTP/1.1",
        };
        request.fields.retain(|(name, _)| {
            !name.eq_ignore_ascii_case(b"content-length") && !name.eq_ignore_ascii_case(b"transfer-encoding")
        });
        let length = request.body.len().to_string().into_bytes();
        request.fields.push((b"Content-Length".to_vec(), length));
        request.framing = Framing::Length(request.body.len() as u64);
        bytes.extend_from_slice(format!("{} ", request.method).as_bytes());
        bytes.extend_from_slice(&request.target);
        bytes.extend_from_slice(format!(" {version}\r\n").as_bytes());
        for (name, value) in &request.fields {
            bytes.extend_from_slice(&[name, &b": "[..], value, b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&request.body);
    }
    // The fields that were added may be beyond the limits that the others kept.
    let again = read_wire([bytes.as_slice()], HEAD_BYTES + 1000, HEAD_FIELDS + 1);
    assert_eq!(
        (again.requests, again.broken),
        (requests, None),
        "{:?}",
        String::from_utf8_lossy(&bytes)
    );
}
