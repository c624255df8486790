-- What operators do: pauses that end by themselves. What revisions were due by.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.

-- R23: pauses whose time is over.
CREATE INDEX ix_job_states_pause_until ON job_states (pause_until) WHERE pause_until IS NOT NULL;

-- R22: by which version of the zone data a revision's zone was known; no part of the fingerprint.
ALTER TABLE job_revisions ADD COLUMN zone_data TEXT;
