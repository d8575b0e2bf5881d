use tokenward_compiler::BaseUrl;
use tokenward_testbed::Stopwatch;

use super::read;
use crate::capture::call::Calls;

fn read_script(text: &str) -> Result<Calls, String> {
    read(text, &BaseUrl::parse("https://api.example").unwrap())
}

/// The calls of a script, as method and target.
fn calls(text: &str) -> Vec<String> {
    let read = read_script(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let calls = read.calls.into_iter();
    calls
        .map(|call| format!("{} {}", call.method, call.target))
        .collect()
}

#[test]
fn each_call_of_a_line_is_found() {
    for text in [
        "curl https://api.example/a; curl https://api.example/b",
        "curl https://api.example/a && curl https://api.example/b",
        "curl https://api.example/a || curl https://api.example/b",
        "curl https://api.example/a & curl https://api.example/b & wait",
        "curl https://api.example/a | jq .x | curl -s https://api.example/b",
        "if curl https://api.example/a; then curl https://api.example/b; fi",
        "if x; then :; elif y; then curl https://api.example/a; else curl https://api.example/b; fi",
        "while curl https://api.example/a; do curl https://api.example/b; done",
        "case $x in a) curl https://api.example/a;; *) curl https://api.example/b ;; esac",
        "( curl https://api.example/a ); { curl https://api.example/b; }",
        "x=$(curl https://api.example/a); y=`curl https://api.example/b`",
        "echo \"$(curl \"https://api.example/a\")\" $(( $(curl https://api.example/b) + 1 ))",
        "\\curl https://api.example/a; \"curl\" https://api.example/b",
        "command curl https://api.example/a; 'cu'rl https://api.example/b",
        "env X=1 curl https://api.example/a; X=1 Y=2 curl https://api.example/b",
        "time curl https://api.example/a; sudo -u me timeout 5 curl https://api.example/b",
        "alias c='curl -s'\nc https://api.example/a\nc https://api.example/b",
        "ssh -p 22 me@host 'curl https://api.example/a; curl https://api.example/b'",
        "ssh host curl https://api.example/a; ssh host <<E\ncurl https://api.example/b\nE",
        "sh -c 'curl https://api.example/a'; bash -ec \"curl https://api.example/b\"",
        "eval 'curl https://api.example/a'; eval curl https://api.example/b",
        "f() { curl \"https://api.example/$1\"; }\nf a\nf b",
        "function f { curl https://api.example/a; }\ng() ( f; curl https://api.example/b )\ng",
        "for x in a b; do curl https://api.example/$x; done",
        "for x in a \\\n  b\ndo\n  U=https://api.example/$x\n  curl $U > /dev/null 2>&1\ndone",
        "[[ -n $(curl https://api.example/a) && b ]] && curl https://api.example/b",
        "diff <(curl https://api.example/a) <(curl https://api.example/b)",
        "curl https://api.example/a https://api.example/b",
        "curl https://api.example/a --next https://api.example/b",
        "CURL='curl -s'\n$CURL https://api.example/a\n\"$(command -v curl)\" https://api.example/b",
        "CURL=curl\nARGS=(-s -H \"X: $TOKEN\")\nARGS+=(-f)\n\"$CURL\" \"${ARGS[@]}\" https://api.example/a\ncurl \"${ARGS[@]}\" https://api.example/b",
        "trap 'curl https://api.example/b' EXIT\ncurl https://api.example/a",
        "cat <<E | tee x\n$(curl https://api.example/a)\nE\ncurl https://api.example/b",
        "docker run x curl https://api.example/a; retry 3 -- curl https://api.example/b",
        "curl() { command curl -s \"$@\"; }\ncurl https://api.example/a\ncurl https://api.example/b",
        "run() { \"$@\"; }\nrun curl https://api.example/a\nrun curl https://api.example/b",
        "curl https://api.example/a \\\n  -s # curl https://api.example/c\n# curl https://api.example/d\ncurl https://api.example/b",
    ] {
        assert_eq!(calls(text), ["GET /a", "GET /b"], "{text}");
    }
}

#[test]
fn texts_that_are_no_commands_make_no_call() {
    for text in [
        "# curl https://api.example/b",
        "echo curl https://api.example/b",
        "cat <<'E'\ncurl https://api.example/b\n$(curl https://api.example/c)\nE",
        "cat <<-E > usage\n\tcurl https://api.example/b\n\tE",
        "command -v curl || exit 1",
        "apt-get install -y curl",
        "which curl > /dev/null",
        "MESSAGE='use curl https://api.example/b'",
        "curl --version",
    ] {
        assert_eq!(
            calls(&format!("{text}\ncurl https://api.example/a")),
            ["GET /a"],
            "{text}"
        );
    }
}

#[test]
fn values_that_are_certain_are_taken() {
    for text in [
        "B=https://api.example\ncurl $B/a",
        "B=https://api.example/; curl \"${B%/}/a\"",
        "B=https://x; B=https://api.example; curl $B/a",
        "B=https://api.exam; B+=ple; curl $B/a",
        "export B=\"https://api.example\"; curl ${B}/a",
        "readonly H=api.example B=https://$H; curl ${B:-x}/a",
        "if x; then C=1; fi; B=https://api.example; curl $B/a",
        "B=${B:-https://api.example}; curl $B/a",
        ": ${B:=https://api.example}; curl $B/a",
        "f() { local B=x; }\nB=https://api.example\nf\ncurl $B/a",
        "B=https://api.example; (B=x; echo $B); x=$(B=y); curl $B/a",
        "B=https://api.example; while read l; do echo $l; done < f; curl $B/a",
        "O='-s -S'; curl $O https://api.example/a",
        "set -- a; curl https://api.example/$1",
        "x=1; v=x; declare \"$v=a\"; curl https://api.example/$x",
        "f() { B=a; x && return; y; }; f; curl https://api.example/$B",
    ] {
        assert_eq!(calls(text), ["GET /a"], "{text}");
    }
    assert_eq!(calls("curl -d @- https://api.example/a <<E\n{}\nE"), ["POST /a"]);
    let body = read_script("D=5\ncurl -d \"$(cat <<E\n{\"a\": $D}\nE\n)\" https://api.example/a").unwrap();
    assert_eq!(body.calls.first().unwrap().body, b"{\"a\": 5}");
    for text in [
        "set -- x y\ncurl -d \"$*\" https://api.example/a",
        "A=(x y)\ncurl -d \"${A[*]}\" https://api.example/a",
    ] {
        let body = read_script(text).unwrap();
        assert_eq!(body.calls.first().unwrap().body, b"x y", "{text}");
    }
    let body = read_script("curl -s --data-binary @- https://api.example/a <<< 'x y'").unwrap();
    assert_eq!(body.calls.first().unwrap().body, b"x y\n");
}

#[test]
fn values_that_are_not_certain_are_named_with_the_line_and_a_cure() {
    for (text, expected) in [
        (
            "B=a\nif x; then B=b; fi\ncurl https://api.example/$B",
            "line 3: `$B` has no known value: its value depends on whether a command at line 2 runs",
        ),
        (
            "B=a\nx && B=b\ncurl https://api.example/$B",
            "line 3: `$B` has no known value",
        ),
        (
            "B=a\nread B\ncurl https://api.example/$B",
            "it is read from input at line 2",
        ),
        (
            "B=a\nunset B\ncurl https://api.example/$B",
            "it is unset at line 2",
        ),
        (
            "B=a\nfor B in $(ls); do :; done\ncurl https://api.example/$B",
            "set by the loop of line 2",
        ),
        (
            "for B in *.json; do curl https://api.example/$B; done",
            "set by the loop of line 1",
        ),
        (
            "B=a\nwhile x; do curl https://api.example/$B; B=b; done",
            "`$B` has no known value",
        ),
        (
            "B=a\nf() { B=b; }\nx | f\ncurl https://api.example/$B",
            "`$B` has no known value",
        ),
        (
            "f() { B=a; x && return; B=b; }\nf\ncurl https://api.example/$B",
            "`$B` has no known value",
        ),
        (
            "B+=x\ncurl https://api.example/$B",
            "adds to a value that is not known",
        ),
        (
            "declare -i B=1+1\ncurl https://api.example/$B",
            "changes its value",
        ),
        (
            "B=$(id -u)\ncurl https://api.example/$B",
            "is the output of a command",
        ),
        ("((B++))\ncurl https://api.example/$B", "it is computed at line 1"),
        ("curl https://api.example/$1", "it is an argument of the script"),
        (
            "f() { curl https://api.example/$1; }",
            "no command calls the function `f` by name",
        ),
        (
            "i=1\nfor ((i=0;i<3;i++)); do curl https://api.example/$i; done",
            "`$i` has no known value",
        ),
        ("curl https://api.example/$X", "add a line `X=…` with its value"),
        ("curl https://api.example/{a,b}", "put it in quotes"),
        (
            "wget https://api.example/a",
            "line 1: calls of `wget` are not read; write them with curl",
        ),
        ("http GET https://api.example/a", "calls of `http` are not read"),
        (
            "cat ids | xargs -I{} curl https://api.example/{}",
            "`xargs` adds arguments",
        ),
        (
            "find . -exec curl -T {} https://api.example/ \\;",
            "`find` adds arguments",
        ),
        (
            "echo 'curl https://api.example/a' | sh",
            "`sh` runs the output of another command",
        ),
        ("bash other.sh", "runs another script"),
        ("./other.sh", "is another script"),
        ("source lib.sh", "runs the commands of another file"),
        ("$CURL https://api.example/a", "the program `$CURL` is not known"),
        ("ssh host \"curl https://api.example/$X\"", "`$X`"),
        (
            "jq . x | curl -d @- https://api.example/a",
            "the body is the output of another command",
        ),
        ("exec 3<>/dev/tcp/api.example/80", "`/dev/tcp` makes a request"),
        ("su -c 'curl https://api.example/$X'", "`$X` has no known value"),
        (
            "watch -n 1 'curl https://api.example/a'",
            "a text for `watch` seems to make a call",
        ),
        ("f() { curl a; }\nf() { curl b; }", "is defined twice"),
        ("f() { f; }\nf", "nested too deeply"),
        ("IFS=,\ncurl https://api.example/a", "sets IFS"),
        (
            "x=1\ndeclare -n r=x\nr=2\ncurl https://api.example/$x",
            "(`-n`) is not supported",
        ),
        (
            "x=1\ncommand read x\ncurl https://api.example/$x",
            "it is read from input at line 2",
        ),
        (
            "RANDOM=1\ncurl https://api.example/$RANDOM",
            "the shell computes it",
        ),
        (
            "run-it <<E\ncurl https://api.example/a\nE",
            "seems to make a call",
        ),
        ("bash < calls.sh", "runs another script"),
        ("ssh host < calls.sh", "runs another script"),
        (
            "awk 'BEGIN{system(\"curl https://api.example/a\")}'",
            "seems to make a call",
        ),
        (
            "u=a\npick() { u=b; x && return; u=a; }\npick p\ncurl https://api.example/$u",
            "`$u` has no known value",
        ),
        (
            "x=1\nfor i in a b; do x=2; break; x=1; done\ncurl https://api.example/$x",
            "`$x` has no known value",
        ),
        (
            "x=1\nwhile y; do x=2; z && continue; x=1; done\ncurl https://api.example/$x",
            "`$x` has no known value",
        ),
        (
            "x=1\nfor i in a; do for j in a; do x=2; y && break 2; done; x=1; done\ncurl https://api.example/$x",
            "`$x` has no known value",
        ),
        (
            "x=1\nf() { for i in a; do x=2; y && return; x=1; done; x=1; }\nf\ncurl https://api.example/$x",
            "`$x` has no known value",
        ),
        (
            "n=$((i + 1))\ncurl https://api.example/a/$n",
            "has no known value: it is computed",
        ),
        (
            "curl https://api.example/a/${X:-$((1 + 1))}",
            "has no known value: it is computed",
        ),
        (
            "x=ab\ny=${x: -1}\ncurl https://api.example/$y",
            "the shell changes the value of a variable",
        ),
        (
            "x='a b'\ny=${x// /_}\ncurl https://api.example/$y",
            "the shell changes the value of a variable",
        ),
        (
            "y=$ID\nz=${y%D}\ncurl https://api.example/a/$z",
            "`$y` has no known value: it is made of a value that is not known",
        ),
        ("curl -K file", "`-K` is not supported"),
        ("curl -X $M https://api.example/a", "`$M` has no known value"),
        (
            "curl -H \"$T\" -d '{}' https://api.example/a",
            "`$T` has no known value",
        ),
    ] {
        let found = read_script(text)
            .err()
            .unwrap_or_else(|| panic!("{text}: it was read"));
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn credentials_may_be_unknown_and_are_remembered() {
    let read = read_script(
        "TOKEN=hunter2hunter2\nAUTH=\"Authorization: Bearer $OTHER\"\n\
         curl -n -u \"$U:$P\" -H \"$AUTH\" -H \"X-Api-Key: $K\" -b \"s=$S\" -b jar.txt -o \"$OUT\" https://api.example/a\n\
         curl -u me:swordfish https://api.example/b",
    )
    .unwrap();
    assert_eq!(read.calls.len(), 2);
    assert!(read.secrets.are_in("hunter2hunter2") && read.secrets.are_in("swordfish"));
}

#[test]
fn what_a_script_may_not_do_by_itself_ends() {
    let many = format!(
        "for i in {}; do for j in {}; do for k in {}; do :; done; done; done",
        "a ".repeat(100),
        "b ".repeat(100),
        "c ".repeat(100)
    );
    assert!(
        read_script(&many)
            .unwrap_err()
            .contains("commands, with each run")
    );
    // Commands that set nothing do not copy all variables: both take about as long together as apart.
    let took = |text: &str| {
        let watch = Stopwatch::start();
        assert!(read_script(text).is_ok());
        watch.took()
    };
    let variables: String = (0..6000).map(|at| format!("v{at}=1\n")).collect();
    let commands = "true && true\n".repeat(6000);
    let apart = took(&variables) + took(&commands);
    let together = took(&format!("{variables}{commands}"));
    assert!(together < apart * 4, "{together:?} together, {apart:?} apart");
    assert!(
        read_script(&format!("{variables}{}", "true && x=1\n".repeat(6000)))
            .unwrap_err()
            .contains("commands, with each run")
    );
    let long = format!("A=aaaaaaaaaaaaaaaa\n{}", "A=$A$A\n".repeat(40));
    assert!(read_script(&long).unwrap_err().contains("too long"));
}
