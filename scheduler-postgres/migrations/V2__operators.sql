-- What operators do: pauses that end by themselves.
-- Runs with the search path set to the one schema it is for, in a transaction that holds the migrations' lock.

-- R23: pauses whose time is over.
CREATE INDEX ix_job_states_pause_until ON job_states (pause_until) WHERE pause_until IS NOT NULL;
