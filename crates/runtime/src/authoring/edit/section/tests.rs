//! Changes of one section: exactly the bytes that were meant, whatever the layout around them.

use super::*;

const FILE: &str = "\
# Ours.

[[token]]   # the first
name=\"a\" # its name
   user = 'x'
secret_hash = \"sha256:aa\"   # made in spring
limit_to = '''
  # reading
  [get]/rest/a

  # writing
  [post]/rest/b
  [put]/rest/c
'''

# Between.
[[token]]
\"name\" = 'b'
any_user = true
limit_to = '/rest/z'
# The end.";

fn changed(file: &str, name: &str, changes: &[Change]) -> String {
    let mut file = file.to_owned();
    for change in changes {
        let all = sections(&file).unwrap();
        let section = all.iter().find(|one| one.name.as_deref() == Some(name)).unwrap();
        file = section.with(&file, change).unwrap();
    }
    file
}

fn lines(lines: &[&str]) -> Change {
    Change::Lines(lines.iter().map(|line| (*line).to_owned()).collect())
}

/// The lines that were taken out (`-`) and put in (`+`).
fn difference(before: &str, after: &str) -> String {
    let mut new = after.split('\n').peekable();
    let mut out = String::new();
    for line in before.split('\n') {
        if new.peek() == Some(&line) {
            new.next();
            continue;
        }
        let rest: Vec<&str> = new.clone().collect();
        match rest.iter().position(|other| *other == line) {
            Some(at) => {
                for added in new.by_ref().take(at) {
                    out.push_str(&format!("+{added}\n"));
                }
                new.next();
            }
            None => out.push_str(&format!("-{line}\n")),
        }
    }
    new.for_each(|added| out.push_str(&format!("+{added}\n")));
    out
}

#[test]
fn a_value_is_replaced_and_nothing_else() {
    let after = changed(FILE, "a", &[Change::Text(Key::Name, "n \"1\"".to_owned())]);
    insta::assert_snapshot!(difference(FILE, &after), @r#"
    -name="a" # its name
    +name='n "1"' # its name
    "#);
    let after = changed(FILE, "b", &[Change::Text(Key::Name, "c".to_owned())]);
    insta::assert_snapshot!(difference(FILE, &after), @r#"
    -"name" = 'b'
    +"name" = "c"
    "#);
}

#[test]
fn a_new_key_stands_where_it_belongs() {
    let until = "2027-01-01T00:00:00Z".parse().unwrap();
    let rotation = [
        Change::Moment(Key::PreviousUntil, until),
        Change::Text(Key::PreviousSecretHash, "sha256:aa".to_owned()),
        Change::Revoked,
    ];
    insta::assert_snapshot!(difference(FILE, &changed(FILE, "a", &rotation)), @r#"
    +previous_secret_hash = "sha256:aa"
    +previous_until = 2027-01-01T00:00:00Z
    +revoked = true
    "#);
    insta::assert_snapshot!(difference(FILE, &changed(FILE, "b", &rotation)), @r#"
    +previous_secret_hash = "sha256:aa"
    +previous_until = 2027-01-01T00:00:00Z
    +revoked = true
    "#);
    assert!(sections("[[token]]\nname = 'x'").is_ok());
    assert_eq!(
        changed("[[token]]\nname = 'x'", "x", &[Change::Revoked]),
        "[[token]]\nname = 'x'\nrevoked = true"
    );
}

#[test]
fn a_key_less_leaves_its_comment() {
    let after = changed(
        FILE,
        "a",
        &[Change::Without(Key::SecretHash), Change::Without(Key::Seal)],
    );
    insta::assert_snapshot!(difference(FILE, &after), @r#"
    -secret_hash = "sha256:aa"   # made in spring
    +# made in spring
    "#);
    assert_eq!(changed(FILE, "a", &[Change::Without(Key::Expires)]), FILE);
}

#[test]
fn lines_that_stay_keep_their_places_and_comments() {
    let after = changed(
        FILE,
        "a",
        &[lines(&["[put]/rest/c", "[get]/rest/a", "/rest/new"])],
    );
    insta::assert_snapshot!(difference(FILE, &after), @r"
    -  [post]/rest/b
    +  /rest/new
    ");
    let after = changed(FILE, "b", &[lines(&["/rest/y", r"/rest/\d"])]);
    insta::assert_snapshot!(difference(FILE, &after), @r"
    -limit_to = '/rest/z'
    +limit_to = '''
    +/rest/y
    +/rest/\d
    +'''
    ");
    let after = changed(FILE, "b", &[lines(&[]), Change::Include(vec!["s".to_owned()])]);
    insta::assert_snapshot!(difference(FILE, &after), @r#"
    -limit_to = '/rest/z'
    +include = ["s"]
    "#);
    let tight = "[[token]]\nname = 'x'\nlimit_to = '''/rest/a\n/rest/b'''\n";
    assert_eq!(
        changed(tight, "x", &[lines(&["/rest/b", "/rest/c"])]),
        "[[token]]\nname = 'x'\nlimit_to = '''\n/rest/b\n/rest/c\n'''\n"
    );
    assert_eq!(changed(tight, "x", &[lines(&["/rest/a", "/rest/b"])]), tight);
}

#[test]
fn line_ends_stay_what_they_are() {
    let file = FILE.replace('\n', "\r\n");
    let changes = [
        Change::Revoked,
        Change::Without(Key::SecretHash),
        lines(&["[get]/rest/a", "/rest/new"]),
    ];
    let after = changed(&file, "a", &changes);
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    assert_eq!(after.replace("\r\n", "\n"), changed(FILE, "a", &changes));
}

#[test]
fn what_has_no_sections_is_told_apart() {
    assert_eq!(sections("[[token]\n").unwrap_err(), Unfit::NotToml);
    for file in [
        "token = [{ name = 'z' }]\n",
        "[token]\nname = 'z'\n",
        "token = 1\n",
    ] {
        assert_eq!(sections(file).unwrap_err(), Unfit::NotSections, "{file}");
    }
    assert!(sections("# nothing\n").unwrap().is_empty());
}
