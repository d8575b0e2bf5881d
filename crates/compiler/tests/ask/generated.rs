//! Answers about generated policies, against brute force over small requests and against the decision itself.

use proptest::{prelude::*, sample::select};
use tokenward_compiler::{
    analysis::{Budget, Request, RequestBody, Served, Universe},
    ask::{Demand, Extent, Question, verdicts, who},
    decide::Media,
    ir::Program,
    method::Method,
};

use super::{
    ids,
    policy::{BUDGET, Whole, allowed, base, compiled},
};

/// A line over few words.
fn line() -> impl Strategy<Value = String> {
    let methods = select(&["", "", "[get]", "[post]", "[get,post]"][..]);
    let url = select(&["/a", "/b", "/[ab]", "/.*", "/a(/b)?", "/.*b", "/a/.*"][..]);
    let constraint = select(
        &[
            "",
            "",
            "",
            "",
            "[QueryParam::n==a|b]",
            "[QueryParam::n?=1]",
            "[QueryParam::n!=a]",
            "[QueryParam::m<=1]",
            "[JsonData::n==a]",
            "[JsonData::n:number==1]",
            "[JsonData::n?=a]",
            "[JsonData::l[*]!=a]",
        ][..],
    );
    (methods, url, constraint).prop_map(|(methods, url, constraint)| format!("{methods}{url}{constraint}"))
}

/// Lines of a token; the first is a permit line.
fn lines() -> impl Strategy<Value = String> {
    let more = prop::collection::vec((any::<bool>(), line()), 0..3);
    (line(), more).prop_map(|(first, more)| {
        let more = more
            .into_iter()
            .map(|(forbids, line)| if forbids { format!("!{line}") } else { line });
        let all: Vec<String> = std::iter::once(first).chain(more).collect();
        all.join("\n")
    })
}

/// Every small request.
fn requests() -> Vec<Whole> {
    let pairs = |text: &[(&str, &str)]| -> Vec<(String, String)> {
        let pairs = text
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        pairs.collect()
    };
    let queries = [
        pairs(&[]),
        pairs(&[("n", "a")]),
        pairs(&[("n", "1")]),
        pairs(&[("n", "c"), ("n", "a")]),
        pairs(&[("m", "0")]),
        pairs(&[("m", "7"), ("n", "b")]),
    ];
    let json = [
        "{}",
        "{\"n\": \"a\"}",
        "{\"n\": 1}",
        "{\"l\": [\"a\"]}",
        "{\"n\": {}, \"l\": [1]}",
        "{",
    ];
    let mut bodies = vec![
        None,
        Some((Media::Form, "a=b".to_owned())),
        Some((Media::Other, "a".to_owned())),
    ];
    bodies.extend(json.map(|text| Some((Media::Json, text.to_owned()))));
    let mut all = Vec::new();
    for method in [Method::Get, Method::Post, Method::Delete] {
        for path in ["/a", "/b", "/a/b", "/c", "/"] {
            for query in &queries {
                for body in bodies
                    .iter()
                    .filter(|body| body.is_none() || method != Method::Get)
                {
                    all.push(Whole {
                        method,
                        path: path.to_owned(),
                        query: query.clone(),
                        body: body.clone(),
                    });
                }
            }
        }
    }
    all
}

fn whole(request: &Request) -> Whole {
    let media = match request.body {
        RequestBody::Absent => None,
        RequestBody::Json(_) | RequestBody::Broken => Some(Media::Json),
        RequestBody::Form => Some(Media::Form),
        RequestBody::Other => Some(Media::Other),
    };
    Whole {
        method: request.method,
        path: request.path.clone(),
        query: request.query.clone(),
        body: media.zip(request.body.content().map(|(_, text)| text)),
    }
}

/// Whether the first token allows a request.
fn first(program: &Program, request: &Whole) -> Option<bool> {
    allowed(program, ids(program).into_iter().next()?, request)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_agree_with_every_small_request(lines in lines(), asked in line()) {
        // A policy can have errors that are not about this, such as forbid lines that match nothing.
        let program = compiled(&[("t", &lines)]);
        let described = compiled(&[("t", &asked)]);
        let question = Question::parse(&asked, &base(), false).expect("a line");
        let tokens = ids(&program);
        let settings = (Universe::default(), &BUDGET.into());
        // About no request every demand holds, and such questions are refused.
        prop_assume!(question.check(Universe::default(), &Served::everything(), &Budget::new(BUDGET)).expect("no fault").is_ok());
        let reach = who(&question, (&program, &tokens), settings, |_, _| {}).expect("no fault").pop().expect("one");
        prop_assert!(reach.is_settled());
        // Each request in the answer is in the question, and decided so.
        for way in &reach.ways {
            let request = whole(&way.request);
            prop_assert_eq!(first(&program, &request), Some(true), "{:?} {}", way, lines);
            prop_assert!(first(&described, &request) != Some(false), "{:?} {}", way, asked);
            let line = program.line(way.line.expect("no token is unrestricted")).text;
            let alone = compiled(&[("t", line)]);
            prop_assert_eq!(first(&alone, &request), Some(true), "{:?} {}", way, line);
        }
        if let Extent::Part(denied) = &reach.extent {
            let request = whole(denied);
            prop_assert!(first(&program, &request) != Some(true), "{denied:?} {lines}");
            prop_assert!(first(&described, &request) != Some(false), "{denied:?} {asked}");
        }
        // Nothing that the answer denies occurs among all small requests.
        let is_free = reach.exceptions.is_empty() && reach.ways.iter().any(|way| way.conditions.is_empty());
        for request in requests().iter().filter(|request| first(&described, request) == Some(true)) {
            match first(&program, request) {
                Some(true) => {
                    prop_assert!(reach.may(), "{request:?}\n{lines}\n{asked}");
                    let ways: Vec<&str> = reach.ways.iter().filter_map(|way| Some(program.line(way.line?).text)).collect();
                    let known = compiled(&[("t", &ways.join("\n"))]);
                    prop_assert!(first(&known, request) != Some(false), "no line: {request:?}\n{lines}\n{asked}");
                }
                Some(false) => {
                    prop_assert!(reach.extent != Extent::Everything, "{request:?}\n{lines}\n{asked}");
                    prop_assert!(!is_free, "conditions: {request:?}\n{lines}\n{asked}");
                }
                None => {}
            }
        }
        // The demands say the same.
        for (demand, expected) in [
            (Demand::Never, !reach.may()),
            (Demand::Always, reach.extent == Extent::Everything),
        ] {
            let verdict = verdicts((&question, demand), (&program, &tokens), settings, |_, _| {}).expect("no fault").pop();
            let holds = verdict.expect("one").holds();
            prop_assert_eq!(holds, expected, "{:?}\n{}\n{}", demand, lines, asked);
        }
        let verdict = verdicts((&question, Demand::Only), (&program, &tokens), settings, |_, _| {}).expect("no fault").pop().expect("one");
        for breach in &verdict.breaches {
            let request = whole(&breach.request);
            prop_assert!(first(&program, &request) == Some(true) && first(&described, &request) != Some(true), "{breach:?}");
        }
        if verdict.holds() {
            let beyond = requests().into_iter().find(|request| first(&program, request) == Some(true) && first(&described, request) == Some(false));
            prop_assert!(beyond.is_none(), "{beyond:?}\n{lines}\n{asked}");
        }
    }
}

/// More on demand, as for the analysis.
fn cases() -> u32 {
    std::env::var("TOKENWARD_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(128)
}
