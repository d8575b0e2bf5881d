use std::cell::Cell;

use super::*;

/// A directory with two files of one state, and what `change` makes of it after each reading, counted from 1.
fn read_while(change: impl Fn(&Path, usize)) -> (Result<Files, ReadDirError>, usize) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    put(path, "a.toml", "old");
    put(path, "b.limits", "old");
    let mut readings = 0;
    let read = steady(path, Files::new(), |before| {
        let read = read_once(path, Links::WithinDirectory, before);
        readings += 1;
        change(path, readings);
        Ok(read?.0)
    });
    (read, readings)
}

fn put(directory: &Path, name: &str, text: &str) {
    fs::write(directory.join(name), text).unwrap();
}

fn files(pairs: &[(&str, &str)]) -> Files {
    let pairs = pairs.iter();
    pairs
        .map(|(name, text)| ((*name).to_owned(), Arc::from(*text)))
        .collect()
}

#[test]
fn a_directory_that_changed_while_it_was_read_is_read_again() {
    let (read, readings) = read_while(|_, _| {});
    assert_eq!(read.unwrap(), files(&[("a.toml", "old"), ("b.limits", "old")]));
    assert_eq!(readings, 2);

    let (read, readings) = read_while(|path, reading| {
        if reading == 1 {
            put(path, "a.toml", "new");
            put(path, "b.limits", "new");
            put(path, "c.toml", "new");
        }
    });
    let expected = [("a.toml", "new"), ("b.limits", "new"), ("c.toml", "new")];
    assert_eq!(read.unwrap(), files(&expected));
    assert_eq!(readings, 3);

    // One state after the other, as an editor or a checkout writes them: none but the last is taken.
    let (read, readings) = read_while(|path, reading| match reading {
        1 => put(path, "a.toml", "new"),
        2 => put(path, "b.limits", "new"),
        3 => fs::remove_file(path.join("b.limits")).unwrap(),
        _ => {}
    });
    assert_eq!(read.unwrap(), files(&[("a.toml", "new")]));
    assert_eq!(readings, 5);
}

#[test]
fn a_directory_that_cannot_be_read_for_a_moment_is_read_again() {
    let link = |path: &Path| path.join("z.toml");
    let (read, readings) = read_while(|path, reading| match reading {
        1 => std::os::unix::fs::symlink("nowhere", link(path)).unwrap(),
        2 => fs::remove_file(link(path)).unwrap(),
        _ => {}
    });
    assert_eq!(read.unwrap().len(), 2);
    assert_eq!(readings, 4);

    let (read, _) = read_while(|path, reading| {
        if reading == 1 {
            std::os::unix::fs::symlink("nowhere", link(path)).unwrap();
        }
    });
    assert!(matches!(read, Err(ReadDirError::Io { .. })));
}

#[test]
fn a_directory_that_never_rests_is_given_up() {
    let (read, readings) = read_while(|path, reading| put(path, "a.toml", &reading.to_string()));
    assert!(matches!(read, Err(ReadDirError::Unsteady(_))));
    assert_eq!(readings, ATTEMPTS + 1);
}

/// The names that are read from `policies` in a folder, or the error's text.
fn names(folder: &Path, links: Links) -> Result<Vec<String>, String> {
    let read = SourceSet::read_dir(&folder.join("policies"), links);
    let read = read.map_err(|error| error.to_string())?;
    Ok(read.iter().map(|(_, source)| source.path.clone()).collect())
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("policies/..1/team")).unwrap();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    put(&folder.path().join("policies/..1"), "a.toml", "");
    put(&folder.path().join("policies/..1/team"), "b.toml", "");
    put(&folder.path().join("elsewhere"), "c.toml", "");
    folder
}

fn link(folder: &Path, name: &str, target: &str) {
    std::os::unix::fs::symlink(target, folder.join("policies").join(name)).unwrap();
}

#[test]
fn links_within_the_directory_are_followed_where_that_is_asked_for() {
    let folder = folder();
    let folder = folder.path();
    link(folder, "..data", "..1");
    link(folder, "a.toml", "..data/a.toml");
    link(folder, "team", "..data/team");
    link(
        folder,
        "absolute.toml",
        folder.join("policies/..1/a.toml").to_str().unwrap(),
    );
    let expected = ["a.toml", "absolute.toml", "team/b.toml"].map(str::to_owned);
    assert_eq!(names(folder, Links::WithinDirectory).unwrap(), expected);
    let error = names(folder, Links::Refuse).unwrap_err();
    assert!(error.contains("is a symbolic link"), "{error}");

    // The directory itself.
    fs::rename(folder.join("policies"), folder.join("v1")).unwrap();
    std::os::unix::fs::symlink("v1", folder.join("policies")).unwrap();
    fs::remove_file(folder.join("v1/absolute.toml")).unwrap();
    assert_eq!(
        names(folder, Links::WithinDirectory).unwrap(),
        ["a.toml", "team/b.toml"]
    );
}

#[test]
fn links_out_of_the_directory_are_followed_nowhere() {
    for (name, target) in [
        ("c.toml", "../elsewhere/c.toml"),
        ("team", "../elsewhere"),
        ("up", ".."),
        ("root.toml", "/etc/hostname"),
    ] {
        let folder = folder();
        link(folder.path(), name, target);
        let error = names(folder.path(), Links::WithinDirectory).unwrap_err();
        assert!(
            error.contains(&format!(
                "policies/{name}` is a symbolic link to a place outside the policy directory"
            )),
            "{error}"
        );
        assert!(names(folder.path(), Links::Refuse).is_err());
    }
    // By way of a link that stays within.
    let folder = folder();
    link(folder.path(), "..data", "../elsewhere");
    link(folder.path(), "c.toml", "..data/c.toml");
    let error = names(folder.path(), Links::WithinDirectory).unwrap_err();
    assert!(
        error.contains("policies/c.toml` is a symbolic link to a place outside the policy directory"),
        "{error}"
    );
    // What is no part of the policy may lead anywhere.
    fs::remove_file(folder.path().join("policies/c.toml")).unwrap();
    link(folder.path(), "README.md", "/etc/hostname");
    assert_eq!(names(folder.path(), Links::WithinDirectory).unwrap(), [""; 0]);
}

#[test]
fn circles_end_with_an_error() {
    for targets in [
        &[("one", ".")][..],
        &[("one", "."), ("two", "."), ("three", ".")],
        &[("l.toml", "l.toml")],
    ] {
        let folder = folder();
        for (name, target) in targets {
            link(folder.path(), name, target);
        }
        assert!(names(folder.path(), Links::WithinDirectory).is_err());
    }
}

#[test]
fn pipes_sockets_and_devices_are_errors_and_hold_nothing_up() {
    use std::os::unix::net::UnixListener;
    let folder = folder();
    let folder = folder.path();
    let policies = folder.join("policies");
    let pipe = std::process::Command::new("mkfifo")
        .arg(policies.join("p.toml"))
        .status();
    assert!(pipe.unwrap().success());
    for links in [Links::Refuse, Links::WithinDirectory] {
        let error = names(folder, links).unwrap_err();
        assert!(error.contains("p.toml`: not a regular file"), "{error}");
    }
    fs::remove_file(policies.join("p.toml")).unwrap();
    let _socket = UnixListener::bind(policies.join("s.toml")).unwrap();
    assert!(names(folder, Links::Refuse).is_err());
    fs::remove_file(policies.join("s.toml")).unwrap();
    link(folder, "d.toml", "/dev/zero");
    assert!(
        names(folder, Links::WithinDirectory)
            .unwrap_err()
            .contains("outside the policy directory")
    );
    fs::remove_file(policies.join("d.toml")).unwrap();
    fs::create_dir(policies.join("n.toml")).unwrap();
    assert_eq!(names(folder, Links::Refuse).unwrap(), [""; 0]);
}

#[test]
fn a_repository_within_the_directory_is_refused() {
    let folder = folder();
    let policies = folder.path().join("policies");
    // The directory itself can be the top of one.
    fs::create_dir(policies.join(".git")).unwrap();
    put(&policies, "a.toml", "");
    assert_eq!(names(folder.path(), Links::Refuse).unwrap(), ["a.toml"]);
    fs::create_dir(policies.join("sub")).unwrap();
    put(&policies.join("sub"), ".git", "gitdir: ../../.git/modules/sub\n");
    for links in [Links::Refuse, Links::WithinDirectory] {
        let error = names(folder.path(), links).unwrap_err();
        assert!(
            error.contains("policies/sub` is a git repository of its own"),
            "{error}"
        );
    }
}

#[test]
fn a_submodule_is_known_by_the_place_of_its_repository() {
    for place in [
        "../.git/modules/p",
        "/r/.git/modules/a/modules/b",
        "/r/.git/worktrees/w/modules/p",
    ] {
        assert!(is_module_directory(Path::new(place)), "{place}");
    }
    for place in [
        "/modules/r/.git/worktrees/w",
        "../.git",
        "/r/modules/p",
        "/r/.git/worktrees/modules",
    ] {
        assert!(!is_module_directory(Path::new(place)), "{place}");
    }
}

#[test]
fn a_file_that_becomes_a_link_while_it_is_read_is_never_followed_out() {
    let folder = folder();
    let folder = folder.path();
    put(&folder.join("elsewhere"), "c.toml", "secret");
    let (file, spare) = (folder.join("policies/c.toml"), folder.join("spare"));
    let swapping = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while swapping.load(std::sync::atomic::Ordering::Relaxed) {
                put(folder, "spare", "honest");
                fs::rename(&spare, &file).unwrap();
                std::os::unix::fs::symlink("../elsewhere/c.toml", &spare).unwrap();
                fs::rename(&spare, &file).unwrap();
            }
        });
        for reading in 0..2000 {
            let links = if reading % 2 == 0 {
                Links::Refuse
            } else {
                Links::WithinDirectory
            };
            let (read, _) = read_once(&folder.join("policies"), links, &Files::new()).unwrap_or_default();
            assert!(read.iter().all(|(_, text)| **text != *"secret"));
        }
        swapping.store(false, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_submodule_as_the_directory_is_refused() {
    let folder = folder();
    put(
        &folder.path().join("policies"),
        ".git",
        "gitdir: ../.git/modules/policies\n",
    );
    for links in [Links::Refuse, Links::WithinDirectory] {
        let error = names(folder.path(), links).unwrap_err();
        assert!(error.contains("is a git repository of its own"), "{error}");
    }
}

#[test]
fn a_link_between_the_repository_and_the_directory_is_refused() {
    let folder = folder();
    let top = folder.path().join("r");
    fs::create_dir_all(top.join(".git")).unwrap();
    std::os::unix::fs::symlink("..", top.join("conf")).unwrap();
    let read = || SourceSet::read_dir(&top.join("conf/policies"), Links::Refuse);
    assert!(matches!(read(), Err(ReadDirError::Link(_))));
    // A repository behind the link hides nothing.
    fs::create_dir(folder.path().join(".git")).unwrap();
    assert!(matches!(read(), Err(ReadDirError::Link(_))));
    fs::remove_dir(folder.path().join(".git")).unwrap();
    // The way to the repository can have links.
    std::os::unix::fs::symlink("r", folder.path().join("linked")).unwrap();
    fs::create_dir(top.join("policies")).unwrap();
    let read = SourceSet::read_dir(&folder.path().join("linked/policies"), Links::Refuse);
    assert_eq!(read.unwrap().iter().count(), 0);
}

#[test]
fn what_could_be_policy_and_has_a_name_that_is_not_utf8_is_refused() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    for links in [Links::Refuse, Links::WithinDirectory] {
        let named = |name: &[u8], is_directory: bool| {
            let folder = folder();
            let path = folder.path().join("policies").join(OsStr::from_bytes(name));
            if is_directory {
                fs::create_dir(path).unwrap();
            } else {
                fs::write(path, "garbage [[").unwrap();
            }
            names(folder.path(), links).err()
        };
        for (name, is_directory, shown) in [
            (b"\xff.toml".as_slice(), false, "/\u{fffd}.toml`"),
            (b"a\xff.limits", false, "/a\u{fffd}.limits`"),
            (b"\xff", true, "/\u{fffd}`"),
        ] {
            let error = named(name, is_directory).unwrap();
            assert!(
                error.contains(shown) && error.ends_with("is not UTF-8; rename it"),
                "{error}"
            );
        }
        // These are no part of a policy by any name.
        assert_eq!(named(b"\xff.md", false), None);
        assert_eq!(named(b".\xff.toml", false), None);
        assert_eq!(named(b".\xff", true), None);
    }
}

#[test]
fn a_name_with_control_characters_stays_in_its_line() {
    let folder = folder();
    fs::write(folder.path().join("policies/a\n::error::\u{1b}[31m.toml"), [0xff]).unwrap();
    let error = names(folder.path(), Links::Refuse).unwrap_err();
    assert!(
        error.contains("a\\n::error::\\u{1b}[31m.toml` is not UTF-8"),
        "{error}"
    );
}

/// Reads a directory with one file, whose change is the present, by a clock that only pauses move. `change` is given the file
/// and the number of the pause, counted from 1. Returns the files and the time that passed.
fn read_by_clock(text: &str, before: &[(&str, &str)], change: impl Fn(&Path, usize)) -> (Files, Duration) {
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), "a.toml", text);
    let file = directory.path().join("a.toml");
    let began = fs::metadata(&file).unwrap().modified().unwrap();
    let (passed, pauses) = (Cell::new(Duration::ZERO), Cell::new(0));
    let now = || began + passed.get();
    let pause = |rest: Duration| {
        passed.set(passed.get() + rest);
        pauses.set(pauses.get() + 1);
        change(&file, pauses.get());
    };
    let before = before
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let before = SourceSet::from_files(before);
    let read = settled(directory.path(), Links::Refuse, &before, (now, pause)).unwrap();
    (read, passed.get())
}

#[test]
fn a_file_that_has_just_changed_is_read_again() {
    let (read, passed) = read_by_clock("half", &[], |file, _| fs::write(file, "half and half").unwrap());
    assert_eq!(read, files(&[("a.toml", "half and half")]));
    assert!(passed >= SETTLED);
    assert_eq!(read_by_clock("text", &[], |_, _| {}).1, SETTLED);

    let at = |milliseconds| SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
    let rest = |changed, now| unsettled(changed, at(now), SETTLED).map(|rest| rest.as_millis());
    assert_eq!(rest(Some(at(1_000)), 1_000), Some(25));
    assert_eq!(rest(Some(at(1_000)), 1_024), Some(1));
    assert_eq!(rest(Some(at(1_000)), 1_025), None);
    assert_eq!(rest(Some(at(1_000)), 2_000), None);
    assert_eq!(rest(Some(at(1_000)), 999), None);
    assert_eq!(rest(None, 1_000), None);
}

#[test]
fn a_file_that_was_emptied_is_waited_for_to_be_filled_again() {
    let before = [("a.toml", "one")];
    // Longer than a file counts as being written.
    let (read, _) = read_by_clock("", &before, |file, pause| {
        if pause == 3 {
            fs::write(file, "two").unwrap();
        }
    });
    assert_eq!(read, files(&[("a.toml", "two")]));
    // A file that stays empty is taken as it is.
    let (read, passed) = read_by_clock("", &before, |_, _| {});
    assert_eq!((read, passed), (files(&[("a.toml", "")]), EMPTIED));
    // One that had no text is not waited for.
    assert_eq!(read_by_clock("", &[("a.toml", "")], |_, _| {}).1, SETTLED);
}

#[test]
fn a_file_that_never_settles_is_read_in_the_end() {
    // As if it was written again at every pause.
    let (_, passed) = read_by_clock("", &[], |file, _| {
        let file = fs::File::options().write(true).open(file).unwrap();
        let changed = file.metadata().unwrap().modified().unwrap();
        file.set_modified(changed + SETTLED).unwrap();
    });
    assert_eq!(passed, PATIENCE);
}

#[test]
fn the_encoding_of_a_file_is_named() {
    let text = "[[token]]\nname = 'é'\n";
    let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let wider = |bytes: fn(u32) -> [u8; 4]| {
        text.chars()
            .flat_map(|character| bytes(character.into()))
            .collect::<Vec<u8>>()
    };
    for (bytes, name) in [
        (wide(u16::to_le_bytes), "UTF-16"),
        (wide(u16::to_be_bytes), "UTF-16"),
        ([vec![0xff, 0xfe], wide(u16::to_le_bytes)].concat(), "UTF-16"),
        (wider(u32::to_le_bytes), "UTF-32"),
        (wider(u32::to_be_bytes), "UTF-32"),
        (
            [vec![0xff, 0xfe, 0, 0], wider(u32::to_le_bytes)].concat(),
            "UTF-32",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.toml"), bytes).unwrap();
        let error = SourceSet::read_dir(directory.path(), Links::WithinDirectory).unwrap_err();
        assert!(error.to_string().contains(&format!("is {name};")), "{error}");
    }
}
