//! The statements, one file each, with the schema's name put in once.

/// Defines the statements: a name, and the text it has with `{schema}`, `{e.columns}`, `{e.read_columns}`, `{e.short_columns}`, `{s.columns}` and `{skip_locked}`
/// filled in.
macro_rules! queries {
    ($($query:ident = $file:literal $(with $skip_locked:literal)?,)*) => {
        /// A statement of the store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Query { $($query,)* }

        #[cfg(test)]
        pub(crate) const ALL: &[Query] = &[$(Query::$query,)*];

        const TEMPLATES: &[(&str, &str)] = &[$((include_str!(concat!("sql/", $file, ".sql")), concat!("" $(, $skip_locked)?)),)*];
    };
}

queries! {
    Claim = "claim" with "SKIP LOCKED",
    ClaimWaiting = "claim",
    ClaimFate = "claim_fate",
    Refence = "refence",
    Overlap = "overlap",
    StopHolder = "stop_holder",
    MakeWay = "make_way",
    SupersedeQueued = "supersede_queued",
    FindClaim = "find_claim",
    Due = "due",
    Take = "take" with "SKIP LOCKED",
    TakeWaiting = "take",
    TakeTurn = "take_turn",
    TakeFate = "take_fate",
    GiveBack = "give_back",
    Renew = "renew",
    Finish = "finish" with "SKIP LOCKED",
    FinishWaiting = "finish",
    FinishLock = "finish_lock",
    FinishNext = "finish_next",
    FinishFollow = "finish_follow",
    FinishLate = "finish_late",
    DependantsLock = "dependants_lock",
    Dependants = "dependants",
    Survey = "survey",
    Advance = "advance",
    DecideLock = "decide_lock" with "SKIP LOCKED",
    DecideLockWaiting = "decide_lock",
    DecideView = "decide_view",
    DecideInsert = "decide_insert",
    DecideGrow = "decide_grow",
    DecideWatermark = "decide_watermark",
    GuardLock = "guard_lock",
    GuardLease = "guard_lease",
    RecoverLook = "recover_look",
    CancelLost = "cancel_lost",
    RecoverLock = "recover_lock",
    RecoverOrphaned = "recover_orphaned",
    Recover = "recover",
    JobLock = "job_lock",
    Request = "request",
    RequestFate = "request_fate",
    Holder = "holder",
    RequestCancel = "request_cancel",
    BackfillLook = "backfill_look",
    Backfill = "backfill",
    Retry = "retry",
    CancelWaiting = "cancel_waiting",
    Skip = "skip",
    AuditAppend = "audit_append",
    Audit = "audit",
    PruneLook = "prune_look",
    PruneLookJob = "prune_look_job",
    PruneHorizon = "prune_horizon",
    PruneLock = "prune_lock",
    Prune = "prune",
    Report = "report",
    Logs = "logs",
    LogsCount = "logs_count",
    Execution = "execution",
    NewestAttempt = "newest_attempt",
    Attempts = "attempts",
    Summary = "summary",
    Latest = "latest",
    Recent = "recent",
    Page = "page",
    PageCount = "page_count",
    AnnounceKnown = "announce_known",
    AnnounceLook = "announce_look",
    AnnounceTurn = "announce_turn",
    AnnounceLock = "announce_lock",
    AnnounceSuperseded = "announce_superseded",
    AnnounceSwitch = "announce_switch",
    AnnounceNote = "announce_note",
    Revision = "revision",
    Revisions = "revisions",
    Orphaned = "orphaned",
    Pause = "pause",
    Resume = "resume",
    PausesOver = "pauses_over",
    Heartbeat = "heartbeat",
    Leave = "leave",
    States = "states",
    Instances = "instances",
}

impl Query {
    /// Whether it is planned each time, for what it asks and for the tables as they are.
    ///
    /// Either a filter may be left out, and a plan for whatever filter reads the whole table. Or it looks at many rows of a
    /// table that grows: prepared while the table was small, it would go on reading all of it until statistics are made anew.
    pub(crate) const fn is_planned_anew(self) -> bool {
        self.may_leave_out_a_filter()
            || matches!(
                self,
                Self::ClaimFate
                    | Self::TakeFate
                    | Self::Overlap
                    | Self::Due
                    | Self::Survey
                    | Self::Advance
                    | Self::AnnounceKnown
                    | Self::AnnounceLook
                    | Self::AnnounceLock
                    | Self::AnnounceSuperseded
                    | Self::AnnounceSwitch
            )
    }

    const fn may_leave_out_a_filter(self) -> bool {
        matches!(self, Self::Page | Self::PageCount | Self::Summary | Self::Audit)
    }
}

/// What [`crate::row::execution`] reads, of the table's alias `e`.
const COLUMNS: &str = "e.id, e.job_id, e.occurrence, e.attempt, e.max_attempts, e.origin, e.status, e.reason, \
    e.scheduled_at, e.not_before, e.started_at, e.finished_at, e.duration_seconds::float8 AS duration_seconds, \
    e.message, e.error_trace, e.result_data, e.holds_key, e.queued, e.for_instance, e.claim_id, e.fence, e.instance_id, \
    e.triggered_by, e.params, e.upstream_results, e.traceparent, e.tracestate, e.late, e.missed_from, e.missed_count, \
    e.created_at";

/// What a row that is read has beside these.
const PROGRESS_COLUMNS: &str = "(SELECT r.done FROM {schema}.execution_reports AS r WHERE r.execution_id = e.id) AS progress_done, \
    (SELECT r.total FROM {schema}.execution_reports AS r WHERE r.execution_id = e.id) AS progress_total";

/// Which of these may be long, and of what type they are: a list of many rows goes without them.
const LONG_COLUMNS: [(&str, &str); 5] = [
    ("message", "text"),
    ("error_trace", "text"),
    ("result_data", "json"),
    ("params", "json"),
    ("upstream_results", "json"),
];

/// What [`crate::row::state`] reads, of the alias `s` of `job_states`.
const STATE_COLUMNS: &str = "s.job_id, s.revision_id, s.enabled, s.watermark, s.paused_at, s.paused_by, \
    s.pause_reason, s.pause_until, s.prune_horizon";

/// The statements' texts for one schema.
#[derive(Debug)]
pub(crate) struct Statements {
    schema: String,
    texts: Vec<String>,
}

impl Statements {
    /// The texts for this schema, which is a name as the server has it.
    pub(crate) fn of(schema: &str) -> Self {
        let quoted = format!("\"{schema}\"");
        let short = LONG_COLUMNS.iter().fold(COLUMNS.to_owned(), |columns, (name, kind)| {
            columns.replace(&format!("e.{name},"), &format!("NULL::{kind} AS {name},"))
        });
        let text = |(template, skip_locked): &(&str, &str)| {
            template
                .replace("{skip_locked}", skip_locked)
                .replace("{e.read_columns}", &format!("{COLUMNS}, {PROGRESS_COLUMNS}"))
                .replace("{e.columns}", COLUMNS)
                .replace("{e.short_columns}", &short)
                .replace("{s.columns}", STATE_COLUMNS)
                .replace("{schema}", &quoted)
        };
        Self { schema: schema.to_owned(), texts: TEMPLATES.iter().map(text).collect() }
    }

    /// The schema's name.
    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }

    /// A statement's text.
    pub(crate) fn text(&self, query: Query) -> &str {
        &self.texts[query as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Query, Statements};

    #[test]
    fn every_statement_names_its_schema_and_has_no_place_left_open() {
        let statements = Statements::of("duty");
        for text in &statements.texts {
            assert!(text.contains("\"duty\"."), "{text}");
            assert!(!text.contains('{') || text.contains("'{}'"), "{text}");
        }
        assert!(statements.text(Query::Claim).contains("SKIP LOCKED"));
        assert!(!statements.text(Query::ClaimWaiting).contains("SKIP LOCKED"));
    }

    /// A function in a condition is asked for each row that comes there: the search for an id is asked once a statement.
    #[test]
    fn the_first_id_since_an_instant_is_searched_once() {
        let mut count = 0;
        for text in &Statements::of("duty").texts {
            for (at, _) in text.match_indices("\"duty\".first_id_since(") {
                assert!(text[..at].ends_with("(SELECT "), "{text}");
                count += 1;
            }
        }
        assert!(count > 0, "no statement asks");
    }

    #[test]
    fn what_a_filter_may_leave_out_is_planned_anew() {
        let statements = Statements::of("duty");
        // A parameter with its type, such as `$1::text[]`, that may be absent.
        let is_optional = |word: &str| word.trim_start_matches('(').starts_with('$') && word.contains("::");
        // Of what waits there is little, in an index of its own, on whichever page.
        for query in ALL.iter().filter(|query| **query != Query::Due) {
            let text = statements.text(*query);
            let before = text.match_indices(" IS NULL OR ").map(|(at, _)| &text[..at]);
            let may_leave_out = before.filter_map(|before| before.split_whitespace().last()).any(is_optional);
            assert_eq!(may_leave_out, query.may_leave_out_a_filter(), "{query:?}");
        }
    }
}
