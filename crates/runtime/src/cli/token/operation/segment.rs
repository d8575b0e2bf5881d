//! Patterns of descriptions as parts of a line that stay within one segment of the path.

use regex_syntax::ast::{Ast, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, Span};

/// The pattern without its anchors, and with each class of characters kept from matching a slash; None if a line cannot have it.
pub(super) fn within(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let ast = regex_syntax::ast::parse::Parser::new().parse(inner).ok()?;
    // Each anchor of `^a|b$` belongs to one alternative only.
    if matches!(ast, Ast::Alternation(_)) {
        return None;
    }
    let mut changes = Vec::new();
    collect(&ast, &mut changes)?;
    changes.sort_by_key(|(span, _): &(Span, String)| span.start.offset);
    let (mut out, mut at) = (String::new(), 0);
    for (span, text) in changes {
        out.push_str(inner.get(at..span.start.offset)?);
        out.push_str(&text);
        at = span.end.offset;
    }
    out.push_str(inner.get(at..)?);
    Some(out)
}

/// Collects the classes that may match a slash, with their replacements; None for anchors and flags.
fn collect(ast: &Ast, changes: &mut Vec<(Span, String)>) -> Option<()> {
    match ast {
        Ast::Empty(_) | Ast::Literal(_) => {}
        Ast::Flags(_) | Ast::Assertion(_) | Ast::ClassUnicode(_) => return None,
        Ast::Dot(span) => changes.push((**span, "[^/]".to_owned())),
        Ast::ClassPerl(class) => {
            changes.extend(negated(class).map(|text| (class.span, format!("[^{text}/]"))))
        }
        Ast::ClassBracketed(class) => bracketed(class, changes)?,
        Ast::Repetition(of) => collect(&of.ast, changes)?,
        Ast::Group(of) => {
            if of.flags().is_some_and(|flags| !flags.items.is_empty()) {
                return None;
            }
            collect(&of.ast, changes)?;
        }
        Ast::Alternation(of) => of.asts.iter().try_for_each(|ast| collect(ast, changes))?,
        Ast::Concat(of) => of.asts.iter().try_for_each(|ast| collect(ast, changes))?,
    }
    Some(())
}

fn negated(class: &ClassPerl) -> Option<&'static str> {
    class.negated.then_some(match class.kind {
        ClassPerlKind::Digit => r"\d",
        ClassPerlKind::Space => r"\s",
        ClassPerlKind::Word => r"\w",
    })
}

/// A negated class gets a slash. Another class may have single characters, ranges without a slash, and classes such as `\d`.
fn bracketed(class: &ClassBracketed, changes: &mut Vec<(Span, String)>) -> Option<()> {
    let ClassSet::Item(item) = &class.kind else {
        return None;
    };
    if class.negated {
        let mut start = class.span;
        start.start.offset += 2;
        start.end = start.start;
        changes.push((start, "/".to_owned()));
        return Some(());
    }
    let items: &[ClassSetItem] = match item {
        ClassSetItem::Union(union) => &union.items,
        other => std::slice::from_ref(other),
    };
    let is_plain = |item: &ClassSetItem| match item {
        ClassSetItem::Literal(literal) => literal.c != '/',
        ClassSetItem::Range(range) => range.start.c > '/' || range.end.c < '/',
        ClassSetItem::Perl(class) => !class.negated,
        _ => false,
    };
    items.iter().all(is_plain).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stay_within_a_segment() {
        for (pattern, expected) in [
            (r"^[^\s]+$", Some(r"[^/\s]+")),
            ("^.+$", Some("[^/]+")),
            (r"^\W+$", Some(r"[^\w/]+")),
            (r"^[A-Z]+-\d+$", Some(r"[A-Z]+-\d+")),
            ("^(a|b)$", Some("(a|b)")),
            ("^(?:a|b)c$", Some("(?:a|b)c")),
            ("^a|b$", None),
            ("^a$|^b$", None),
            ("^[!-~]+$", None),
            ("^[a/]+$", None),
            ("[a-z]+", None),
            (r"^(?i)a$", None),
            (r"^\p{L}+$", None),
            ("^(a$", None),
            (r"^(?=a)b$", None),
        ] {
            assert_eq!(within(pattern).as_deref(), expected, "{pattern}");
        }
    }
}
