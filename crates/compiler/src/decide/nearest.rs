//! Explains a denial for which no line decided: the permit line that came nearest, and the first of its conditions that failed.

use super::{
    Body, Found, Media, Request,
    explain::{self, Constraint, Held, Tried},
    query,
};
use crate::{
    ast::Effect,
    ir::{Asks, Code, LineId, Near, Program, Reach, alike, first_literal, url_code},
    method::MethodSet,
};

/// Maximum number of lines whose constraints are looked at although the decision did not try them.
const CONSTRAINED: usize = 64;

/// The permit line that came nearest to a denied request.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// The line.
    pub line: LineId,
    /// The first of its conditions that failed, in the order in which a decision asks them: URL, methods, the kind of the body,
    /// parameters, the body.
    pub failed: Failed,
}

/// A condition of a line that failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Failed {
    /// The URL does not match the path.
    Url,
    /// The line does not permit the method, but these.
    Method(MethodSet),
    /// The line has constraints, and the upstream takes parameters from bodies of this kind.
    Body(Media),
    /// A constraint, by its text up to its regexp, and the kind of what it looked at.
    Constraint(String, Found),
}

/// Finds the permit line that came nearest. `tried` is what [`explain`](super::explain::explain) gives for the request. `None` if
/// the token has no permit line.
///
/// A line whose URL and methods match comes before one whose URL matches, and this before all others. Of lines with constraints
/// it is the one of whose parameters the fewest failed, then of whose constraints on the body, and of equals the first. Of others it
/// is one whose URL begins as the path does for longest.
///
/// Costs about as much as a decision, which compares the URL with the same lines. In addition it looks at the constraints on
/// parameters of the lines that the decision tried, and of 64 others.
#[must_use]
pub fn nearest(program: &Program, request: &Request<'_>, tried: &[Tried<'_>]) -> Option<Nearest> {
    let mut search = Search {
        request,
        tried: tried.iter().filter(|tried| tried.effect == Effect::Permit),
        next_tried: None,
        constrained: None,
        left: CONSTRAINED,
        of_other_method: None,
        beginning: None,
    };
    search.next_tried = search.tried.next();
    each_near(program, request, |near| search.compare(&near));
    if let Some(best) = search.constrained {
        let failed = match best.tried {
            Some(tried) => first_failed(&tried.constraints, request.body),
            // The decision found the line by its parameter to be none of the request's, and did not try it.
            None => first_failed(
                &best
                    .asks
                    .map_or_else(Vec::new, |asks| explain::each(asks, None, request)),
                request.body,
            ),
        };
        return Some(Nearest {
            line: best.line,
            failed,
        });
    }
    if let Some((line, methods)) = search.of_other_method {
        let failed = Failed::Method(methods);
        return Some(Nearest { line, failed });
    }
    let (_, line) = search.beginning?;
    Some(Nearest {
        line,
        failed: Failed::Url,
    })
}

/// What is known of the lines that were compared so far.
struct Search<'s, T> {
    request: &'s Request<'s>,
    /// The permit lines that the decision tried, in its order, from the one after `next_tried` on.
    tried: T,
    next_tried: Option<&'s Tried<'s>>,
    /// The best line whose URL and methods match.
    constrained: Option<Constrained<'s>>,
    /// How many lines that the decision did not try may still be looked at.
    left: usize,
    /// The first line whose URL matches, for other methods.
    of_other_method: Option<(LineId, MethodSet)>,
    /// The best line whose URL does not match, with the number of bytes that its URL and the path begin with.
    beginning: Option<(usize, LineId)>,
}

/// A line whose URL and methods match.
struct Constrained<'s> {
    line: LineId,
    /// How many constraints on parameters failed, and, if none did, on the body.
    failed: (usize, usize),
    asks: Option<Asks<'s>>,
    /// What the decision saw of it, if it tried it.
    tried: Option<&'s Tried<'s>>,
}

impl<'s, T: Iterator<Item = &'s Tried<'s>>> Search<'s, T> {
    fn compare(&mut self, near: &Near<'s>) {
        match near.reach {
            Reach::Url(methods, asks) if methods.contains(self.request.method) => {
                self.compare_constraints(near.line, asks);
            }
            Reach::Url(methods, _) => match &mut self.of_other_method {
                None => self.of_other_method = Some((near.line, methods)),
                // A line may be several rules.
                Some((line, all)) if *line == near.line => *all = all.union(methods),
                Some(_) => {}
            },
            Reach::Part(length) => {
                if self.beginning.is_none_or(|(longest, _)| length > longest) {
                    self.beginning = Some((length, near.line));
                }
            }
        }
    }

    fn compare_constraints(&mut self, line: LineId, asks: Option<Asks<'s>>) {
        // Both come in the order of decision.
        let tried = self.next_tried.filter(|tried| tried.line == line);
        match (tried, self.left.checked_sub(1)) {
            (Some(_), _) => self.next_tried = self.tried.next(),
            (None, Some(left)) => self.left = left,
            (None, None) => return,
        }
        let of_query = asks.map_or(0, |asks| query::failed(&asks, self.request.query));
        let of_body = tried.filter(|_| of_query == 0).map_or(0, failed_of_body);
        let failed = (of_query, of_body);
        if self.constrained.as_ref().is_none_or(|best| failed < best.failed) {
            self.constrained = Some(Constrained {
                line,
                failed,
                asks,
                tried,
            });
        }
    }
}

/// Calls back for the permit lines that a search by the URL finds, in the order of decision.
fn each_near<'p>(program: &'p Program, request: &Request<'_>, mut found: impl FnMut(Near<'p>)) {
    let Some(within) = program.within(request.token) else {
        return each_near_of_whole(program, request, found);
    };
    let token = within.token;
    // A line of the part, as the whole program names it.
    each_near_of_whole(within.program, &Request { token, ..*request }, |near| {
        found(Near {
            line: within.line(near.line),
            ..near
        });
    });
}

/// The same for a program that is not put together from others.
fn each_near_of_whole<'p>(program: &'p Program, request: &Request<'_>, mut found: impl FnMut(Near<'p>)) {
    if let Some(layout) = &program.layout {
        layout.each_near(program, request.token, request.path, found);
        return;
    }
    let rules = program.token(request.token).rules(Effect::Permit).iter();
    for (id, rule) in rules.filter_map(|id| Some((id, program.rule(id)?))) {
        let reach = match program.url(rule.url).matches(request.path) {
            true => Reach::Url(rule.methods, Asks::of_rule(program, id, rule)),
            false => {
                let code = url_code(program.url(rule.url)).0;
                let literal = code.as_deref().map(Code::as_bytes).and_then(first_literal);
                Reach::Part(alike(literal.unwrap_or_default(), request.path.as_bytes()))
            }
        };
        let line = rule.line;
        found(Near { line, reach });
    }
}

fn failed_of_body(tried: &Tried<'_>) -> usize {
    let failed = tried
        .constraints
        .iter()
        .filter(|constraint| constraint.held != Held::Yes);
    failed.count()
}

fn first_failed(constraints: &[Constraint<'_>], body: Body<'_>) -> Failed {
    if let Body::Unread(media @ (Media::Form | Media::Multipart)) = body {
        return Failed::Body(media);
    }
    let by = |held: Held| constraints.iter().find(|constraint| constraint.held == held);
    let told = |constraint: &Constraint<'_>| Failed::Constraint(constraint.text.clone(), constraint.found);
    let failed = by(Held::No).or_else(|| by(Held::Unknown)).map(told);
    // All of them hold by themselves: the upstream would mix query and body.
    failed.unwrap_or(Failed::Body(match body {
        Body::Unread(media) => media,
        Body::Absent | Body::Read(_) | Body::Unreadable => Media::Json,
    }))
}
