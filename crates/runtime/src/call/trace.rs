//! Trace context (W3C Trace Context, level 1): the trace that a call belongs to.
//!
//! A client's fields are used only if they are well-formed, and are written again by the proxy: only the trace id, two
//! flags and a bounded list of vendors' members pass. If the proxy begins a trace, the trace id is the request id.

use tokenward_pdp::text::put_hex;

use super::id::RequestId;
use super::random;

/// The flags that the standard defines: sampled, and random.
const FLAGS: u8 = 0b11;
const SAMPLED: u8 = 0b01;
/// Maximum length of a forwarded list of vendors' members (section 3.3.1.5 requires at least 512).
const LONGEST_STATE: usize = 512;
const MOST_MEMBERS: usize = 32;

/// The trace of one call, and the call's own span in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    id: [u8; 16],
    span: [u8; 8],
    parent: Option<[u8; 8]>,
    flags: u8,
    state: Option<String>,
}

impl Trace {
    /// Takes the trace that the fields name; otherwise begins a new one, sampled or not.
    pub(crate) fn of(fields: &[(&[u8], &[u8])], request: &RequestId, sampled: bool) -> Self {
        let named = |wanted: &'static [u8]| {
            let found = fields
                .iter()
                .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| *value)
        };
        let mut parents = named(b"traceparent");
        let parent = match (parents.next(), parents.next()) {
            (Some(value), None) => parent(value),
            _ => None,
        };
        let (id, parent, flags, state) = match parent {
            Some((id, parent, flags)) => (id, Some(parent), flags, state(named(b"tracestate"))),
            // Without a valid `traceparent`, `tracestate` is ignored (section 3.3.1.1).
            None => (request.bytes(), None, u8::from(sampled), None),
        };
        let mut span = [0; 8];
        random::fill(&mut span);
        // Without randomness spans cannot be told apart. All zeros would be an invalid id.
        if span == [0; 8] {
            span = [0, 0, 0, 0, 0, 0, 0, 1];
        }
        Self {
            id,
            span,
            parent,
            flags,
            state,
        }
    }

    /// Gives the ids of the trace, of the call's span, and of the caller's.
    pub(crate) fn ids(&self) -> ([u8; 16], [u8; 8], Option<[u8; 8]>) {
        (self.id, self.span, self.parent)
    }

    /// Whether the trace's spans are to be kept.
    pub(crate) fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Gives the trace's id, 32 hexadecimal digits.
    pub(crate) fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// Gives the `traceparent` for the upstream, with this call as the parent.
    pub(crate) fn parent(&self) -> [u8; 55] {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        let ids = [(3, self.id.as_slice()), (36, &self.span), (53, &[self.flags])];
        for (at, id) in ids {
            // The room is exactly that of the digits.
            if let Some(digits) = text.get_mut(at..at + 2 * id.len()) {
                put_hex(id, digits);
            }
        }
        text
    }

    /// Gives the `tracestate` for the upstream.
    pub(crate) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// Parses a `traceparent` (section 3.2.2) into trace id, parent span and flags: lower-case hexadecimal, ids other than
/// zero. Versions after 00 may have further parts.
fn parent(value: &[u8]) -> Option<([u8; 16], [u8; 8], u8)> {
    let value = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    if value.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut parts = value.split('-');
    let version = digits::<1>(parts.next()?)?;
    let id = digits::<16>(parts.next()?)?;
    let span = digits::<8>(parts.next()?)?;
    let [flags] = digits::<1>(parts.next()?)?;
    let known = version != [0xff] && (version != [0] || parts.next().is_none());
    (known && id != [0; 16] && span != [0; 8]).then_some((id, span, flags & FLAGS))
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Joins the `tracestate` fields into one line, if they are well-formed (section 3.3.1) and not too long.
fn state<'f>(values: impl Iterator<Item = &'f [u8]>) -> Option<String> {
    let mut members: Vec<&str> = Vec::new();
    for value in values {
        let value = std::str::from_utf8(value).ok()?;
        members.extend(value.split(',').map(|member| member.trim_matches([' ', '\t'])));
    }
    members.retain(|member| !member.is_empty());
    let well = members.iter().all(|member| is_member(member));
    let text = members.join(",");
    (well && !text.is_empty() && members.len() <= MOST_MEMBERS && text.len() <= LONGEST_STATE).then_some(text)
}

fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else {
        return false;
    };
    let in_key = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'*' | b'/' | b'@')
    };
    let begins = key
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let in_value = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'=');
    begins
        && key.len() <= 256
        && key.bytes().all(in_key)
        && !value.is_empty()
        && value.len() <= 256
        && value.bytes().all(in_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn of(fields: &[(&str, &str)]) -> Trace {
        let fields: Vec<(&[u8], &[u8])> = fields
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        Trace::of(&fields, &RequestId::from([7; 16]), false)
    }

    #[test]
    fn a_trace_of_our_own_is_sampled_where_spans_are_sent_and_a_callers_where_he_says() {
        let parent = |flags| format!("00-{ID}-00f067aa0ba902b7-{flags}");
        for (flags, sampled) in [("00", false), ("01", true), ("02", false)] {
            let parent = parent(flags);
            let fields: [(&[u8], &[u8]); 1] = [(b"traceparent", parent.as_bytes())];
            let trace = Trace::of(&fields, &RequestId::from([7; 16]), true);
            assert_eq!(trace.is_sampled(), sampled, "{flags}");
            assert_eq!(trace.ids().2, Some([0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]));
        }
        for sampled in [true, false] {
            let trace = Trace::of(&[], &RequestId::from([7; 16]), sampled);
            assert_eq!((trace.is_sampled(), trace.ids().2), (sampled, None));
        }
    }

    fn shown(trace: &Trace) -> Vec<String> {
        let parent = String::from_utf8(trace.parent().to_vec()).unwrap();
        let state = trace.state().map(|state| format!("tracestate: {state}"));
        [format!("traceparent: {parent}")]
            .into_iter()
            .chain(state)
            .collect()
    }

    #[test]
    fn a_trace_goes_on_with_another_parent() {
        let parent = format!("00-{ID}-00f067aa0ba902b7-01");
        let trace = of(&[
            ("TraceParent", &parent),
            ("tracestate", "a=1, b@c=2"),
            ("tracestate", "d=3"),
        ]);
        assert_eq!(trace.id(), ID);
        let headers = shown(&trace);
        assert!(headers[0].starts_with(&format!("traceparent: 00-{ID}-")) && headers[0].ends_with("-01"));
        assert!(!headers[0].contains("00f067aa0ba902b7"), "{headers:?}");
        assert_eq!(headers[1], "tracestate: a=1,b@c=2,d=3");
        // Two calls of one trace are two places in it.
        assert_ne!(headers[0], shown(&of(&[("traceparent", &parent)]))[0]);
    }

    #[test]
    fn a_later_version_is_understood_as_far_as_ours_goes() {
        assert_eq!(
            of(&[("traceparent", &format!("cc-{ID}-00f067aa0ba902b7-ff-what"))]).id(),
            ID
        );
        let trace = of(&[("traceparent", &format!("00-{ID}-00f067aa0ba902b7-ff"))]);
        assert!(shown(&trace)[0].ends_with("-03"), "unknown flags do not pass");
    }

    #[test]
    fn what_is_no_trace_begins_one() {
        let zeros = "0".repeat(32);
        for parent in [
            String::new(),
            "1".to_owned(),
            format!("00-{ID}-00f067aa0ba902b7-01-more"),
            format!("ff-{ID}-00f067aa0ba902b7-01"),
            format!("00-{ID}-0000000000000000-01"),
            format!("00-{zeros}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()),
            format!("00-{ID}-00f067aa0ba902b7-1"),
            format!("00-{ID}-00f067aa0ba902b7-01\r\nx: y"),
        ] {
            let trace = of(&[("traceparent", &parent), ("tracestate", "a=1")]);
            assert_eq!(trace.id(), "07".repeat(16), "{parent}");
            let headers = shown(&trace);
            assert!(headers.len() == 1 && headers[0].ends_with("-00"), "{headers:?}");
        }
        let twice = format!("00-{ID}-00f067aa0ba902b7-01");
        assert_ne!(of(&[("traceparent", &twice), ("traceparent", &twice)]).id(), ID);
    }

    #[test]
    fn members_that_are_none_take_the_list_with_them() {
        let parent = format!("00-{ID}-00f067aa0ba902b7-01");
        let long = format!("a={}", "x".repeat(257));
        let many = vec!["a=1"; 33].join(",");
        for state in [
            "a", "A=1", "a=1,=2", "a=b=c", "a=\u{e9}", "-a=1", "a=", &long, &many,
        ] {
            let trace = of(&[("traceparent", &parent), ("tracestate", state)]);
            assert_eq!(shown(&trace).len(), 1, "{state}");
        }
    }
}
