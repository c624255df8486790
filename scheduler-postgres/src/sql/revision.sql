-- R22: a job's current revision as it was announced; the state is locked.
SELECT r.id, r.fingerprint, r.trigger, r.zone, r.zone_data, r.policies, r.enabled, r.valid_from, r.valid_to
FROM {schema}.job_states AS s
JOIN {schema}.job_revisions AS r ON r.id = s.revision_id
WHERE s.job_id = $1::text
