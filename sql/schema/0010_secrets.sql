-- Secrets of projects, sealed: the text form of base/seal.h, which only the installation's key opens.
CREATE TABLE secret (
    project bigint NOT NULL,
    name text NOT NULL,
    sealed text NOT NULL,
    created_ms bigint NOT NULL,
    changed_ms bigint NOT NULL,
    key_id bigint NOT NULL,
    PRIMARY KEY (project, name)
) /*sqlite WITHOUT ROWID */;
