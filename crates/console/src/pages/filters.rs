//! How templates show values. Filters that give markup escape each text in it themselves.

use std::fmt::Display;

use askama::filters::Safe;
use askama::{Result, Values, filter_fn};

use crate::escape::{cut, field, html, visible, visible_lines};
use crate::plot::Label;
use crate::views::audit::Timing;
use crate::views::parts::{Held, Line, State, Verdict};
use crate::{line as lines_of_policy, shown};

/// Longest text in tables.
const SHORT: usize = 200;
/// Longest text of a paragraph.
const LONG: usize = 4_000;

/// A value, or a reference to one: templates pass both.
pub(super) trait Of<T> {
    /// The value.
    fn of(&self) -> &T;
}

macro_rules! of {
    ($($of:ty),*) => {
        $(impl Of<$of> for $of {
            fn of(&self) -> &$of {
                self
            }
        })*
    };
}

of!(i64, u64, Verdict, State, Held, Line, Timing);

impl<T, V: Of<T>> Of<T> for &V {
    fn of(&self) -> &T {
        (**self).of()
    }
}

/// A shape of the sprite.
#[filter_fn]
pub(super) fn icon(name: impl Display, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(icon_of(name)))
}

fn icon_of(name: impl Display) -> String {
    format!("<svg class=\"i\" aria-hidden=\"true\"><use href=\"#i-{name}\"/></svg>")
}

/// A short text of others: a name, a value in a table.
#[filter_fn]
pub(super) fn t(text: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(cut(&visible(text.as_ref()), SHORT))
}

/// A paragraph; what is between backticks is code.
#[filter_fn]
pub(super) fn long(text: impl AsRef<str>, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(prose(&cut(&visible(text.as_ref()), LONG))))
}

/// Escapes a text, and shows code between backticks as code. A backtick without a second one stays.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, code, after)) = between_backticks(rest) {
        out.push_str(&html(before));
        out.push_str(&format!("<code>{}</code>", html(code)));
        rest = after;
    }
    out.push_str(&html(rest));
    out
}

/// The text before a pair of backticks, between them, and after them.
fn between_backticks(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    (!code.is_empty()).then_some((before, code, after))
}

/// A text in full, such as a value on the page of its record.
#[filter_fn]
pub(super) fn whole(text: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(visible(text.as_ref()))
}

/// Lines of a file or a command.
#[filter_fn]
pub(super) fn lines(text: impl AsRef<str>, _: &dyn Values) -> Result<String> {
    Ok(visible_lines(text.as_ref()))
}

/// The value of a field, exactly.
#[filter_fn]
pub(super) fn kept(text: impl AsRef<str>, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(field(text.as_ref())))
}

/// A path or URL, cut, which breaks after each slash.
#[filter_fn]
pub(super) fn path(text: impl AsRef<str>, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(breaking(&cut(&visible(text.as_ref()), SHORT))))
}

/// A path or URL in full, which breaks after each slash.
#[filter_fn]
pub(super) fn whole_path(text: impl AsRef<str>, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(breaking(&visible(text.as_ref()))))
}

fn breaking(text: &str) -> String {
    html(text).replace('/', "/<wbr>")
}

/// The inside of `<code class="line">`.
#[filter_fn]
pub(super) fn line(line: impl Of<Line>, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(lines_of_policy::html(line.of())))
}

/// A number, its digits in groups.
#[filter_fn]
pub(super) fn n(count: impl Display, _: &dyn Values) -> Result<String> {
    Ok(shown::grouped(count))
}

/// A number of calls as a link to them; zero is quiet and leads nowhere.
#[filter_fn]
pub(super) fn calls<C: Of<u64>, H: AsRef<str>>(count: C, _: &dyn Values, href: H) -> Result<Safe<String>> {
    Ok(Safe(match *count.of() {
        0 => "<span class=\"zero\">0</span>".to_owned(),
        count => format!(
            "<a href=\"{}\">{}</a>",
            html(href.as_ref()),
            shown::grouped(count)
        ),
    }))
}

/// "1 token", "2 tokens"
#[filter_fn]
pub(super) fn counted(count: impl Of<u64>, _: &dyn Values, noun: &str) -> Result<String> {
    let count = *count.of();
    let end = if count == 1 { "" } else { "s" };
    Ok(format!("{} {noun}{end}", shown::grouped(count)))
}

/// A share of a whole, as per cent.
#[filter_fn]
pub(super) fn share<P: Of<u64>, W: Of<u64>>(part: P, _: &dyn Values, whole: W) -> Result<String> {
    Ok(shown::share(*part.of(), *whole.of()))
}

/// Width of a bar, of 100.
#[filter_fn]
pub(super) fn width<P: Of<u64>, W: Of<u64>>(part: P, _: &dyn Values, whole: W) -> Result<String> {
    Ok(tenths(*part.of(), *whole.of(), 100))
}

/// A part of a width, with one digit behind the point.
fn tenths(part: u64, whole: u64, width: u64) -> String {
    let tenths = u128::from(part) * u128::from(width) * 10 / u128::from(whole.max(1));
    let tenths = tenths.min(u128::from(width) * 10);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Microseconds as milliseconds.
#[filter_fn]
pub(super) fn ms(us: impl Of<u64>, _: &dyn Values) -> Result<String> {
    Ok(shown::millis(*us.of()))
}

/// A time, shorter the older it is.
#[filter_fn]
pub(super) fn when<M: Of<i64>, N: Of<i64>>(ms: M, _: &dyn Values, now_ms: N) -> Result<Safe<String>> {
    let ms = *ms.of();
    Ok(Safe(time(ms, "short", &shown::short(ms, *now_ms.of()))))
}

/// The time of a call, to the second.
#[filter_fn]
pub(super) fn stamp<M: Of<i64>, N: Of<i64>>(ms: M, _: &dyn Values, now_ms: N) -> Result<Safe<String>> {
    let ms = *ms.of();
    Ok(Safe(time(ms, "stamp", &shown::stamp(ms, *now_ms.of()))))
}

/// The label of an axis of time.
#[filter_fn]
pub(super) fn axis(label: impl AsRef<Label>, _: &dyn Values) -> Result<Safe<String>> {
    let label = label.as_ref();
    Ok(Safe(time(
        label.ms,
        label.form,
        &shown::axis(label.ms, label.form),
    )))
}

/// A day.
#[filter_fn]
pub(super) fn day(ms: impl Of<i64>, _: &dyn Values) -> Result<Safe<String>> {
    let ms = *ms.of();
    Ok(Safe(time(ms, "day", &shown::day(ms))))
}

/// Date and time to the millisecond.
#[filter_fn]
pub(super) fn exact(ms: impl Of<i64>, _: &dyn Values) -> Result<Safe<String>> {
    let ms = *ms.of();
    Ok(Safe(time(ms, "exact", &shown::exact(ms))))
}

/// Distance from now: "in 29 days".
#[filter_fn]
pub(super) fn distance<M: Of<i64>, N: Of<i64>>(ms: M, _: &dyn Values, now_ms: N) -> Result<String> {
    Ok(shown::distance(*ms.of(), *now_ms.of()))
}

/// The element; script shows the local time in this form, and the title stays UTC.
fn time(ms: i64, form: &str, text: &str) -> String {
    match shown::machine(ms) {
        Some(machine) => format!(
            "<time datetime=\"{machine}\" title=\"{}\" data-form=\"{form}\">{text}</time>",
            shown::full(ms)
        ),
        None => text.to_owned(),
    }
}

/// Shape and word of a decision.
#[filter_fn]
pub(super) fn verdict(verdict: impl Of<Verdict>, _: &dyn Values) -> Result<Safe<String>> {
    let word = verdict.of().as_str();
    Ok(Safe(format!(
        "<span class=\"mark {word}\">{}{word}</span>",
        icon_of(word)
    )))
}

/// Shape and words of a state.
#[filter_fn]
pub(super) fn state(state: impl Of<State>, _: &dyn Values) -> Result<Safe<String>> {
    let state = state.of();
    Ok(Safe(format!(
        "<span class=\"mark {}\">{}{}</span>",
        state.tone.class(),
        icon_of(state.tone.shape()),
        html(&cut(&visible(&state.text), SHORT))
    )))
}

/// Tick, cross or dash, and the reason.
#[filter_fn]
pub(super) fn held(held: impl Of<Held>, _: &dyn Values) -> Result<Safe<String>> {
    let held = held.of();
    let class = held.class();
    Ok(Safe(format!(
        "<span class=\"held {class}\">{}<span>{}</span></span>",
        icon_of(class),
        prose(&cut(&visible(&held.why), SHORT))
    )))
}

/// Bar of the times of a call. All bars of a list share a scale: the longest time.
#[filter_fn]
pub(super) fn bar<T: Of<Timing>, L: Of<u64>>(
    timing: T,
    _: &dyn Values,
    longest_us: L,
    class: &str,
) -> Result<Safe<String>> {
    let timing = timing.of();
    let at = |us| tenths(us, *longest_us.of(), 1_000);
    let (decide, upstream, rest) = timing.parts();
    let mut out = format!(
        "<svg class=\"{class}\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    );
    let mut x = 0_u64;
    for (class, us) in [("decide", decide), ("rest", rest), ("upstream", upstream)] {
        if us > 0 {
            out.push_str(&format!(
                "<rect class=\"{class}\" x=\"{}\" width=\"{}\" height=\"10\"/>",
                at(x),
                at(us)
            ));
        }
        x = x.saturating_add(us);
    }
    out.push_str("</svg>");
    Ok(Safe(out))
}
