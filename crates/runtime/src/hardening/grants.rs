//! Finds the files and ports that a configuration needs.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use http::Uri;
use http::uri::Scheme;
use tokenward_pdp::config::{Config, FleetSource, Identity, PasswordSource};

use super::links::{directories, parent};

/// The port of DNS servers, which resolvers also ask over TCP.
/// The port of NATS.
const NATS: u16 = 4222;
const DNS: u16 = 53;

/// Files of the system from which host names are resolved. They are replaced by renaming, for example when an address is
/// leased, so all of `/etc` has to be readable.
const RESOLVER: [&str; 4] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
];

/// Directories with the libraries that the resolver loads when it is first used.
const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

/// Directories with the authorities that the system trusts.
const AUTHORITIES: [&str; 4] = [
    "/etc",
    "/usr/share/ca-certificates",
    "/usr/local/share",
    "/usr/share/pki",
];

/// A directory that has to be granted cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("cannot create `{}`: {source}", .path.display())]
pub struct DirectoryError {
    /// Path of the directory.
    pub path: PathBuf,
    /// Error of the operating system.
    pub source: io::Error,
}

/// The files and ports that the process can use once it is restricted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Grants {
    /// Directories below which files can be read; single files where the directory is the root.
    pub(super) read: BTreeSet<PathBuf>,
    /// Directories below which files can also be created, changed and deleted.
    pub(super) write: BTreeSet<PathBuf>,
    /// Whether a written path is directly below the root, so that files cannot be restricted.
    pub(super) writes_root: bool,
    /// TCP ports to listen on.
    pub(super) bind: BTreeSet<u16>,
    /// TCP ports to connect to.
    pub(super) connect: BTreeSet<u16>,
}

impl Grants {
    /// Collects the grants of a configuration. Creates the directories of the audit and of the admin secret, since only
    /// existing ones can be granted.
    ///
    /// # Errors
    /// A directory cannot be created.
    pub(super) fn of(config: &Config) -> Result<Self, DirectoryError> {
        let mut grants = Self::default();
        for path in read_paths(config) {
            grants.read.extend(directories(path));
        }
        for path in written_paths(config) {
            create_parent(&path)?;
            grants.may_write(&path);
        }
        grants.ports(config);
        Ok(grants)
    }

    fn may_write(&mut self, path: &Path) {
        // Unlike readable ones, these paths are not swapped while the proxy runs, so targets need no parents.
        for directory in [
            parent(path),
            fs::canonicalize(path).ok().filter(|path| path.is_dir()),
        ] {
            match directory {
                Some(root) if root == Path::new("/") => self.writes_root = true,
                Some(directory) => {
                    self.write.insert(directory);
                }
                None => {}
            }
        }
    }

    fn ports(&mut self, config: &Config) {
        self.bind = BTreeSet::from([config.server.listen.port(), config.admin.listen.port()]);
        self.bind
            .extend(config.health.listen.map(|address| address.port()));
        let urls = config
            .upstream
            .urls
            .iter()
            .map(|url| (url, config.upstream.ca_file.is_none()));
        let endpoint = config.telemetry.otlp_endpoint.iter().map(|url| (url, true));
        let fleet = config.fleet.as_ref().and_then(|fleet| match &fleet.source {
            FleetSource::Https(url) => Some((url.as_str().to_owned(), fleet.ca_file.is_none())),
            FleetSource::Directory(_) | FleetSource::Nats => None,
        });
        if let Some((fleet, engine)) = config
            .fleet
            .as_ref()
            .and_then(|it| it.engine.as_ref().map(|engine| (it, engine)))
        {
            self.engine(&engine.servers, fleet.ca_file.is_none());
        }
        let fleet = fleet
            .as_ref()
            .map(|(url, system_authorities)| (url, *system_authorities));
        for (url, system_authorities) in urls.chain(endpoint).chain(fleet) {
            let Ok(uri) = url.parse::<Uri>() else {
                continue;
            };
            let tls = uri.scheme() == Some(&Scheme::HTTPS);
            self.connect
                .insert(uri.port_u16().unwrap_or(if tls { 443 } else { 80 }));
            if !is_address(&uri) {
                self.resolver();
            }
            if tls && system_authorities {
                self.authorities();
            }
        }
    }

    /// The servers of a fleet's engine.
    fn engine(&mut self, servers: &[String], system_authorities: bool) {
        for uri in servers.iter().filter_map(|server| server.parse::<Uri>().ok()) {
            self.connect.insert(uri.port_u16().unwrap_or(NATS));
            if !is_address(&uri) {
                self.resolver();
            }
            if system_authorities && uri.scheme_str() == Some("tls") {
                self.authorities();
            }
        }
    }

    fn resolver(&mut self) {
        self.connect.insert(DNS);
        for file in RESOLVER {
            self.read.extend(directories(Path::new(file)));
        }
        self.read.extend(existing(&LIBRARIES));
    }

    fn authorities(&mut self) {
        self.read.extend(existing(&AUTHORITIES));
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            if let Some(path) = std::env::var_os(variable) {
                self.read.extend(directories(Path::new(&path)));
            }
        }
    }
}

fn existing<'a>(paths: &'a [&'a str]) -> impl Iterator<Item = PathBuf> + 'a {
    paths.iter().filter_map(|path| fs::canonicalize(path).ok())
}

/// Whether the URL's host is an address, which needs no resolver.
fn is_address(uri: &Uri) -> bool {
    uri.host().is_some_and(|host| {
        host.trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok()
    })
}

/// Lists the files and directories that the proxy reads, at its start or again later.
fn read_paths(config: &Config) -> Vec<&Path> {
    let mut paths: Vec<&Path> = vec![&config.policies, &config.admin.secret_file];
    paths.extend(config.file.as_deref());
    if let Some(fleet) = &config.fleet {
        paths.extend(fleet.source.directory());
        paths.extend(
            [&fleet.ca_file, &fleet.token_file]
                .into_iter()
                .filter_map(Option::as_deref),
        );
    }
    paths.extend(config.admin.review.iter().map(PathBuf::as_path));
    let people = config.admin.client_certificates.iter();
    paths.extend(people.map(|people| people.ca_file.as_path()));
    let engine = config.fleet.as_ref().and_then(|fleet| fleet.engine.as_ref());
    for files in [
        &config.server.tls,
        &config.admin.tls,
        &config.upstream.client_certificate,
        engine.map_or(&None, |engine| &engine.client_certificate),
    ] {
        paths.extend(
            files
                .iter()
                .flat_map(|files| [files.certificate.as_path(), &files.key]),
        );
    }
    paths.extend(config.upstream.ca_file.as_deref());
    paths.extend(config.audit.signing_key.as_deref());
    let password = match &config.identity {
        Identity::TrustedHeader { .. } => None,
        Identity::PerUser { credentials } => Some(credentials.as_path()),
        Identity::ServiceAccount { password, .. } => file_of(password),
    };
    paths.extend(password);
    paths.extend(config.audit_values.key.as_ref().and_then(file_of));
    paths
}

fn file_of(source: &PasswordSource) -> Option<&Path> {
    match source {
        PasswordSource::File(path) => Some(path),
        PasswordSource::Environment(_) => None,
    }
}

/// Lists the paths at and next to which the proxy writes: the file of revocations is next to the audit. The admin secret is
/// written only if it is missing.
fn written_paths(config: &Config) -> Vec<PathBuf> {
    let mut paths = vec![config.audit.path.clone()];
    if !config.admin.secret_file.exists() {
        paths.push(config.admin.secret_file.clone());
    }
    paths
}

fn create_parent(path: &Path) -> Result<(), DirectoryError> {
    let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return Ok(());
    };
    fs::create_dir_all(directory).map_err(|source| DirectoryError {
        path: directory.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(top: &Path, text: &str) -> Grants {
        fs::create_dir_all(top.join("etc")).unwrap();
        let config = crate::config_file::parse(text, &top.join("etc/tokenward.toml")).unwrap();
        Grants::of(&config).unwrap()
    }

    /// Every key of the configuration that names a file, each in a directory of its own.
    #[test]
    fn each_configured_path_is_granted_by_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let names = [
            "policies", "tls", "ca", "client", "users", "signing", "values", "admin",
        ];
        for name in names {
            fs::create_dir(top.join(name)).unwrap();
        }
        fs::write(top.join("admin/secret"), "").unwrap();
        let grants = of(
            &top,
            "policies = '../policies/p'\n\
             [server.tls]\ncertificate = '../tls/c.pem'\nkey = '../tls/k.pem'\n\
             [admin]\nsecret_file = '../admin/secret'\n\
             [health]\nlisten = '0.0.0.0:8082'\n\
             [upstream]\nurl = 'https://10.0.0.1'\npublic_url = 'https://a.example'\nca_file = '../ca/ca.pem'\n\
             client_certificate = '../client/c.pem'\nclient_key = '../client/k.pem'\n\
             [upstream.identity]\nmode = 'per-user'\ncredentials = '../users/u.toml'\n\
             [audit]\npath = '../state/audit'\nsigning_key = '../signing/k'\n\
             [audit.values]\nhash = ['x']\nkey_file = '../values/k'\n",
        );
        let wanted: BTreeSet<PathBuf> = names.iter().map(|name| top.join(name)).collect();
        assert_eq!(grants.read, wanted);
        assert_eq!(grants.write, BTreeSet::from([top.join("state")]));
        assert!(!grants.writes_root);
        assert_eq!(grants.bind, BTreeSet::from([8080, 8081, 8082]));
        assert_eq!(
            grants.connect,
            BTreeSet::from([443]),
            "an address needs no resolver"
        );
    }

    #[test]
    fn names_and_the_systems_authorities_need_files_of_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let grants = of(
            folder.path(),
            "[upstream]\nurl = ['http://a.example:8090', 'http://b.example:8091']\n[telemetry]\notlp_endpoint = 'https://c.example/v1/traces'\n",
        );
        assert_eq!(grants.connect, BTreeSet::from([53, 443, 8090, 8091]));
        assert!(grants.read.contains(Path::new("/etc")), "{grants:?}");
        assert!(!grants.read.contains(Path::new("/")), "{grants:?}");
    }

    #[test]
    fn the_server_of_a_fleet_can_be_reached() {
        let folder = tempfile::tempdir().unwrap();
        let key = "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
        let fleet = format!(
            "[fleet]\nname = 'main'\nsource = 'https://fleet.example:8444/out'\npublic_keys = ['{key}']\n"
        );
        let grants = of(folder.path(), &fleet);
        assert!(
            grants.connect.is_superset(&BTreeSet::from([53, 8444])),
            "{grants:?}"
        );
        for name in ["ca", "token"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let files = format!("{fleet}ca_file = '../ca/ca.pem'\ntoken_file = '../token/t'\n");
        let grants = of(folder.path(), &files.replace("fleet.example", "10.0.0.9"));
        let top = folder.path().canonicalize().unwrap();
        for name in ["ca", "token"] {
            assert!(grants.read.contains(&top.join(name)), "{grants:?}");
        }
        assert!(grants.connect.contains(&8444));
    }

    #[test]
    fn a_missing_admin_secret_can_be_created() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let text = "[admin]\nsecret_file = '../first/secret'\n[audit]\npath = '../state/audit'\n";
        let both = BTreeSet::from([top.join("first"), top.join("state")]);
        assert_eq!(of(&top, text).write, both);
        fs::write(top.join("first/secret"), "").unwrap();
        assert_eq!(of(&top, text).write, BTreeSet::from([top.join("state")]));
    }

    #[test]
    fn an_audit_behind_a_link_is_writable_and_its_neighbours_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("disk/audit")).unwrap();
        fs::create_dir(top.join("state")).unwrap();
        std::os::unix::fs::symlink("../disk/audit", top.join("state/audit")).unwrap();
        fs::write(top.join("secret"), "").unwrap();
        let grants = of(
            &top,
            "[admin]\nsecret_file = '../secret'\n[audit]\npath = '../state/audit'\n",
        );
        assert_eq!(
            grants.write,
            BTreeSet::from([top.join("state"), top.join("disk/audit")])
        );
    }
}
