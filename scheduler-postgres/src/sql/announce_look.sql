-- R22: which announced fingerprints are current already.
SELECT a.nth, coalesce(r.fingerprint = a.fingerprint, false) AS current,
       {s.columns}
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (job_id, fingerprint, nth)
LEFT JOIN {schema}.job_states AS s USING (job_id)
LEFT JOIN {schema}.job_revisions AS r ON r.id = s.revision_id
ORDER BY a.nth
