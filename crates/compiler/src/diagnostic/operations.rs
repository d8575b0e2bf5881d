//! The operations of the API that a change newly allows, as findings name them.

/// Operations that texts for people name. JSON has all.
const NAMED: usize = 10;

/// The first operations, and the number of the others, if there are any.
pub fn listed(operations: &[String]) -> impl Iterator<Item = String> {
    let more = operations.len().checked_sub(NAMED).filter(|more| *more > 0);
    let named = operations.iter().take(NAMED).cloned();
    named.chain(more.map(|more| {
        let what = if more == 1 { "operation" } else { "operations" };
        format!("{more} more {what}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_counted() {
        let all: Vec<String> = (0..12).map(|at| at.to_string()).collect();
        let shown = |count: usize| listed(all.get(..count).unwrap_or_default()).collect::<Vec<_>>();
        assert_eq!(shown(0), Vec::<String>::new());
        assert_eq!(shown(10).len(), 10);
        assert_eq!(shown(11).last().unwrap(), "1 more operation");
        assert_eq!(shown(12).last().unwrap(), "2 more operations");
    }
}
