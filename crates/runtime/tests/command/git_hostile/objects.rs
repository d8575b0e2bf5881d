//! Objects that are missing, damaged or replaced.

use std::fs;

use super::planted::{none_ran, plant};
use super::{GATE, answer, committed, gate_fails};
use crate::policy::token;

#[test]
fn a_missing_object_is_an_error_and_is_not_fetched() {
    let it = committed();
    let blob = it.git(&["rev-parse", "HEAD:policies/t.toml"]);
    let ran = plant(&it);
    let (folder, file) = blob.split_at(2);
    fs::remove_file(it.top().join(".git/objects").join(folder).join(file)).unwrap();
    for arguments in [GATE.as_slice(), &["diff", "HEAD.."], &["scan", "."]] {
        let (code, said) = answer(&it, arguments);
        assert!(code == 3 && said.contains(&blob), "{arguments:?}: {said}");
    }
    none_ran(&ran);
}

#[test]
fn replaced_and_grafted_commits_are_not_seen() {
    let it = committed();
    let honest = it.git(&["rev-parse", "HEAD"]);
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    let evil = it.commit("Two");
    it.git(&["replace", &honest, &evil]);
    gate_fails(&answer(
        &it,
        &["compile", "--check", "--no-new-access", &honest, "policies"],
    ));
    it.git(&["replace", "-d", &honest]);
    it.write(".git/info/grafts", &format!("{evil} {evil}\n"));
    gate_fails(&answer(
        &it,
        &["compile", "--check", "--no-new-access", "main~1", "policies"],
    ));
}

#[test]
fn an_object_that_is_not_what_its_id_stands_for_is_an_error() {
    let it = committed();
    it.write("policies/u.toml", &token("t", "11", "", "/rest/.*"));
    let object = |revision: &str| {
        let id = it.git(&["rev-parse", revision]);
        let (folder, file) = id.split_at(2);
        it.top().join(".git/objects").join(folder).join(file)
    };
    it.git(&["add", "-A"]);
    let (honest, evil) = (object("HEAD:policies/t.toml"), object(":policies/u.toml"));
    fs::remove_file(it.top().join("policies/t.toml")).unwrap();
    fs::remove_file(&honest).unwrap();
    fs::copy(&evil, &honest).unwrap();
    for arguments in [GATE.as_slice(), &["diff", "HEAD.."], &["scan", "."]] {
        let (code, said) = answer(&it, arguments);
        assert!(code == 3 && said.contains("is damaged"), "{arguments:?}: {said}");
    }
    fs::remove_file(&honest).unwrap();
    fs::write(&honest, "x").unwrap();
    let (code, said) = answer(&it, &["scan", "."]);
    assert_eq!(code, 3, "{said}");
}

#[test]
fn a_repository_with_long_ids_is_read_too() {
    let it = committed();
    fs::remove_dir_all(it.top().join(".git")).unwrap();
    it.git(&["init", "-q", "-b", "main", "--object-format=sha256"]);
    it.commit("One");
    assert_eq!(answer(&it, &GATE).0, 0);
    it.write("policies/u.toml", &token("u", "22", "", "/rest/.*"));
    gate_fails(&answer(&it, &GATE));
}
