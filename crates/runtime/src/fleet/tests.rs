//! Starts of proxies that disturb each other. The command's tests have the rest, with real proxies.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokenward_audit::Store;
use tokenward_fleet::manifest::Manifest;
use tokenward_fleet::revocation::Revocations;
use tokenward_pdp::config::Config;

use super::published::Published;
use super::{Fleet, FleetError, own_release};
use crate::authoring::keys::FleetKey;

/// A source, and the configuration of a proxy that reads it.
struct Scene {
    folder: TempDir,
    key: FleetKey,
    config: Config,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = FleetKey::generate(&folder.path().join("key")).unwrap();
        let text = format!(
            "[fleet]\nname = 'main'\nsource = 'out'\npublic_keys = ['{}']\n[audit]\npath = 'audit'\n",
            key.public()
        );
        let config = crate::config_file::parse(&text, &folder.path().join("tokenward.toml")).unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        Self { folder, key, config }
    }

    fn publish(&self, version: u64) {
        let policy = format!("policy {version}");
        let now = u64::try_from(Timestamp::now().as_second()).unwrap();
        let manifest = Manifest {
            fleet: "main".parse().unwrap(),
            version,
            digest: Sha256::digest(&policy).into(),
            length: policy.len() as u64,
            least: own_release(),
            issued: now,
            expires: now + 3_600,
            revocations: Revocations::first(),
        };
        let place = Published::at(&self.folder.path().join("out"));
        fs::write(place.artifact_path(&manifest.digest), policy).unwrap();
        fs::write(place.manifest_path(), self.key.sign(&manifest)).unwrap();
    }

    fn open(&self) -> Fleet {
        Fleet::open(&self.config).unwrap().unwrap()
    }

    /// The names and contents of the proxy's files.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let directory: &Path = &self.folder.path().join("audit.fleet");
        let mut files: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

#[test]
fn a_start_that_another_process_overtook_is_refused_and_changes_no_file() {
    let scene = Scene::new();
    let audit = Store::open(scene.config.audit.clone()).unwrap();
    scene.publish(1);
    // Both have read the source before either has the lock of the store.
    let slow = scene.open();
    scene.publish(2);
    scene.open().attach(&audit).unwrap();
    let before = scene.files();
    let refused = slow.attach(&audit).unwrap_err();
    assert!(matches!(refused, FleetError::Shared), "{refused}");
    assert_eq!(scene.files(), before);
    assert_eq!(scene.open().status().version, 2);
    // A start that fails leaves nothing of its own, and one that succeeds has removed what others left.
    drop(slow);
    let names: Vec<_> = before.iter().filter_map(|(path, _)| path.file_name()).collect();
    assert_eq!(names, ["manifest", "mark", "policy.twp"]);
    assert_eq!(scene.files(), before);
    audit.close().unwrap();
}
