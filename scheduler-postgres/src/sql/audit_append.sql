-- In the transaction of the action, so that neither is there without the other.
INSERT INTO {schema}.job_audit (principal, action, job_id, execution_id, reason, address, refused, before, after)
VALUES ($1::text, $2::text, $3::text, $4::bigint, $5::text, $6::text, $7::text, $8::jsonb, $9::jsonb)
RETURNING id
