//! The operations by their paths, and the classes of lines that meet them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{
    catalogue::Catalogue,
    classes::{Class, Classes},
    likeness::{Beginning, Form},
    samples,
};
use crate::{
    analysis::{
        Asked, Meeting, Paces, Prover, Proxied, Request, RequestBody, Ruled, Side, head, path_of_rule,
    },
    ir::{Program, UrlId},
};

/// A class whose URL matches some of an operation's paths.
#[derive(Clone, Debug)]
pub(super) struct Touch {
    pub(super) class: Class,
    pub(super) meeting: Meeting,
    pub(super) is_conditional: bool,
    /// A path of the operation that the URL matches, if one was found without a search.
    pub(super) path: Option<Arc<str>>,
}

impl Touch {
    /// Whether the lines match all calls of the operation.
    pub(super) fn is_whole(&self) -> bool {
        self.meeting == Meeting::All && !self.is_conditional
    }
}

/// The operations by their paths.
pub(super) struct Paths<'p> {
    pub(super) catalogue: &'p Catalogue,
    /// Operations with the same template.
    pub(super) groups: Vec<Group<'p>>,
    /// Calls of each operation.
    pub(super) samples: Vec<Samples>,
}

/// Calls of an operation.
pub(super) struct Samples {
    /// Calls that the proxy would forward if a line allowed them, and then those that it would not.
    requests: Vec<Request>,
    /// The number of those that it would.
    forwardable: usize,
}

impl Samples {
    fn new(requests: impl Iterator<Item = Request>, proxied: Option<&Proxied>) -> Self {
        let would_forward = |request: &Request| {
            let obstacles = |proxied: &Proxied| proxied.proxy().obstacles(Asked::anyone(), request);
            proxied.is_none_or(|proxied| obstacles(proxied).is_empty())
        };
        let (mut requests, rest): (Vec<Request>, Vec<Request>) = requests.partition(would_forward);
        let forwardable = requests.len();
        requests.extend(rest);
        Self {
            requests,
            forwardable,
        }
    }

    pub(super) fn all(&self) -> &[Request] {
        &self.requests
    }

    /// Those that the proxy would forward if a line allowed them.
    pub(super) fn forwardable(&self) -> &[Request] {
        self.requests.get(..self.forwardable).unwrap_or_default()
    }
}

pub(super) struct Group<'p> {
    /// The rule of one of the operations.
    rule: Ruled<'p>,
    /// The bytes that every path begins with.
    head: Vec<u8>,
    form: Form,
    /// The steps of the paths, if they have the form of most lines.
    paces: Option<Paces>,
    samples: Vec<String>,
    pub(super) operations: Vec<u32>,
}

impl<'p> Paths<'p> {
    pub(super) fn of(catalogue: &'p Catalogue, proxied: Option<&Proxied>, prover: &mut Prover<'p>) -> Self {
        let program = catalogue.program();
        let mut groups: Vec<Group<'p>> = Vec::new();
        let mut known: HashMap<UrlId, usize> = HashMap::new();
        let mut of_group = Vec::new();
        for (at, operation) in catalogue.operations().iter().enumerate() {
            let side = Side::demand(program, catalogue.token(at));
            let Some(rule) = side.permits().first().copied() else {
                of_group.push(None);
                continue;
            };
            let group = *known.entry(rule.rule.url).or_insert(groups.len());
            if group == groups.len() {
                let mut samples = samples::paths(operation);
                samples.retain(|path| rule.matches_path(path) && prover.is_path(path));
                if samples.is_empty() {
                    samples.extend(prover.sample(rule).map(|request| request.path));
                }
                groups.push(Group {
                    rule,
                    head: head(rule),
                    form: Form::of(operation),
                    paces: paces(rule),
                    samples,
                    operations: Vec::new(),
                });
            }
            if let (Some(group), Ok(at)) = (groups.get_mut(group), u32::try_from(at)) {
                group.operations.push(at);
            }
            of_group.push(Some(group));
        }
        let samples = catalogue
            .operations()
            .iter()
            .zip(of_group)
            .map(|(operation, group)| {
                let group = group.and_then(|group| groups.get(group));
                let paths = group.into_iter().flat_map(|group| &group.samples);
                let requests = paths.map(|path| Request {
                    method: operation.method,
                    path: path.clone(),
                    query: Vec::new(),
                    body: RequestBody::Absent,
                });
                Samples::new(requests, proxied)
            });
        let samples = samples.collect();
        Self {
            catalogue,
            groups,
            samples,
        }
    }

    /// The operations that each of some classes touches.
    pub(super) fn touched(
        &self,
        (classes, some): (&Classes, &BTreeSet<Class>),
        program: &'p Program,
        prover: &mut Prover<'p>,
    ) -> HashMap<Class, Vec<(u32, Touch)>> {
        // Classes that differ only in methods or conditions have the same paths.
        let mut known: HashMap<UrlId, Vec<Met>> = HashMap::new();
        let mut touched = HashMap::new();
        for class in some.iter().copied() {
            let Some(ruled) = classes.rule(program, class) else {
                continue;
            };
            let meetings = known
                .entry(ruled.rule.url)
                .or_insert_with(|| self.meetings(ruled, prover));
            let is_conditional = ruled.rule.asks_query() || ruled.rule.asks_json();
            let mut own = Vec::new();
            for (group, meeting, path) in meetings.iter() {
                let operations = self.groups.get(*group).map(|group| group.operations.as_slice());
                for at in operations.unwrap_or_default() {
                    let operation = self.catalogue.operations().get(*at as usize);
                    if operation.is_some_and(|operation| ruled.rule.methods.contains(operation.method)) {
                        own.push((
                            *at,
                            Touch {
                                class,
                                meeting: *meeting,
                                is_conditional,
                                path: path.clone(),
                            },
                        ));
                    }
                }
            }
            touched.insert(class, own);
        }
        touched
    }

    /// The groups whose paths a rule meets.
    pub(super) fn meetings(&self, ruled: Ruled<'p>, prover: &mut Prover<'p>) -> Vec<Met> {
        let own = head(ruled);
        prover.begin_token();
        let line = Beginning::of(ruled, prover);
        let line_paces = paces(ruled);
        let mut met = Vec::new();
        for (at, group) in self.groups.iter().enumerate() {
            let part = own.iter().zip(&group.head).any(|(one, other)| one != other);
            if part || group.form.is_apart(&line) {
                continue;
            }
            let spelled = group.form.spelled(&line);
            let fits =
                ruled.matches_path(&spelled) && group.rule.matches_path(&spelled) && prover.is_path(&spelled);
            let likely = fits.then_some(spelled);
            let paces = group.paces.as_ref().zip(line_paces.as_ref());
            match prover.meeting(group.rule, ruled, (&group.samples, likely.as_deref()), paces) {
                Ok((Meeting::Apart, _)) => {}
                Ok((meeting, path)) => met.push((at, meeting, path.map(Arc::from))),
                // The questions about the tokens settle it, or say that it is open.
                Err(_) => met.push((at, Meeting::Some, likely.map(Arc::from))),
            }
        }
        met
    }
}

/// The steps of a rule's paths, if it has the form of most lines.
fn paces(rule: Ruled<'_>) -> Option<Paces> {
    path_of_rule(rule).and_then(Paces::of)
}

/// A group that a rule meets, and a path of both.
pub(super) type Met = (usize, Meeting, Option<Arc<str>>);
