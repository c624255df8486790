UPDATE {schema}.job_states AS s SET watermark = $2::timestamptz WHERE s.job_id = $1::text AND s.watermark < $2
