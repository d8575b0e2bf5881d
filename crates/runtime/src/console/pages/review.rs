//! The page that compares two policies.

use actix_web::HttpResponse;
use serde::Deserialize;
use tokenward_console::pages;
use tokenward_console::views::review::Review;
use tokenward_pdp::config::Role;

use super::super::found::Refused;
use super::super::review::{LIVE, LONGEST, choices, compared, own_invariants};
use super::visit::Visit;
use crate::admin::AdminError;

/// The two policies.
#[derive(Debug, Default, Deserialize)]
struct Question {
    #[serde(default)]
    before: String,
    #[serde(default)]
    after: String,
}

/// Shows the page.
pub(super) async fn show(visit: Visit) -> HttpResponse {
    visit.page(view(&visit).await, pages::review)
}

async fn view(visit: &Visit) -> Result<Review, AdminError> {
    let question: Question = visit.query()?;
    let mut view = Review {
        before: match question.before.trim() {
            "" => LIVE.to_owned(),
            before => before.to_owned(),
        },
        after: question.after.trim().to_owned(),
        choices: choices(&visit.state),
        note: Some(note(visit)),
        ..Review::default()
    };
    if view.after.is_empty() {
        let (state, console) = (visit.state.clone(), visit.console.clone());
        let proved = visit
            .console
            .proof(LONGEST, move |means| Ok(own_invariants(&state, &console, &means)))
            .await?;
        match proved {
            Ok(invariants) => view.invariants = invariants.to_vec(),
            Err(refused) => refuse(&mut view, refused),
        }
        return Ok(view);
    }
    visit.caller.may(Role::Operator)?;
    let (state, before, after) = (visit.state.clone(), view.before.clone(), view.after.clone());
    let result = visit
        .console
        .proof(LONGEST, move |means| {
            Ok(compared(&state, (&before, &after), &means))
        })
        .await?;
    match result {
        Ok((compared, invariants)) => {
            view.compared = Some(compared);
            view.invariants = invariants;
        }
        Err(refused) => refuse(&mut view, refused),
    }
    Ok(view)
}

/// Shows why there is no comparison.
fn refuse(view: &mut Review, refused: Refused) {
    match refused {
        Refused::Field(field, text) => {
            let text = tokenward_pdp::text::capital(&text);
            view.errors
                .push((field.to_owned(), format!("{}.", text.trim_end_matches('.'))));
        }
        Refused::Errors(diagnostics) => view.diagnostics = diagnostics,
    }
}

/// What can be compared here.
fn note(visit: &Visit) -> String {
    let revisions = "Revisions of git are compared by `tokenward diff`: the proxy runs no other programs, so it reads no repository.";
    match visit.state.config.admin.review.is_empty() {
        true => format!(
            "List directories or compiled policies in `[admin] review` of the configuration to compare them with the proxy's policy. {revisions}"
        ),
        false => revisions.to_owned(),
    }
}
