use super::*;

/// A directory with two files of one state, and what `change` makes of it after each reading, counted from 1.
fn read_while(change: impl Fn(&Path, usize)) -> (Result<Files, ReadDirError>, usize) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    put(path, "a.toml", "old");
    put(path, "b.limits", "old");
    let mut readings = 0;
    let read = steady(path, || {
        let files = read_once(path);
        readings += 1;
        change(path, readings);
        files
    });
    (read, readings)
}

fn put(directory: &Path, name: &str, text: &str) {
    fs::write(directory.join(name), text).unwrap();
}

fn files(pairs: &[(&str, &str)]) -> Files {
    let pairs = pairs.iter();
    pairs
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
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
