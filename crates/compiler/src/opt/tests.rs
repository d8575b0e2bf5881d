use std::fmt::Write as _;

use crate::{
    BaseUrl, compile,
    decide::{Body, Decision, Request, decide},
    ir::Program,
    method::Method,
    source::SourceSet,
};

/// Forty tokens, each with a line of so many letters and one that asks for a node of a deep path.
fn program(length: usize, depth: usize) -> Program {
    let (letters, path) = ("x".repeat(length), "a.".repeat(depth));
    let mut file = String::new();
    for n in 0..40 {
        write!(
            file,
            "[[token]]\nname = \"t{n}\"\nuser = \"u\"\nsecret_hash = \"sha256:{n:064x}\"\n\
             limit_to = '''\n[get]/rest/{n}/{letters}\n[post]/rest/{n}[JsonData::{path}b==1]\n'''\n"
        )
        .unwrap();
    }
    let compilation = compile(&SourceSet::from_files([("t.toml".to_owned(), file)]));
    let program = compilation.program.expect("it compiles");
    program.bind(&BaseUrl::parse("https://h").unwrap()).unwrap()
}

fn permits(program: &Program, n: usize, letters: usize) -> bool {
    let (token, _) = program.tokens().nth(n).unwrap();
    let request = Request {
        token,
        method: Method::Get,
        path: &format!("/rest/{n}/{}", "x".repeat(letters)),
        query: &[],
        body: Body::Absent,
    };
    matches!(decide(program, &request), Decision::Allow(_))
}

#[test]
fn what_would_take_too_much_memory_stays_plain_and_decides_alike() {
    for (length, depth, is_laid_out) in [(20, 3, true), (9_000, 3, false), (20, 1_000, true)] {
        let program = program(length, depth);
        assert_eq!(program.layout.is_some(), is_laid_out, "{length} {depth}");
        for n in [0, 39] {
            assert!(permits(&program, n, length));
            assert!(!permits(&program, n, length + 1));
        }
    }
    // What the deep path asks is not worked out ahead.
    let worked_out = |depth| program(20, depth).layout.unwrap().questions.len();
    assert_eq!((worked_out(3), worked_out(1_000)), (1, 0));
}
