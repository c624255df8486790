SELECT r.id, r.fingerprint, r.trigger, r.zone, r.zone_data, r.policies, r.enabled, r.valid_from, r.valid_to
FROM {schema}.job_revisions AS r
WHERE r.job_id = $1::text
ORDER BY r.id DESC
