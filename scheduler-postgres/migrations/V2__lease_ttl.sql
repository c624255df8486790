-- R6: how long each lease was given for, as recovery asks it of instances that were healthy for as long.
ALTER TABLE execution_leases ADD COLUMN ttl_ms BIGINT NOT NULL DEFAULT 30000;
ALTER TABLE execution_leases ALTER COLUMN ttl_ms DROP DEFAULT;
