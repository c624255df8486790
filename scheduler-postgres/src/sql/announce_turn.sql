-- One switch at a time in a schema, for as long as its transaction lasts.
SELECT pg_advisory_xact_lock(hashtextextended('{schema}.job_states', 0))::text
