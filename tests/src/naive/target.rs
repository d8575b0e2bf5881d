//! The readings that servers have of a request target.

/// `%XX` taken out once, `+` left alone; a broken escape stands for itself.
#[must_use]
pub fn unescaped(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| {
        let digit = char::from(*text.get(at)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// The path as several kinds of servers read it: decoded once; as servlet containers do (parameters cut from each segment,
/// decoded, backslashes turned, dot segments resolved); decoded until nothing changes, then resolved likewise. `None`: a reading
/// that is no UTF-8, or climbs out of the root.
#[must_use]
pub fn paths(path: &[u8]) -> [Option<String>; 3] {
    let once = unescaped(path);
    let mut stable = path.to_vec();
    loop {
        let next = unescaped(&stable);
        if next == stable {
            break;
        }
        stable = next;
    }
    let servlet: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').map(segment).collect();
    [
        String::from_utf8(once).ok(),
        String::from_utf8(servlet.join(&b'/'))
            .ok()
            .and_then(|path| resolved(&path)),
        String::from_utf8(stable).ok().and_then(|path| {
            let turned = path.replace('\\', "/");
            let cut: Vec<&str> = turned
                .split('/')
                .map(|segment| segment.split(';').next().unwrap_or_default())
                .collect();
            resolved(&cut.join("/"))
        }),
    ]
}

/// One segment without its parameters, decoded.
fn segment(segment: &[u8]) -> Vec<u8> {
    unescaped(segment.split(|byte| *byte == b';').next().unwrap_or_default())
}

/// Backslashes turned, empty and dot segments resolved.
fn resolved(path: &str) -> Option<String> {
    let turned = path.replace('\\', "/");
    let mut kept: Vec<&str> = Vec::new();
    let mut slash = false;
    for segment in turned.split('/').skip(1) {
        slash = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop()?;
            }
            name => kept.push(name),
        }
    }
    let end = if slash && !kept.is_empty() { "/" } else { "" };
    Some(format!("/{}{end}", kept.join("/")))
}

/// Decoded names and values, in order; `None` for a parameter without `=`.
pub type Pairs = Vec<(String, Option<String>)>;

/// The query's pairs, cut at these separators, decoded once as forms are; `None` if one is no UTF-8.
#[must_use]
pub fn pairs(query: &[u8], separators: &[u8]) -> Option<Pairs> {
    let text = |encoded: &[u8]| {
        let spaced: Vec<u8> = encoded
            .iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect();
        String::from_utf8(unescaped(&spaced)).ok()
    };
    query
        .split(|byte| separators.contains(byte))
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = text(halves.next().unwrap_or_default())?;
            Some((
                name,
                match halves.next() {
                    Some(value) => Some(text(value)?),
                    None => None,
                },
            ))
        })
        .collect()
}
