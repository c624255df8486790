//! The trace that a request belongs to, as W3C's Trace Context has it.

use std::fmt;

/// The version of `traceparent` that this code knows and writes.
const VERSION: &str = "00";

/// The length of a `traceparent` of that version; a later one may go on after a dash.
const LENGTH: usize = 55;

/// How much of a `tracestate` is kept: as much as everybody must pass on.
const LONGEST_STATE: usize = 512;

/// How many members a `tracestate` has at most.
const MOST_MEMBERS: usize = 32;

/// The trace that a request belongs to, and the span in it that asked, as [W3C's Trace Context](https://www.w3.org/TR/trace-context/) has it.
///
/// ```
/// use scheduler_core::TraceContext;
///
/// let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").expect("well-formed");
/// assert_eq!(trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert!(trace.is_sampled());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// Always well-formed.
    traceparent: Box<str>,
    tracestate: Option<Box<str>>,
}

impl TraceContext {
    /// Reads a `traceparent`; `None` for one that is malformed, which is to be treated as if it had not been given.
    ///
    /// One of a later version is read as far as this one goes.
    #[must_use]
    pub fn parse(traceparent: &str) -> Option<Self> {
        let head = traceparent.get(..LENGTH)?;
        let [version, trace, parent, flags] = head.split('-').collect::<Vec<_>>().try_into().ok()?;
        let is_id = |text: &str, length| is_hex(text, length) && text.bytes().any(|digit| digit != b'0');
        let is_known = is_hex(version, 2) && version != "ff";
        if !is_known || !is_id(trace, 32) || !is_id(parent, 16) || !is_hex(flags, 2) {
            return None;
        }
        let rest = &traceparent[LENGTH..];
        let fits = rest.is_empty() || (version != VERSION && rest.starts_with('-'));
        // Of what flags a later version has, only the sampled one is known to mean the same.
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1;
        fits.then(|| Self { traceparent: format!("{VERSION}-{trace}-{parent}-{sampled:02x}").into(), tracestate: None })
    }

    /// Adds what vendors say of the trace, several headers joined by commas. One that is malformed, or longer than 512
    /// bytes, is left out.
    #[must_use]
    pub fn with_tracestate(mut self, tracestate: &str) -> Self {
        let members: Vec<_> = tracestate
            .split(',')
            .map(|member| member.trim_matches([' ', '\t']))
            .filter(|member| !member.is_empty())
            .collect();
        let is_member = |member: &&str| {
            let is_text = member.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
            is_text && member.split_once('=').is_some_and(|(key, value)| !key.is_empty() && !value.is_empty())
        };
        let fits = tracestate.len() <= LONGEST_STATE && members.len() <= MOST_MEMBERS;
        let is_kept = fits && !members.is_empty() && members.iter().all(is_member);
        self.tracestate = is_kept.then(|| members.join(",").into());
        self
    }

    /// The header `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> &str {
        &self.traceparent
    }

    /// The header `tracestate`, where there is one.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.tracestate.as_deref()
    }

    /// The headers, by which the trace goes on: of HTTP, or metadata of gRPC.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [("traceparent", Some(self.traceparent())), ("tracestate", self.tracestate())]
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)))
    }

    /// The trace's id: 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        &self.traceparent[3..35]
    }

    /// The id of the span that asked: 16 hex digits.
    #[must_use]
    pub fn parent_id(&self) -> &str {
        &self.traceparent[36..52]
    }

    /// Whether the one who asked records the trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.traceparent.ends_with('1')
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceContext").field(&self.traceparent).finish()
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn a_well_formed_traceparent_is_read() {
        let given = format!("00-{TRACE}-{PARENT}-01");
        let trace = TraceContext::parse(&given).expect("well-formed");
        assert_eq!((trace.traceparent(), trace.trace_id(), trace.parent_id()), (&*given, TRACE, PARENT));
        assert!(trace.is_sampled());
        assert!(!TraceContext::parse(&format!("00-{TRACE}-{PARENT}-00")).expect("well-formed").is_sampled());
    }

    #[test]
    fn a_later_version_is_read_as_far_as_this_one_goes() {
        for later in [format!("01-{TRACE}-{PARENT}-03"), format!("cc-{TRACE}-{PARENT}-09-what-the-future-says")] {
            let trace = TraceContext::parse(&later).expect("read");
            assert_eq!(trace.traceparent(), format!("00-{TRACE}-{PARENT}-01"));
        }
    }

    #[test]
    fn a_malformed_traceparent_is_none() {
        let (no_trace, no_parent) = ("0".repeat(32), "0".repeat(16));
        for bad in [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{PARENT}"),
            format!("00-{TRACE}-{PARENT}-1"),
            format!("00-{TRACE}-{PARENT}-01-more"),
            format!("00-{TRACE}-{PARENT}-01 "),
            format!("01-{TRACE}-{PARENT}-01more"),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("0x-{TRACE}-{PARENT}-01"),
            format!("00-{no_trace}-{PARENT}-01"),
            format!("00-{TRACE}-{no_parent}-01"),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00_{TRACE}_{PARENT}_01"),
            format!("00-{PARENT}-{TRACE}-01"),
            "é".repeat(40),
            format!("00-{TRACE}-{PARENT}-0é"),
        ] {
            assert_eq!(TraceContext::parse(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_tracestate_goes_on_and_a_malformed_one_takes_nothing_with_it() {
        let trace = TraceContext::parse(&format!("00-{TRACE}-{PARENT}-01")).expect("well-formed");
        let state = |text: &str| trace.clone().with_tracestate(text).tracestate().map(str::to_owned);
        assert_eq!(
            state("rojo=00f067aa0ba902b7, congo=t61rcWkgMzE,,"),
            Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE".into())
        );
        let (many, long) = (["k=v"; 33].join(","), format!("k={}", "v".repeat(511)));
        for bad in ["", ",", "novalue", "=v", "k=", "k=v\n", "k=ü", &many, &long] {
            assert_eq!(state(bad), None, "{bad:?}");
        }
        let trace = trace.with_tracestate("k=v");
        let headers: Vec<_> = trace.headers().collect();
        assert_eq!(headers, [("traceparent", trace.traceparent()), ("tracestate", "k=v")]);
    }
}
