use tokenward_compiler::method::Method;

use crate::reference::{Body, Request};

/// All requests of some methods, paths, queries and bodies.
#[derive(Clone, Debug)]
pub struct Universe {
    /// The methods.
    pub methods: Vec<Method>,
    /// The decoded paths below the base URL.
    pub paths: Vec<String>,
    /// The decoded parameters of each query.
    pub queries: Vec<Vec<(String, Option<String>)>>,
    /// The bodies, at most [`Universe::MOST_BODIES`].
    pub bodies: Vec<Body>,
}

/// A request of a universe, by its parts' places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    cell: usize,
    body: usize,
}

impl Universe {
    /// The most bodies: a cell of a region has a bit for each.
    pub const MOST_BODIES: usize = 64;

    /// The universe of one request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        Self {
            methods: vec![request.method],
            paths: vec![request.path.clone()],
            queries: vec![request.query.clone()],
            bodies: vec![request.body.clone()],
        }
    }

    /// The number of requests.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells() * self.bodies.len()
    }

    /// Whether there is no request.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn cells(&self) -> usize {
        self.methods.len() * self.paths.len() * self.queries.len()
    }

    /// The request at a point of this universe.
    ///
    /// # Panics
    /// The point is of another universe.
    #[must_use]
    pub fn request(&self, point: Point) -> Request {
        let (rest, query) = (point.cell / self.queries.len(), point.cell % self.queries.len());
        let (method, path) = (rest / self.paths.len(), rest % self.paths.len());
        Request {
            method: *self.methods.get(method).expect("a method"),
            path: self.paths.get(path).expect("a path").clone(),
            query: self.queries.get(query).expect("a query").clone(),
            body: self.bodies.get(point.body).expect("a body").clone(),
        }
    }

    /// The nth request, counted on from the first behind the last.
    ///
    /// # Panics
    /// The universe is empty.
    #[must_use]
    pub fn point(&self, at: usize) -> Point {
        Point {
            cell: at / self.bodies.len() % self.cells(),
            body: at % self.bodies.len(),
        }
    }
}

/// A set of requests of a universe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// For each method, path and query, in this order: a bit for each body.
    cells: Vec<u64>,
}

/// A product of sets: of each part of the universe, those with `true`, and of the bodies those whose bits are set.
pub(super) struct Product<'s> {
    pub(super) methods: &'s [bool],
    pub(super) paths: &'s [bool],
    pub(super) queries: &'s [bool],
    pub(super) bodies: u64,
}

impl Region {
    pub(super) fn empty(universe: &Universe) -> Self {
        Self {
            cells: vec![0; universe.cells()],
        }
    }

    pub(super) fn full(universe: &Universe) -> Self {
        let bodies = bits(&universe.bodies, |_| true);
        Self {
            cells: vec![bodies; universe.cells()],
        }
    }

    /// The requests of which that is true, whatever their query.
    pub fn of(universe: &Universe, is_in: impl Fn(Method, &str, &Body) -> bool) -> Self {
        let mut region = Self::empty(universe);
        let only = |at: usize, count: usize| (0..count).map(|other| other == at).collect::<Vec<_>>();
        let queries = vec![true; universe.queries.len()];
        for (method, methods) in universe
            .methods
            .iter()
            .enumerate()
            .map(|(at, method)| (method, only(at, universe.methods.len())))
        {
            for (at, path) in universe.paths.iter().enumerate() {
                region.add(&Product {
                    methods: &methods,
                    paths: &only(at, universe.paths.len()),
                    queries: &queries,
                    bodies: bits(&universe.bodies, |body| is_in(*method, path, body)),
                });
            }
        }
        region
    }

    /// Adds a product.
    pub(super) fn add(&mut self, product: &Product<'_>) {
        let mut cells = self.cells.iter_mut();
        for method in product.methods {
            for path in product.paths {
                for query in product.queries {
                    let cell = cells.next().expect("a cell for each");
                    if *method && *path && *query {
                        *cell |= product.bodies;
                    }
                }
            }
        }
    }

    /// What both have.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.with(other, |one, other| one & other)
    }

    /// What either has.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.with(other, |one, other| one | other)
    }

    /// What the other does not have.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.with(other, |one, other| one & !other)
    }

    fn with(&self, other: &Self, cell: impl Fn(u64, u64) -> u64) -> Self {
        let cells = self.cells.iter().zip(&other.cells);
        Self {
            cells: cells.map(|(one, other)| cell(*one, *other)).collect(),
        }
    }

    /// Whether a request is in it.
    #[must_use]
    pub fn has(&self, point: Point) -> bool {
        self.cells
            .get(point.cell)
            .is_some_and(|cell| (cell >> point.body) & 1 == 1)
    }

    /// The number of requests.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.iter().map(|cell| cell.count_ones() as usize).sum()
    }

    /// Whether it has no request.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| *cell == 0)
    }

    /// Its first request.
    #[must_use]
    pub fn first(&self) -> Option<Point> {
        self.points().next()
    }

    /// All of its requests, in order.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        let bodies = |cell: u64| (0..Universe::MOST_BODIES).filter(move |body| (cell >> body) & 1 == 1);
        let cells = self.cells.iter().enumerate();
        cells.flat_map(move |(cell, set)| bodies(*set).map(move |body| Point { cell, body }))
    }
}

/// The set of those bodies.
pub(super) fn bits(bodies: &[Body], mut is_in: impl FnMut(&Body) -> bool) -> u64 {
    assert!(
        bodies.len() <= Universe::MOST_BODIES,
        "a cell has a bit for each body"
    );
    let set = bodies.iter().enumerate().filter(|(_, body)| is_in(body));
    set.fold(0, |set, (at, _)| set | (1 << at))
}
