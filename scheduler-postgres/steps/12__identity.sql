-- R29: whose these tables are. A clone, or a restore beside the original, draws another.
CREATE TABLE IF NOT EXISTS scheduler_identity (
    is_the_only BOOLEAN     PRIMARY KEY DEFAULT true CHECK (is_the_only),
    id          UUID        NOT NULL,
    drawn_at    TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO scheduler_identity (id) VALUES (gen_random_uuid()) ON CONFLICT (is_the_only) DO NOTHING;
