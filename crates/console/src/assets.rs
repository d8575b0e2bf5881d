//! Static files of the console. Their names contain a hash of their content, so that browsers may keep them forever.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// Path of all static files.
pub const PATH: &str = "/console/assets/";

/// A static file.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// Content.
    pub body: &'static str,
}

/// A file with its name.
struct Named {
    /// Name without the hash, for templates.
    name: &'static str,
    /// Name with the hash: `console-1a2b3c4d5e6f.css`.
    file: String,
    asset: Asset,
}

const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";

static ASSETS: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let files = [
        ("console.css", CSS, include_str!("../assets/console.css")),
        ("icon.svg", SVG, include_str!("../assets/icon.svg")),
        ("page.js", SCRIPT, include_str!("../assets/page.js")),
        ("tail.js", SCRIPT, include_str!("../assets/tail.js")),
        ("answer.js", SCRIPT, include_str!("../assets/answer.js")),
    ];
    files
        .into_iter()
        .map(|(name, content_type, body)| {
            let hash = hex::encode(Sha256::digest(body));
            let hash = hash.get(..12).unwrap_or_default();
            let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
            Named {
                name,
                file: format!("{stem}-{hash}.{extension}"),
                asset: Asset { content_type, body },
            }
        })
        .collect()
});

/// The file with this name, which is the part of the path after [`PATH`].
#[must_use]
pub fn find(file: &str) -> Option<Asset> {
    let found = ASSETS.iter().find(|named| named.file == file);
    found.map(|named| named.asset)
}

/// Names and contents of all files.
pub fn all() -> impl Iterator<Item = (&'static str, Asset)> {
    ASSETS.iter().map(|named| (named.file.as_str(), named.asset))
}

/// Path of a file by its name without the hash.
pub(crate) fn href(name: &str) -> String {
    let found = ASSETS.iter().find(|named| named.name == name);
    let file = found.map_or(name, |named| named.file.as_str());
    format!("{PATH}{file}")
}
