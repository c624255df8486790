-- R22: which announced fingerprints are current already, and which revision has them.
SELECT a.nth, coalesce(r.fingerprint = a.fingerprint, false) AS current,
       CASE WHEN r.fingerprint = a.fingerprint THEN r.id
            ELSE (SELECT max(k.id) FROM {schema}.job_revisions AS k
                  WHERE k.job_id = a.job_id AND k.fingerprint = a.fingerprint) END AS announced_id,
       {s.columns}
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (job_id, fingerprint, nth)
LEFT JOIN {schema}.job_states AS s USING (job_id)
LEFT JOIN {schema}.job_revisions AS r ON r.id = s.revision_id
ORDER BY a.nth
