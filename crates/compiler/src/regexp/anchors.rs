//! `^` and `$` where they repeat what a whole match says already: they are taken out, and are errors elsewhere.

use regex_syntax::ast::{self, AssertionKind, Ast, Flag, FlagsItemKind};

/// An anchor, or a flag, that has no place.
#[derive(Debug)]
pub(super) struct Misplaced {
    pub(super) span: ast::Span,
    pub(super) what: What,
}

/// What has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Begin,
    End,
    MultiLine,
}

/// The tree without the anchors at the begin and the end of its alternatives.
///
/// # Errors
/// The first anchor elsewhere, or the flag `m`.
pub(super) fn without_edges(tree: &Ast) -> Result<Ast, Misplaced> {
    let tree = alternatives(tree);
    ast::visit(&tree, Search)?;
    Ok(tree)
}

fn alternatives(tree: &Ast) -> Ast {
    match tree {
        Ast::Alternation(alternation) => {
            let mut alternation = alternation.as_ref().clone();
            alternation.asts = alternation.asts.iter().map(branch).collect();
            Ast::alternation(alternation)
        }
        tree => branch(tree),
    }
}

/// One alternative: a group around all of it has alternatives of its own.
fn branch(tree: &Ast) -> Ast {
    match tree {
        Ast::Assertion(assertion) if edge(&assertion.kind).is_some() => Ast::empty(assertion.span),
        Ast::Group(group) => {
            let mut group = group.as_ref().clone();
            *group.ast = alternatives(&group.ast);
            Ast::group(group)
        }
        Ast::Concat(concat) => {
            let mut concat = concat.as_ref().clone();
            let is = |tree: &Ast, wanted: What| matches!(tree, Ast::Assertion(assertion) if edge(&assertion.kind) == Some(wanted));
            let is_flags = |tree: &Ast| matches!(tree, Ast::Flags(_) | Ast::Empty(_));
            let head = |tree: &&Ast| is_flags(tree) || is(tree, What::Begin);
            let from = concat.asts.iter().take_while(head).count();
            let tail = |tree: &&Ast| is_flags(tree) || is(tree, What::End);
            let behind = concat.asts.iter().rev().take_while(tail).count();
            let to = concat.asts.len().saturating_sub(behind);
            let mut index = 0;
            concat.asts.retain(|tree| {
                let at = index;
                index += 1;
                !((at < from && is(tree, What::Begin)) || (at >= to && is(tree, What::End)))
            });
            if let Some(group) = only_group(&mut concat.asts) {
                *group.ast = alternatives(&group.ast);
            }
            Ast::concat(concat)
        }
        tree => tree.clone(),
    }
}

/// The group, if there is nothing but one and flags.
fn only_group(trees: &mut [Ast]) -> Option<&mut ast::Group> {
    let mut others = trees
        .iter_mut()
        .filter(|tree| !matches!(tree, Ast::Flags(_) | Ast::Empty(_)));
    match (others.next(), others.next()) {
        (Some(Ast::Group(group)), None) => Some(group),
        _ => None,
    }
}

fn edge(kind: &AssertionKind) -> Option<What> {
    match kind {
        AssertionKind::StartLine | AssertionKind::StartText => Some(What::Begin),
        AssertionKind::EndLine | AssertionKind::EndText => Some(What::End),
        _ => None,
    }
}

struct Search;

impl ast::Visitor for Search {
    type Output = ();
    type Err = Misplaced;

    fn finish(self) -> Result<(), Misplaced> {
        Ok(())
    }

    fn visit_pre(&mut self, tree: &Ast) -> Result<(), Misplaced> {
        match tree {
            Ast::Assertion(assertion) => match edge(&assertion.kind) {
                Some(what) => Err(Misplaced {
                    span: assertion.span,
                    what,
                }),
                None => Ok(()),
            },
            Ast::Flags(flags) => multi_line(&flags.flags),
            Ast::Group(group) => group.flags().map_or(Ok(()), multi_line),
            _ => Ok(()),
        }
    }
}

fn multi_line(flags: &ast::Flags) -> Result<(), Misplaced> {
    let on = flags
        .items
        .iter()
        .take_while(|item| item.kind != FlagsItemKind::Negation);
    for item in on {
        if item.kind == FlagsItemKind::Flag(Flag::MultiLine) {
            return Err(Misplaced {
                span: item.span,
                what: What::MultiLine,
            });
        }
    }
    Ok(())
}
