//! The layer that hears what happens within executions.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use tracing::{Event, Level, Metadata, Span, Subscriber, level_filters::LevelFilter, span};
use tracing_core::{callsite::rebuild_interest_cache, subscriber::Interest};
use tracing_subscriber::{
    Layer,
    layer::{Context, Filter},
    registry::LookupSpan,
};

use super::{LogLevel, line::line};
use crate::engine::Reporter;

/// The least severe level that any scheduler of this process keeps, plus one; 0 while none keeps anything.
static HEARD: AtomicU8 = AtomicU8::new(0);

thread_local! {
    /// Whose span is being opened on this thread. Handed over so, and not by a field, as ids of rows are a store's own and a
    /// process may have several.
    static OPENING: RefCell<Option<Captured>> = const { RefCell::new(None) };
}

/// What hears the events within executions, for the service's subscriber.
///
/// It hears no more than the schedulers of the process keep, and leaves the other layers alone.
pub fn layer<S>() -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Capture.with_filter(Heard)
}

/// Raises what is heard to this level.
pub(crate) fn hear(level: LogLevel) {
    let level = level as u8 + 1;
    if HEARD.fetch_max(level, Ordering::Relaxed) < level {
        rebuild_interest_cache();
    }
}

/// Opens an execution's span, of which lines up to this level go to its reporter. `false` where nobody hears them.
pub(crate) fn heard(level: Option<LogLevel>, reporter: &Arc<Reporter>, open: impl FnOnce() -> Span) -> (Span, bool) {
    let Some(level) = level else { return (open(), false) };
    OPENING.set(Some(Captured { level, reporter: Arc::clone(reporter) }));
    let span = open();
    let is_heard = OPENING.take().is_none();
    (span, is_heard)
}

/// In an execution's span: where its lines go.
#[derive(Debug, Clone)]
struct Captured {
    level: LogLevel,
    reporter: Arc<Reporter>,
}

#[derive(Debug)]
struct Capture;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        // On a thread that ends there is none.
        let Ok(Some(captured)) = OPENING.try_with(|opening| opening.borrow_mut().take()) else { return };
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(captured);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let level = level_of(event.metadata().level());
        let Some(mut scope) = context.event_scope(event) else { return };
        // Cloned, so that the span is not locked while a value's own code is asked for its text.
        let Some(captured) = scope.find_map(|span| span.extensions().get::<Captured>().cloned()) else { return };
        if captured.level.includes(level) {
            captured.reporter.log(level, event.metadata().target(), line(event));
        }
    }
}

/// Lets through spans, so that events are found within them, and what is heard.
#[derive(Debug)]
struct Heard;

impl Heard {
    fn lets_through(metadata: &Metadata<'_>) -> bool {
        metadata.level() <= &heard_level()
    }
}

/// Executions' spans are of level `info`, and must be there whatever is kept.
fn heard_level() -> LevelFilter {
    match HEARD.load(Ordering::Relaxed) {
        0 => LevelFilter::OFF,
        level if level > LogLevel::Debug as u8 + 1 => LevelFilter::TRACE,
        level if level > LogLevel::Info as u8 + 1 => LevelFilter::DEBUG,
        _ => LevelFilter::INFO,
    }
}

impl<S> Filter<S> for Heard {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        Self::lets_through(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::lets_through(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(heard_level())
    }
}

fn level_of(level: &Level) -> LogLevel {
    match *level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}
