-- Layout 1. Ids, tokens and hashes are blobs of fixed width; times are Unix milliseconds.
CREATE TABLE vault (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL CHECK (length(id) = 16)
) STRICT;

CREATE TABLE tenants (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE
) STRICT;

-- Cards and policies are self-verifying bytes; the newest version is the one in force.
CREATE TABLE cards (
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    version INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE policies (
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    version INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE writers (
    key BLOB PRIMARY KEY CHECK (length(key) = 32),
    enrolled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE epochs (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    header BLOB NOT NULL
) STRICT;

CREATE INDEX epochs_by_tenant ON epochs (tenant);

-- Slots [start, start + count) of the shred file belong to an epoch.
CREATE TABLE blocks (
    start INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    epoch INTEGER NOT NULL REFERENCES epochs (n)
) STRICT;
CREATE INDEX blocks_by_epoch ON blocks (epoch);

-- n is the commit order. AUTOINCREMENT: a number is never used again, so that cursors stay true after deletions.
CREATE TABLE records (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    epoch INTEGER NOT NULL REFERENCES epochs (n),
    time INTEGER NOT NULL,
    header BLOB NOT NULL,
    -- SHA-256 of the header: shows a flipped bit to those who have no key.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    head BLOB NOT NULL
) STRICT;
CREATE INDEX records_by_commit ON records (tenant, n);
CREATE INDEX records_by_time ON records (tenant, time, n);

-- Sealed parts of at most 64 KiB; larger ones are objects. at = record number * 65536 + part number.
CREATE TABLE parts (
    at INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- What the index key of an epoch makes of an identifier in a record. Rows of one epoch lie together, so that a commit
-- touches few pages however many records there are.
CREATE TABLE tokens (
    epoch INTEGER NOT NULL REFERENCES epochs (n),
    token BLOB NOT NULL CHECK (length(token) = 16),
    record INTEGER NOT NULL REFERENCES records (n),
    PRIMARY KEY (epoch, token)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    token BLOB NOT NULL CHECK (length(token) = 16),
    content BLOB NOT NULL CHECK (length(content) = 16),
    record INTEGER NOT NULL REFERENCES records (n),
    PRIMARY KEY (tenant, token)
) STRICT, WITHOUT ROWID;
