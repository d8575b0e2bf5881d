//! Resolving a path, as it is written in a module, to the module that defines what it names.

use super::{Crate, Import};

/// How many re-exports a path may lead through.
const DEPTH: usize = 16;

impl Crate {
    /// The module that defines what `path` names in `module`; `None` if that is outside the crate.
    pub(super) fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.descend(Vec::new(), rest, depth),
            "self" => self.descend(module.to_vec(), rest, depth),
            "super" => {
                let (_, above) = module.split_last()?;
                match rest.first().map(String::as_str) {
                    Some("super") => self.resolve(above, rest, depth),
                    _ => self.descend(above.to_vec(), rest, depth),
                }
            }
            // A child module, or a name that is imported.
            name if self.is_module(module, name) || self.imported(module, name).is_some() => {
                self.descend(module.to_vec(), path, depth)
            }
            _ => None,
        }
    }

    fn is_module(&self, module: &[String], name: &str) -> bool {
        self.modules.contains_key(&[module, &[name.to_owned()]].concat())
    }

    fn imported(&self, module: &[String], name: &str) -> Option<&Import> {
        let imports = &self.modules.get(module)?.source.imports;
        imports.iter().find(|import| import.name == name)
    }

    /// Follows `rest` down from `module`: through children, and through names that a module imports.
    fn descend(&self, module: Vec<String>, rest: &[String], depth: usize) -> Option<Vec<String>> {
        let found = self.modules.get(&module)?;
        let Some((name, further)) = rest.split_first() else {
            return Some(module);
        };
        if self.is_module(&module, name) {
            let child = [module.as_slice(), std::slice::from_ref(name)].concat();
            return self.descend(child, further, depth);
        }
        if found.source.items.contains(name) || depth > DEPTH {
            return Some(module);
        }
        if let Some(import) = self.imported(&module, name) {
            let whole = [import.path.as_slice(), further].concat();
            // `use regex;` names another crate, and not itself.
            return match import.path.first() == Some(name) {
                true => None,
                false => self.resolve(&module, &whole, depth + 1),
            };
        }
        let globs = found.source.imports.iter().filter(|import| import.name == "*");
        for glob in globs {
            if let Some(target) = self.resolve(&module, &glob.path, depth + 1)
                && target != module
                && self.defines(&target, name)
            {
                return self.descend(target, rest, depth + 1);
            }
        }
        Some(module)
    }

    fn defines(&self, module: &[String], name: &str) -> bool {
        let has = |found: &super::Module| found.source.items.contains(name);
        self.is_module(module, name)
            || self.imported(module, name).is_some()
            || self.modules.get(module).is_some_and(has)
    }
}
