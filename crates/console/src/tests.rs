//! What must be true of every page, whatever it shows.

use crate::samples::gallery;
use crate::views::chrome::Chrome;
use crate::views::entry::Login;
use crate::{assets, escape, links, pages, samples};

#[test]
fn every_page_is_whole_and_has_one_heading_and_at_most_one_verdict() {
    for (name, page) in gallery() {
        assert!(
            page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"),
            "{name}"
        );
        assert_eq!(
            page.matches("<h1").count(),
            1 - usize::from(name.starts_with("overview-none")),
            "{name}"
        );
        let bands = page.matches("class=\"verdict ").count();
        assert!(bands <= 1, "{name} has {bands} verdicts");
        assert_eq!(page.matches("<title>").count(), 1, "{name}");
    }
}

#[test]
fn no_page_has_inline_script_or_style_or_an_address_elsewhere() {
    for (name, page) in gallery() {
        let lower = page.to_lowercase();
        for bad in [
            " style=",
            "<style",
            "javascript:",
            "<iframe",
            "<base",
            "src=\"http",
            "href=\"//",
        ] {
            assert!(!lower.contains(bad), "{name} has {bad}");
        }
        for script in page.split("<script").skip(1) {
            assert!(
                script.starts_with(" type=\"module\" src=\"/console/assets/"),
                "{name}"
            );
        }
        let handlers = page.match_indices(" on").filter(|(at, _)| {
            let rest = page.get(at + 3..).unwrap_or_default();
            rest.find('=').is_some_and(|end| {
                rest.get(..end)
                    .is_some_and(|word| word.chars().all(|c| c.is_ascii_alphabetic()))
            })
        });
        // Escaped text of callers has `&quot;` after the sign.
        for (at, _) in handlers {
            let rest = page.get(at..).unwrap_or_default();
            assert!(
                !rest
                    .split_once('=')
                    .is_some_and(|(_, value)| value.starts_with('"')),
                "{name}"
            );
        }
    }
}

#[test]
fn hostile_texts_are_texts_and_pages_stay_small() {
    for (name, page) in gallery() {
        assert!(!page.contains("<img") && !page.contains("<script>"), "{name}");
        assert!(!page.chars().any(|c| c != '\n' && escape::is_hidden(c)), "{name}");
        if name.starts_with("hostile") {
            assert!(
                page.contains("65,") || page.contains("xxxx"),
                "{name} tells no length"
            );
        } else {
            assert!(page.len() < 60_000, "{name} has {} bytes", page.len());
        }
    }
    let files: usize = assets::all().map(|(_, asset)| asset.body.len()).sum();
    let first = gallery()
        .into_iter()
        .find(|(name, _)| *name == "overview")
        .map_or(0, |(_, page)| page.len());
    assert!(first + files < 100_000, "{first} and {files} bytes");
}

#[test]
fn forms_that_act_carry_the_token_of_the_session() {
    for (name, page) in gallery() {
        for form in page.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap_or_default();
            if form.contains("method=\"post\"") {
                assert!(form.contains("name=\"csrf\" value=\""), "{name}: {form}");
            }
        }
    }
}

#[test]
fn what_a_role_may_not_do_is_absent() {
    let pages: Vec<_> = gallery()
        .into_iter()
        .filter(|(name, _)| *name == "token-unused")
        .collect();
    for (_, page) in pages {
        assert!(!page.contains("/revoke"), "a viewer sees the form that revokes");
    }
}

#[test]
fn people_who_are_not_logged_in_see_no_navigation() {
    let chrome = Chrome::default();
    let page = pages::login(&chrome, &Login::default());
    assert!(!page.contains("<nav") && !page.contains("policy"));
    assert!(samples::chrome().csrf() == "c5rf");
}

#[test]
fn labels_and_fields_belong_together_and_ids_are_unique() {
    for (name, page) in gallery() {
        let ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(ids.len(), once.len(), "{name} has an id twice");
        for reference in ["for", "aria-describedby", "aria-labelledby"] {
            let attribute = format!(" {reference}=\"");
            let wanted = page
                .split(&attribute)
                .skip(1)
                .filter_map(|rest| rest.split('"').next());
            for id in wanted {
                assert!(ids.contains(&id), "{name}: {reference}={id} leads nowhere");
            }
        }
    }
}

#[test]
fn links_keep_names_with_any_characters() {
    assert_eq!(
        links::token("a/b?c#d ü"),
        "/console/tokens/a%2Fb%3Fc%23d%20%C3%BC"
    );
    assert_eq!(links::call(&7), "/console/calls/7");
    let search = crate::views::audit::Search::since("24h")
        .of_token("a&b")
        .decided("deny");
    assert_eq!(
        search.href(),
        "/console/audit?since=24h&token=a%26b&decision=deny"
    );
    assert_eq!(
        search.href_before(&9),
        "/console/audit?since=24h&token=a%26b&decision=deny&before=9"
    );
}

#[test]
fn static_files_are_found_by_the_names_in_pages() {
    for (name, page) in gallery() {
        for path in page
            .split(assets::PATH)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(assets::find(path).is_some(), "{name}: {path}");
        }
    }
    assert!(assets::find("console.css").is_none() && assets::find("../lib.rs").is_none());
}

#[test]
fn fields_of_a_search_that_are_set_are_not_folded() {
    let with = |search| {
        let page = crate::views::audit::Audit {
            search,
            ..Default::default()
        };
        pages::audit(&samples::chrome(), &page)
    };
    let search = crate::views::audit::Search::default();
    assert!(with(search.clone()).contains("<details><summary>More"));
    let by_line = search.by_line("ci.toml:15");
    assert!(with(by_line).contains("<details open><summary>More"));
}

#[test]
fn a_failed_reload_is_told_in_lines() {
    use crate::views::overview::{FailedReload, Overview};
    let reason = "the policy has errors\nerror[TW0011]: a condition";
    let view = Overview {
        failed_reload: Some(FailedReload {
            reason: Some(reason.to_owned()),
            ..FailedReload::default()
        }),
        ..Overview::default()
    };
    let page = pages::overview(&Chrome::default(), &view);
    assert!(page.contains(reason) && !page.contains("errors\\n"), "{page}");
}
