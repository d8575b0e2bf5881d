//! A proxy of a few rules.

use std::sync::Arc;

use tokenward_compiler::analysis::{
    Asked, LiftedRefusals, NameRefusals, Obstacle, Proxied, Proxy, Request, Serving,
};

/// A proxy that serves `/rest/*`, refuses the parameter `jwt`, and needs `mint` for calls below `/rest/pat`, also where a server takes
/// a full-width `ｐ` for `p`.
pub(crate) struct Toy;

impl Proxy for Toy {
    fn obstacles(&self, asked: Asked<'_>, request: &Request) -> Vec<Obstacle> {
        let plain = request.path.replace('ｐ', "p");
        let below = |path: &str, start: &str| path == start || path.starts_with(&format!("{start}/"));
        if !request.path.starts_with("/rest/") {
            return vec![Obstacle::Setting("upstream.endpoints".to_owned())];
        }
        if request.query.iter().any(|(name, _)| name == "jwt") {
            return vec![Obstacle::Setting("upstream.accepted_names".to_owned())];
        }
        if below(&plain, "/rest/pat") && !asked.mint {
            let call = Some("/rest/pat/**".to_owned());
            return vec![Obstacle::Key { key: "mint", call }];
        }
        Vec::new()
    }

    fn refuses_parameter(&self, name: &str) -> bool {
        name == "jwt"
    }

    fn names(&self) -> Option<&dyn NameRefusals> {
        None
    }
}

pub(crate) fn proxied() -> Proxied {
    let serving = Serving {
        endpoints: vec!["/rest/*".to_owned()],
        lifted: LiftedRefusals::default(),
        ..Serving::default()
    };
    Proxied::new(&serving, Arc::new(Toy)).unwrap()
}
