//! The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt, revision of 2020): a proxy names the client
//! before the first byte of a connection.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The first bytes of version 2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Maximum length of a line of version 1, including its CRLF.
const LONGEST_LINE: usize = 107;
/// Maximum size of the addresses and further fields of version 2; senders use some hundred bytes.
const LONGEST_BLOCK: u16 = 4096;

/// Reads exactly the header. `None`: the proxy made the connection itself (a health check), or does not know the
/// client.
///
/// # Errors
/// `InvalidData` if the bytes are not such a header, or the connection is not TCP; otherwise the stream's own errors.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    // Read the minimum length of a header, and no byte more.
    let mut begin = [0; SIGNATURE.len()];
    stream.read_exact(&mut begin).await?;
    if begin == SIGNATURE {
        return version2(stream).await;
    }
    if !begin.starts_with(b"PROXY ") {
        return Err(malformed());
    }
    let mut line = begin.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() == LONGEST_LINE {
            return Err(malformed());
        }
        line.push(stream.read_u8().await?);
    }
    version1(&line).ok_or_else(malformed)
}

/// Parses `PROXY TCP4 192.0.2.1 198.51.100.1 4711 443` with its CRLF.
fn version1(line: &[u8]) -> Option<Option<IpAddr>> {
    let line = std::str::from_utf8(line).ok()?;
    let text = line.strip_prefix("PROXY ")?.strip_suffix("\r\n")?;
    // A proxy that does not know the client may add text, which is ignored.
    if text == "UNKNOWN" || text.starts_with("UNKNOWN ") {
        return (!text.contains(['\r', '\n'])).then_some(None);
    }
    let mut parts = text.split(' ');
    let (family, from, to) = (parts.next()?, parts.next()?, parts.next()?);
    let (from, to) = match family {
        "TCP4" => (
            from.parse().map(IpAddr::V4).ok()?,
            to.parse().map(IpAddr::V4).ok()?,
        ),
        "TCP6" => (
            from.parse().map(IpAddr::V6).ok()?,
            to.parse().map(IpAddr::V6).ok()?,
        ),
        _ => return None,
    };
    let ports = [parts.next()?, parts.next()?].into_iter().all(is_port);
    (ports && parts.next().is_none() && from.is_ipv4() == to.is_ipv4()).then_some(Some(from))
}

fn is_port(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain && text.parse::<u16>().is_ok()
}

/// Reads the rest after the signature: version and command, family, length, addresses, further fields.
async fn version2(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let (command, family) = (stream.read_u8().await?, stream.read_u8().await?);
    let length = stream.read_u16().await?;
    if length > LONGEST_BLOCK {
        return Err(malformed());
    }
    let mut block = vec![0; usize::from(length)];
    stream.read_exact(&mut block).await?;
    let (address, fields) = match (command, family) {
        // LOCAL, in any family; and PROXY for a connection that is not TCP/IP at the proxy's other side.
        (0x20, _) | (0x21, 0x00) => return Ok(None),
        (0x21, 0x11) => {
            addresses::<4, 12>(&block).map(|(from, rest)| (IpAddr::V4(Ipv4Addr::from(from)), rest))
        }
        (0x21, 0x21) => {
            addresses::<16, 36>(&block).map(|(from, rest)| (IpAddr::V6(Ipv6Addr::from(from)), rest))
        }
        _ => None,
    }
    .ok_or_else(malformed)?;
    if are_fields(fields) {
        Ok(Some(address))
    } else {
        Err(malformed())
    }
}

/// Splits off the source, the first of two addresses and two ports of `ALL` bytes, and gives the rest.
fn addresses<const ONE: usize, const ALL: usize>(block: &[u8]) -> Option<([u8; ONE], &[u8])> {
    let (addresses, fields) = block.split_at_checked(ALL)?;
    Some((*addresses.first_chunk::<ONE>()?, fields))
}

/// Whether the bytes are complete fields of type, length and value.
fn are_fields(mut bytes: &[u8]) -> bool {
    while let [_, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(after) = rest.get(length..) else {
            return false;
        };
        bytes = after;
    }
    bytes.is_empty()
}

fn malformed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "no PROXY protocol header")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the header, and gives the result and the bytes left for HTTP.
    async fn from(bytes: &[u8]) -> (String, Vec<u8>) {
        let mut rest = bytes;
        let said = match read(&mut rest).await {
            Ok(Some(address)) => address.to_string(),
            Ok(None) => "itself".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        };
        (said, rest.to_vec())
    }

    fn version2(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
        let length = u16::try_from(block.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, block].concat()
    }

    #[tokio::test]
    async fn lines_of_version_1() {
        for (line, said) in [
            ("PROXY TCP4 192.0.2.1 198.51.100.1 4711 443", "192.0.2.1"),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 0 65535", "192.0.2.1"),
            ("PROXY TCP6 2001:db8::1 ::1 4711 443", "2001:db8::1"),
            ("PROXY UNKNOWN", "itself"),
            ("PROXY UNKNOWN ffff::1 x", "itself"),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 4711", "InvalidData"),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 4711 443 1", "InvalidData"),
            ("PROXY TCP4 192.0.2.1  198.51.100.1 4711 443", "InvalidData"),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 04711 443", "InvalidData"),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 65536 443", "InvalidData"),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 +1 443", "InvalidData"),
            ("PROXY TCP4 192.0.2.01 198.51.100.1 1 443", "InvalidData"),
            ("PROXY TCP4 ::1 ::1 1 443", "InvalidData"),
            ("PROXY TCP6 192.0.2.1 192.0.2.2 1 443", "InvalidData"),
            ("PROXY tcp4 192.0.2.1 198.51.100.1 1 443", "InvalidData"),
            ("PROXY UDP4 192.0.2.1 198.51.100.1 1 443", "InvalidData"),
            ("PROXY  TCP4 192.0.2.1 198.51.100.1 1 443", "InvalidData"),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 1 443\n", "InvalidData"),
            ("PROXY UNKNOWN a\rb", "InvalidData"),
            ("GET / HTTP/1.1", "InvalidData"),
        ] {
            let (found, rest) = from(format!("{line}\r\nGET").as_bytes()).await;
            assert_eq!(found, said, "{line}");
            if said != "InvalidData" {
                assert_eq!(rest, b"GET", "{line}");
            }
        }
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(LONGEST_LINE - 16));
        assert_eq!(from(long.as_bytes()).await.0, "itself");
        let longer = format!("PROXY UNKNOWN {}\r\n", "x".repeat(LONGEST_LINE - 15));
        assert_eq!(from(longer.as_bytes()).await.0, "InvalidData");
        assert_eq!(from(b"PROXY TCP4 192.0.2.1").await.0, "UnexpectedEof");
    }

    #[tokio::test]
    async fn blocks_of_version_2() {
        let v4 = [192, 0, 2, 1, 198, 51, 100, 1, 0, 7, 1, 187];
        let mut v6 = [0; 36];
        v6[15] = 1;
        let with = |fields: &[u8]| [&v4[..], fields].concat();
        for (bytes, said) in [
            (version2(0x21, 0x11, &v4), "192.0.2.1"),
            (version2(0x21, 0x21, &v6), "::1"),
            (
                version2(0x21, 0x11, &with(&[1, 0, 2, b'h', b'2', 4, 0, 0])),
                "192.0.2.1",
            ),
            (version2(0x20, 0x00, &[]), "itself"),
            (version2(0x20, 0x11, &v4), "itself"),
            (version2(0x21, 0x00, &[9; 5]), "itself"),
            (version2(0x21, 0x11, &v4[..11]), "InvalidData"),
            (version2(0x21, 0x21, &v6[..35]), "InvalidData"),
            (version2(0x21, 0x11, &with(&[1, 0, 2, b'h'])), "InvalidData"),
            (version2(0x21, 0x11, &with(&[1, 0])), "InvalidData"),
            (version2(0x21, 0x12, &v4), "InvalidData"),
            (version2(0x21, 0x31, &[0; 216]), "InvalidData"),
            (version2(0x11, 0x11, &v4), "InvalidData"),
            (version2(0x22, 0x11, &v4), "InvalidData"),
            (version2(0x21, 0x11, &[0; 4097]), "InvalidData"),
        ] {
            let (found, rest) = from(&[&bytes[..], b"GET"].concat()).await;
            assert_eq!(found, said, "{bytes:?}");
            if said != "InvalidData" {
                assert_eq!(rest, b"GET", "{bytes:?}");
            }
        }
        assert_eq!(from(&version2(0x21, 0x11, &v4)[..20]).await.0, "UnexpectedEof");
    }
}
