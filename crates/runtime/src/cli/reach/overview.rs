//! Operations that most tokens reach, which the text and the comment show.

use super::view::View;

/// Operations that most tokens reach, the most telling first: how many tokens, and the operation's number.
pub(super) fn most_reached(view: &View<'_>, most: usize) -> Vec<(usize, usize)> {
    let counts = view.tokens_of_operations().into_iter().enumerate();
    let mut reached: Vec<(usize, usize)> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(at, count)| (count, at))
        .collect();
    let writes = |at: usize| view.operation(at).is_some_and(|operation| !operation.is_safe());
    reached.sort_by_key(|(count, at)| (std::cmp::Reverse(*count), !writes(*at), *at));
    reached.truncate(most);
    reached
}
