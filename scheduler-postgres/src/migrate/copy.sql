-- The next rows, in the order of their ids, as version 1 adopts a table in its place: the start stands for the occurrence, and
-- where two rows of a job share the millisecond, the later ones carry their id as well. What has no end and no success runs, if
-- it began within a day, or was lost.
WITH batch AS MATERIALIZED (
    SELECT e.*, coalesce(e.started_at, e.created_at) AS began
    FROM {schema}.job_executions AS e
    WHERE e.id > (SELECT a.copied_to FROM {workshop}.scheduler_adoption AS a)
    ORDER BY e.id
    LIMIT $1::bigint
    -- None of them is deleted before it is copied; that it changes is followed.
    FOR KEY SHARE OF e
), instant AS MATERIALIZED (
    -- An instant that no arithmetic is possible with can't be a key.
    SELECT b.*, CASE WHEN isfinite(b.began) THEN b.began ELSE TIMESTAMPTZ 'epoch' END AS at
    FROM batch AS b
), keyed AS MATERIALIZED (
    SELECT i.*, 's:' || floor(extract(epoch FROM i.at) * 1000)::bigint AS key,
           row_number() OVER (PARTITION BY i.job_id, floor(extract(epoch FROM i.at) * 1000)::bigint ORDER BY i.id) AS nth
    FROM instant AS i
), copied AS (
    INSERT INTO {workshop}.job_executions
        (id, job_id, started_at, finished_at, duration_seconds, success, message, error_trace, result_data, created_at, updated_at,
         occurrence, attempt, max_attempts, origin, status, scheduled_at, not_before)
    SELECT k.id, k.job_id, k.started_at, k.finished_at, k.duration_seconds, k.success, k.message, k.error_trace, k.result_data,
           k.created_at, k.updated_at,
           k.key || CASE WHEN k.nth = 1 AND NOT EXISTS (SELECT FROM {workshop}.job_executions AS o
                                                       WHERE o.job_id = k.job_id AND o.occurrence = k.key AND o.attempt = 1)
                         THEN '' ELSE ':' || k.id END,
           1, 1, 'schedule',
           CASE WHEN k.success THEN 'succeeded' WHEN k.finished_at IS NOT NULL THEN 'failed'
                WHEN k.began > clock_timestamp() - interval '1 day' THEN 'running' ELSE 'abandoned' END,
           k.at, k.at
    FROM keyed AS k
    ORDER BY k.id
    ON CONFLICT (id) DO NOTHING
    RETURNING 1
), noted AS (
    UPDATE {workshop}.scheduler_adoption AS a
    SET copied_to = last.id
    FROM (SELECT max(b.id) AS id FROM batch AS b) AS last
    WHERE last.id IS NOT NULL
)
-- The clock is read once they are copied.
SELECT (SELECT count(*) FROM batch) AS count, done.count AS copied,
       ceil(extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000)::bigint AS took_ms
FROM (SELECT count(*) FROM copied) AS done
