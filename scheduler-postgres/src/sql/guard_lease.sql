-- R7: whether the lease lives, asked once the row is locked. The lease itself is not locked: renewals go on.
SELECT EXISTS (SELECT FROM {schema}.execution_leases AS l
               WHERE l.execution_id = $1::bigint AND l.fence = $2::bigint AND l.expires_at > clock_timestamp()) AS lives
