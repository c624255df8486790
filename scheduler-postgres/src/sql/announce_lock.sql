-- R22: the switch of a job's revision locks its state; jobs seen for the first time are told apart by an advisory lock.
SELECT {s.columns}, r.id, r.fingerprint, r.trigger, r.zone, r.zone_data, r.policies, r.valid_from, r.valid_to,
       clock_timestamp() AS now
FROM {schema}.job_states AS s
JOIN {schema}.job_revisions AS r ON r.id = s.revision_id
WHERE s.job_id = ANY ($1::text[])
ORDER BY s.job_id
FOR UPDATE OF s
