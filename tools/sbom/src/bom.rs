//! The bill of materials as CycloneDX 1.6 writes it (ECMA-424).

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::cargo::{Build, Crate, Package, ROOT};

/// Name of the binary, which the bill of materials is about.
const PRODUCT: &str = "tokenward";

/// Why there is no bill of materials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BomError {
    /// The build does not contain the package with the binary.
    #[error("the build has no package {ROOT}")]
    NoRoot,
    /// `SOURCE_DATE_EPOCH` is not a time.
    #[error("SOURCE_DATE_EPOCH is not a number of seconds: {0}")]
    Time(String),
}

/// A time in RFC 3339.
pub(crate) struct Time(String);

impl Time {
    pub(crate) fn from_epoch(seconds: &str) -> Result<Self, BomError> {
        let wrong = || BomError::Time(seconds.to_owned());
        let number = seconds.parse().map_err(|_| wrong())?;
        let time = jiff::Timestamp::from_second(number).map_err(|_| wrong())?;
        Ok(Self(time.to_string()))
    }
}

/// The document. Its members are in the order in which they are written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bom<'a> {
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Component<'a>>,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    component: Component<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: String,
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<License<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<Reference<'a>>,
}

#[derive(Serialize)]
struct Hash<'a> {
    alg: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct License<'a> {
    expression: &'a str,
}

#[derive(Serialize)]
struct Reference<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    depends_on: Vec<String>,
}

impl<'a> Bom<'a> {
    /// Makes the bill of materials of a build.
    pub(crate) fn of(build: &'a Build, time: Option<&'a Time>) -> Result<Self, BomError> {
        let root = build.packages.iter().find(|(named, _)| named.name == ROOT);
        let (root, package) = root.ok_or(BomError::NoRoot)?;
        let product = Component {
            kind: "application",
            name: PRODUCT,
            scope: None,
            ..Component::of(root, package)
        };
        let others = build.packages.iter().filter(|(named, _)| *named != root);
        let mut bom = Self {
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: String::new(),
            version: 1,
            metadata: Metadata {
                timestamp: time.map(|time| time.0.as_str()),
                component: product,
            },
            components: others
                .map(|(named, package)| Component::of(named, package))
                .collect(),
            dependencies: build
                .packages
                .iter()
                .map(|(named, package)| Dependency {
                    reference: reference(named, package),
                    depends_on: depends_on(build, package),
                })
                .collect(),
        };
        bom.serial_number = bom.identity();
        Ok(bom)
    }

    /// Writes the document, with a line end.
    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Returns a UUID of version 8 (RFC 9562) made from the contents, so that the same contents have the same number.
    fn identity(&self) -> String {
        let contents = serde_json::to_vec(self).unwrap_or_default();
        let digest: [u8; 32] = Sha256::digest(contents).into();
        let mut digits: Vec<char> = hex::encode(digest).chars().take(32).collect();
        for (place, digit) in [(12, '8'), (16, 'a')] {
            if let Some(at) = digits.get_mut(place) {
                *at = digit;
            }
        }
        let mut text = String::from("urn:uuid:");
        for (place, digit) in digits.into_iter().enumerate() {
            if matches!(place, 8 | 12 | 16 | 20) {
                text.push('-');
            }
            text.push(digit);
        }
        text
    }
}

impl<'a> Component<'a> {
    fn of(named: &'a Crate, package: &'a Package) -> Self {
        Self {
            kind: "library",
            reference: reference(named, package),
            name: &named.name,
            version: &named.version,
            description: package
                .description
                .as_ref()
                .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")),
            scope: Some(if package.is_linked { "required" } else { "excluded" }),
            hashes: package
                .checksum
                .iter()
                .map(|content| Hash {
                    alg: "SHA-256",
                    content,
                })
                .collect(),
            licenses: package
                .license
                .iter()
                .map(|expression| License { expression })
                .collect(),
            purl: package.checksum.is_some().then(|| purl(named)),
            external_references: package
                .repository
                .iter()
                .map(|url| Reference { kind: "vcs", url })
                .collect(),
        }
    }
}

fn depends_on(build: &Build, package: &Package) -> Vec<String> {
    let known = package
        .dependencies
        .iter()
        .filter_map(|named| build.packages.get_key_value(named));
    known.map(|(named, package)| reference(named, package)).collect()
}

/// Crates of this repository are in no registry, so they have no package URL.
fn reference(named: &Crate, package: &Package) -> String {
    match package.checksum {
        Some(_) => purl(named),
        None => format!("{}@{}", named.name, named.version),
    }
}

fn purl(named: &Crate) -> String {
    // A `+` of build metadata is escaped in a package URL.
    format!("pkg:cargo/{}@{}", named.name, named.version.replace('+', "%2B"))
}

#[cfg(test)]
mod tests;
