//! Snippets as texts, with everything in them that could break a quotation; e2e runs them for real.

use tokenward_compiler::method::Method;

use super::*;

fn call() -> Call {
    Call {
        method: Method::Post,
        url: "http://127.0.0.1:8080/rest/a%27b?x=%22".to_owned(),
        body: Some(r#"{"a":"it's \"$x\" `y` ‘z’ é"}"#.to_owned()),
        line: None,
    }
}

fn text(language: Language, scheme: Scheme, secret: Secret) -> String {
    let call = call();
    let snippet = Snippet {
        token: "t",
        call: &call,
        scheme,
        secret,
    };
    snippet.text(language)
}

#[test]
fn every_language_says_all_of_a_call() {
    use clap::ValueEnum;
    let mut all = String::new();
    for language in Language::value_variants() {
        let shown = Secret::Shown("twd_s".to_owned());
        all.push_str(&format!(
            "== {language:?}\n{}\n-- environment\n{}\n",
            text(*language, Scheme::Basic("o'neil".to_owned()), shown),
            text(*language, Scheme::Bearer, Secret::Environment),
        ));
    }
    insta::assert_snapshot!(all);
}
