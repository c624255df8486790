-- R22: fingerprints that a job had before, and whether an instance that lives announces its current revision.
SELECT a.job_id,
       EXISTS (SELECT FROM {schema}.instances AS i
               WHERE i.id <> $4::uuid
                 AND i.seen_at > clock_timestamp() - $3::bigint * interval '1 millisecond'
                 AND s.revision_id = ANY (i.announced)) AS alive
FROM unnest($1::text[], $2::text[]) AS a (job_id, fingerprint)
JOIN {schema}.job_states AS s USING (job_id)
WHERE EXISTS (SELECT FROM {schema}.job_revisions AS r WHERE r.job_id = a.job_id AND r.fingerprint = a.fingerprint)
