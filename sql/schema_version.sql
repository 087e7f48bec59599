-- name: schema_version_make
-- The table that says how far this database has been brought. It exists before the first migration.
CREATE TABLE IF NOT EXISTS schema_version (
    version bigint NOT NULL PRIMARY KEY,
    name text NOT NULL,
    applied_ms bigint NOT NULL
);

-- name: schema_version_get
-- The newest migration that was applied, NULL when none was.
SELECT max(version) FROM schema_version;

-- name: schema_version_add
-- Migration $1, called $2, was applied at $3.
INSERT INTO schema_version (version, name, applied_ms) VALUES ($1, $2, $3);
