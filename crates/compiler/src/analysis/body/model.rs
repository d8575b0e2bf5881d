//! Bodies that satisfy universals and demands.
//!
//! The search is exact because of the questions' shape. An object's members do not depend on each other, so demands below
//! different names are met separately. An array's elements do not either, and all of them obey the same universals: if some
//! array meets several demands, then so does the array with an element for each. The value at a place is thus found by
//! trying three shapes, scalar, object, array, top down.

use super::{
    BodyAtom, Fact, Quantity, Says,
    spelling::{Spellings, is_variant},
};
use crate::{
    analysis::{
        budget::Exhausted,
        language::Languages,
        parameters::fresh,
        places::{Place, PlaceId, Places},
        values::{ValueSet, member},
        witness::Json,
    },
    json::{Kind, MAX_DEPTH, fold},
    param::names,
};

/// Returns a body that satisfies all atoms. `avoid`: names that a body should not have unless an atom demands them.
///
/// # Errors
/// The budget is spent.
pub(crate) fn satisfy(
    atoms: &[&BodyAtom],
    places: &Places,
    avoid: &dyn Fn(&str) -> bool,
    languages: &mut Languages,
) -> Result<Option<Json>, Exhausted> {
    let demands: Vec<&BodyAtom> = atoms
        .iter()
        .copied()
        .filter(|atom| atom.is_demand() && !atoms.iter().any(|other| other.implies(atom)))
        .collect();
    let mut model = Model {
        atoms,
        places,
        avoid,
        languages,
        depth: 1,
    };
    // An object first, which is what most bodies are.
    if let Some(json) = model.object(Some(Places::ROOT), &[], &demands)? {
        return Ok(Some(json));
    }
    model.depth = 0;
    model.anything(Some(Places::ROOT), &[], &demands)
}

impl BodyAtom {
    fn is_demand(&self) -> bool {
        match &self.says {
            Says::Fact(_, quantity) => *quantity == Quantity::Once,
            Says::SomeValue(_) | Says::Beside(_) | Says::Variant(_) | Says::OneOf(_) => true,
            Says::AllValues(_) | Says::Only(_) | Says::NoneOf(_) | Says::NoVariant(_) => false,
        }
    }

    /// Whether what meets this demand meets the other: an array then needs no element for it.
    fn implies(&self, other: &Self) -> bool {
        let value = matches!(
            self.says,
            Says::SomeValue(_) | Says::Fact(Fact::Value, Quantity::Once)
        );
        self.place == other.place
            && match other.says {
                Says::Fact(Fact::Value, Quantity::Once) => matches!(self.says, Says::SomeValue(_)),
                Says::Fact(Fact::Found, Quantity::Once) => value,
                _ => false,
            }
    }
}

struct Model<'a> {
    atoms: &'a [&'a BodyAtom],
    places: &'a Places,
    avoid: &'a dyn Fn(&str) -> bool,
    languages: &'a mut Languages,
    /// The objects and arrays that are open.
    depth: usize,
}

type Demands<'a> = [&'a BodyAtom];

impl<'a> Model<'a> {
    /// Finds a value for a place, or, without one, for an array beyond all places. `arrays`: the places of the arrays
    /// that it is in, for which its values count too.
    fn anything(
        &mut self,
        place: Option<PlaceId>,
        arrays: &[PlaceId],
        demands: &Demands<'a>,
    ) -> Result<Option<Json>, Exhausted> {
        // Values of a place, and those of the arrays there, are looked for each time from the start.
        self.languages.work.take(self.atoms.len() + demands.len() + 1)?;
        if let Some(json) = self.scalar(place, arrays, demands)? {
            return Ok(Some(json));
        }
        // A text that nests deeper is not JSON to the proxy.
        if self.depth >= MAX_DEPTH {
            return Ok(None);
        }
        self.depth += 1;
        let container = self.container(place, arrays, demands);
        self.depth -= 1;
        container
    }

    fn container(
        &mut self,
        place: Option<PlaceId>,
        arrays: &[PlaceId],
        demands: &Demands<'a>,
    ) -> Result<Option<Json>, Exhausted> {
        if let Some(json) = self.object(place, arrays, demands)? {
            return Ok(Some(json));
        }
        match place {
            Some(place) => self.array(place, arrays, demands),
            // Elements beyond all places count as if they stood in the array itself.
            None => Ok(None),
        }
    }

    fn scalar(
        &mut self,
        place: Option<PlaceId>,
        arrays: &[PlaceId],
        demands: &Demands<'a>,
    ) -> Result<Option<Json>, Exhausted> {
        let here = |other: PlaceId| Some(other) == place || arrays.contains(&other);
        let places = self.places;
        let below =
            |other: PlaceId| place.is_some_and(|place| other != place && places.is_within(other, place));
        let at = |other: PlaceId| Some(other) == place;
        // Facts that a scalar here would create, and that must never hold.
        let excluded = self.never(|other, fact| match fact {
            Fact::Found => at(other),
            Fact::Value => here(other),
            Fact::Misfit => below(other),
            Fact::NoObject => at(other) || below(other),
            Fact::Object | Fact::Missing | Fact::Lacking => false,
        });
        if excluded {
            return Ok(None);
        }
        // Each demand must be met by a scalar here; those on its value are collected.
        let mut sets: Vec<&ValueSet> = Vec::new();
        for demand in demands {
            let met = match &demand.says {
                Says::SomeValue(set) => {
                    sets.push(set);
                    here(demand.place)
                }
                Says::Fact(Fact::Value, _) => here(demand.place),
                Says::Fact(Fact::Found, _) => at(demand.place),
                Says::Fact(Fact::Misfit, _) => below(demand.place),
                Says::Fact(Fact::NoObject, _) => at(demand.place) || below(demand.place),
                _ => false,
            };
            if !met {
                return Ok(None);
            }
        }
        // Universals restrict the value too.
        sets.extend(self.atoms.iter().filter_map(|atom| match &atom.says {
            Says::AllValues(set) if here(atom.place) => Some(set),
            _ => None,
        }));
        Ok(member(&sets, self.languages)?.map(|(kind, text)| match kind {
            Kind::String => Json::String(text),
            Kind::Number | Kind::Boolean | Kind::Null => Json::Literal(text),
        }))
    }

    fn object(
        &mut self,
        place: Option<PlaceId>,
        arrays: &[PlaceId],
        demands: &Demands<'a>,
    ) -> Result<Option<Json>, Exhausted> {
        let here = |other: PlaceId| Some(other) == place || arrays.contains(&other);
        let (places, nowhere) = (self.places, Place::default());
        let tree = place.and_then(|place| places.get(place)).unwrap_or(&nowhere);
        let in_each = |other: PlaceId| tree.each.is_some_and(|each| places.is_within(other, each));
        let excluded = self.never(|other, fact| match fact {
            Fact::Found => Some(other) == place,
            Fact::Object => here(other),
            Fact::Misfit | Fact::NoObject => in_each(other),
            Fact::Value | Fact::Missing | Fact::Lacking => false,
        });
        if excluded {
            return Ok(None);
        }
        // Each demand goes to a member, is met by the object itself, or asks for a member of another name.
        let mut object = Object::new(tree.names.len());
        let mut beside = Vec::new();
        for demand in demands {
            let of_member = tree
                .names
                .iter()
                .position(|(_, member)| places.is_within(demand.place, *member));
            let met = match (&demand.says, of_member) {
                (_, Some(member)) => object.demand(member, demand),
                (Says::Fact(Fact::Object, _), None) => here(demand.place),
                (Says::Fact(Fact::Found, _), None) => Some(demand.place) == place,
                (Says::Fact(Fact::Misfit | Fact::NoObject, _), None) => in_each(demand.place),
                (Says::Beside(_) | Says::Variant(_) | Says::OneOf(_), None)
                    if Some(demand.place) == place =>
                {
                    beside.push(*demand);
                    true
                }
                _ => false,
            };
            if !met {
                return Ok(None);
            }
        }
        // The members that rules name.
        for (index, (name, member)) in tree.names.iter().enumerate() {
            let wanted = object.demands_of(index);
            if self.may_lack(*member, tree.in_element, &wanted) {
                continue;
            }
            match self.member(place, name, *member, &wanted)? {
                Some(json) => object.put(index, json),
                None => return Ok(None),
            }
        }
        let extra = self.extra(place, tree, &mut object, &beside)?;
        Ok(extra.map(|extra| object.into_json(tree, extra)))
    }

    /// Names of further members, and members put into the object, so that all of `beside` are met; `None` if that is
    /// impossible.
    fn extra(
        &mut self,
        place: Option<PlaceId>,
        tree: &Place,
        object: &mut Object<'a>,
        beside: &[&'a BodyAtom],
    ) -> Result<Option<Vec<String>>, Exhausted> {
        let mut extra = Vec::new();
        for demand in beside {
            let asked = |name: &str| match &demand.says {
                Says::Beside(names) => !names.contains(name),
                Says::OneOf(first) => names(name, first),
                Says::Variant(known) => is_variant(name, known),
                _ => false,
            };
            let has = |object: &Object<'_>, (index, (name, _)): (usize, &(String, PlaceId))| {
                object.has(index) && asked(name)
            };
            if tree.names.iter().enumerate().any(|named| has(object, named))
                || extra.iter().any(|name: &String| asked(name))
            {
                continue;
            }
            if let Some(name) = self.unnamed(place, tree, demand)? {
                extra.push(name);
                continue;
            }
            if !self.put_one(place, tree, object, &asked)? {
                return Ok(None);
            }
        }
        Ok(Some(extra))
    }

    /// Adds a member of those that are spoken of.
    fn put_one(
        &mut self,
        place: Option<PlaceId>,
        tree: &Place,
        object: &mut Object<'a>,
        asked: &dyn Fn(&str) -> bool,
    ) -> Result<bool, Exhausted> {
        for (index, (name, member)) in tree.names.iter().enumerate() {
            if asked(name)
                && let Some(json) = self.member(place, name, *member, &object.demands_of(index))?
            {
                object.put(index, json);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A member's value, if the object may have the member.
    fn member(
        &mut self,
        place: Option<PlaceId>,
        name: &str,
        member: PlaceId,
        demands: &Demands<'a>,
    ) -> Result<Option<Json>, Exhausted> {
        if self.may_have(place, name) {
            self.anything(Some(member), &[], demands)
        } else {
            Ok(None)
        }
    }

    fn may_have(&self, place: Option<PlaceId>, name: &str) -> bool {
        // The proxy refuses a body that has a control character in a name.
        !name.contains(char::is_control)
            && !self.atoms.iter().any(|atom| match &atom.says {
                Says::Only(names) => Some(atom.place) == place && !names.contains(name),
                Says::NoneOf(first) => Some(atom.place) == place && names(name, first),
                Says::NoVariant(known) => Some(atom.place) == place && is_variant(name, known),
                _ => false,
            })
    }

    /// Whether an object may lack a member, and meets all of the demands below it by that.
    fn may_lack(&self, member: PlaceId, in_element: bool, demands: &Demands<'a>) -> bool {
        let places = self.places;
        let excluded = self.never(|other, fact| {
            let lacks = fact == Fact::Missing || fact == Fact::Lacking && in_element;
            lacks && places.is_within(other, member)
        });
        let met = |demand: &&BodyAtom| match demand.says {
            Says::Fact(Fact::Missing, _) => true,
            Says::Fact(Fact::Lacking, _) => in_element,
            _ => false,
        };
        !excluded && demands.iter().all(met)
    }

    /// A name that no rule mentions and that meets a demand for one.
    fn unnamed(
        &self,
        place: Option<PlaceId>,
        tree: &Place,
        demand: &BodyAtom,
    ) -> Result<Option<String>, Exhausted> {
        // Candidates that no atom distinguishes: one outside all families, or one for each family.
        let is_known = |name: &String| tree.names.iter().any(|(known, _)| known == name);
        let free = |name: &String| !is_known(name) && !(self.avoid)(name);
        let name = match &demand.says {
            // Every such name is one to avoid otherwise.
            Says::Variant(known) => return self.variant(place, known, &is_known),
            Says::OneOf(first) => std::iter::once(first.clone())
                .chain((0..64).map(|number| format!("{first}[{}]", fresh(number))))
                .find(free),
            _ => (0..1024).map(fresh).find(free),
        };
        Ok(name.filter(|name| self.may_have(place, name)))
    }

    /// A name that no rule mentions, and that differs from the known one only in letter case.
    fn variant(
        &self,
        place: Option<PlaceId>,
        known: &str,
        is_known: &dyn Fn(&String) -> bool,
    ) -> Result<Option<String>, Exhausted> {
        let spellings = Spellings::of(known);
        let mut unknown = spellings.names.iter().filter(|name| !is_known(name));
        if let Some(name) = unknown.find(|name| self.may_have(place, name)) {
            return Ok(Some(name.clone()));
        }
        // What excludes every name but a few excludes the other spellings, too. A single name that is excluded is not all of them.
        let excludes_all = self.atoms.iter().any(|atom| {
            Some(atom.place) == place
                && match &atom.says {
                    Says::Only(_) => true,
                    Says::NoVariant(name) => fold::key(name) == fold::key(known),
                    _ => false,
                }
        });
        match spellings.are_all || excludes_all {
            true => Ok(None),
            false => Err(Exhausted),
        }
    }

    fn array(
        &mut self,
        place: PlaceId,
        arrays: &[PlaceId],
        demands: &Demands<'a>,
    ) -> Result<Option<Json>, Exhausted> {
        let places = self.places;
        let Some(tree) = places.get(place) else {
            return Ok(None);
        };
        let in_member = |other: PlaceId| {
            tree.names
                .iter()
                .any(|(_, member)| places.is_within(other, *member))
        };
        // Facts that an array here would create, and that must never hold.
        let excluded = self.never(|other, fact| match fact {
            Fact::Found => other == place,
            Fact::Misfit => in_member(other),
            Fact::NoObject => other == place || in_member(other),
            Fact::Value | Fact::Object | Fact::Missing | Fact::Lacking => false,
        });
        if excluded {
            return Ok(None);
        }
        // Demands that the array itself does not meet get an element each.
        let within: Vec<PlaceId> = arrays.iter().copied().chain([place]).collect();
        let mut elements = Vec::new();
        for demand in demands {
            match demand.says {
                Says::Fact(Fact::Found, _) if demand.place == place => continue,
                Says::Fact(Fact::NoObject, _) if demand.place == place => continue,
                Says::Fact(Fact::Misfit | Fact::NoObject, _) if in_member(demand.place) => continue,
                _ => {}
            }
            match self.anything(tree.each, &within, &[*demand])? {
                Some(element) => elements.push(element),
                None => return Ok(None),
            }
        }
        elements.dedup();
        Ok(Some(Json::Array(elements)))
    }

    /// Whether some universal excludes a fact.
    fn never(&self, excludes: impl Fn(PlaceId, Fact) -> bool) -> bool {
        self.atoms.iter().any(|atom| match atom.says {
            Says::Fact(fact, Quantity::Never) => excludes(atom.place, fact),
            _ => false,
        })
    }
}

/// An object under construction: for each member that rules name, its atoms and its value.
struct Object<'a>(Vec<(Vec<&'a BodyAtom>, Option<Json>)>);

impl<'a> Object<'a> {
    fn new(members: usize) -> Self {
        Self(vec![(Vec::new(), None); members])
    }

    fn demand(&mut self, member: usize, demand: &'a BodyAtom) -> bool {
        self.0
            .get_mut(member)
            .map(|(demands, _)| demands.push(demand))
            .is_some()
    }

    fn demands_of(&self, member: usize) -> Vec<&'a BodyAtom> {
        self.0
            .get(member)
            .map(|(demands, _)| demands.clone())
            .unwrap_or_default()
    }

    fn put(&mut self, member: usize, json: Json) {
        if let Some((_, value)) = self.0.get_mut(member) {
            *value = Some(json);
        }
    }

    fn has(&self, member: usize) -> bool {
        self.0.get(member).is_some_and(|(_, value)| value.is_some())
    }

    fn into_json(self, tree: &Place, extra: Vec<String>) -> Json {
        let named = tree.names.iter().zip(self.0);
        let members = named.filter_map(|((name, _), (_, value))| Some((name.clone(), value?)));
        let extra = extra
            .into_iter()
            .map(|name| (name, Json::Literal("1".to_owned())));
        Json::Object(members.chain(extra).collect())
    }
}
