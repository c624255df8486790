-- What operators do: pauses that end by themselves, and the audit. What revisions were due by.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.

-- R23: pauses whose time is over.
CREATE INDEX ix_job_states_pause_until ON job_states (pause_until) WHERE pause_until IS NOT NULL;

-- R22: by which version of the zone data a revision's zone was known; no part of the fingerprint.
ALTER TABLE job_revisions ADD COLUMN zone_data TEXT;

-- Who did what: what changed, and why it was refused where it was. Nothing was ever written here before.
ALTER TABLE job_audit
    DROP COLUMN detail,
    ADD COLUMN refused TEXT,
    ADD COLUMN before  JSONB,
    ADD COLUMN after   JSONB;
