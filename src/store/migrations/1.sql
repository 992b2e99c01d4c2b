-- Layout 1. Ids, tokens and hashes are blobs of fixed width; times are Unix milliseconds.
CREATE TABLE vault (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL CHECK (length(id) = 16),
    -- The key that checks what the operator signs.
    operator BLOB NOT NULL CHECK (length(operator) = 32)
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

-- card: the version of the card whose key signed the policy.
CREATE TABLE policies (
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    version INTEGER NOT NULL,
    card INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE writers (
    key BLOB PRIMARY KEY CHECK (length(key) = 32),
    enrolled INTEGER NOT NULL,
    retired INTEGER
) STRICT, WITHOUT ROWID;

-- A tenant's ledgers, one after the other; the newest generation is the open one. restored: it goes on where an old copy
-- of those before was put back, and its first entry says so.
CREATE TABLE logs (
    n INTEGER PRIMARY KEY CHECK (n > 0 AND n < 8388608),
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    generation INTEGER NOT NULL CHECK (generation > 0),
    key BLOB NOT NULL CHECK (length(key) = 32),
    restored INTEGER NOT NULL CHECK (restored IN (0, 1)),
    UNIQUE (tenant, generation)
) STRICT;

-- Writers that a log has an entry of.
CREATE TABLE admitted (
    log INTEGER NOT NULL REFERENCES logs (n),
    writer BLOB NOT NULL REFERENCES writers (key),
    PRIMARY KEY (log, writer)
) STRICT, WITHOUT ROWID;

-- Only ever added to. at = log * 2^40 + sequence number. hashes: those of the tree that this entry completes, from its
-- leaf's up. note: the signature of the checkpoint that ends here, on the last entry of each commit.
CREATE TABLE entries (
    at INTEGER PRIMARY KEY,
    leaf BLOB NOT NULL CHECK (length(leaf) = 128),
    hashes BLOB NOT NULL,
    note BLOB CHECK (length(note) = 64),
    epoch INTEGER NOT NULL REFERENCES epochs (n),
    chain INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    message BLOB NOT NULL,
    -- Of leaf, chain, slot and message: shows a flipped bit to those who have no key.
    digest BLOB NOT NULL CHECK (length(digest) = 8)
) STRICT;

-- What was begun by an entry and not concluded by another yet.
CREATE TABLE acts (
    at INTEGER PRIMARY KEY REFERENCES entries (at) DEFERRABLE INITIALLY DEFERRED,
    epoch INTEGER NOT NULL REFERENCES epochs (n),
    kind TEXT NOT NULL
) STRICT;

-- Documents that entries speak of, sealed with their entry's key and slot. topic: of what kind, in clear. about: a random
-- id of what it is about.
CREATE TABLE papers (
    n INTEGER PRIMARY KEY,
    at INTEGER NOT NULL REFERENCES entries (at) DEFERRABLE INITIALLY DEFERRED,
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    topic TEXT NOT NULL,
    about BLOB CHECK (length(about) = 16),
    body BLOB NOT NULL,
    -- Of topic, about and body: shows a flipped bit to those who have no key.
    digest BLOB NOT NULL CHECK (length(digest) = 8),
    UNIQUE (at, topic)
) STRICT;
CREATE INDEX papers_by_topic ON papers (tenant, topic, n);

-- Signatures of others under checkpoints: the clock's and witnesses'. time: as the line says it, in seconds since 1970. Of
-- one day's, those that a later one by the same and perhaps more cosigners makes needless are removed with its coming.
CREATE TABLE cosignatures (
    log INTEGER NOT NULL REFERENCES logs (n),
    size INTEGER NOT NULL,
    name TEXT NOT NULL,
    time INTEGER NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (log, size, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE epochs (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    header BLOB NOT NULL
) STRICT;

CREATE INDEX epochs_by_tenant ON epochs (tenant);

-- Slots [start, start + count) of the shred file belong to an epoch. What was written behind the last block, and is in
-- none, belongs to the next.
CREATE TABLE blocks (
    start INTEGER PRIMARY KEY,
    count INTEGER NOT NULL CHECK (count > 0),
    epoch INTEGER NOT NULL REFERENCES epochs (n)
) STRICT;
CREATE INDEX blocks_by_epoch ON blocks (epoch);

-- n is the commit order. A row is never deleted, so that a number is never used again: cursors and the digests in the
-- ledger count on it. entry: the ledger's entry that tells of the record, as in entries.at.
CREATE TABLE records (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    epoch INTEGER NOT NULL REFERENCES epochs (n),
    entry INTEGER NOT NULL,
    time INTEGER NOT NULL,
    header BLOB NOT NULL,
    -- SHA-256 of the header: shows a flipped bit to those who have no key.
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    head BLOB NOT NULL,
    -- Its row in idempotency, if it has one.
    token BLOB CHECK (length(token) = 16)
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

-- content: nothing of a record that was erased.
CREATE TABLE idempotency (
    tenant INTEGER NOT NULL REFERENCES tenants (n),
    token BLOB NOT NULL CHECK (length(token) = 16),
    content BLOB CHECK (length(content) = 16),
    record INTEGER NOT NULL REFERENCES records (n),
    PRIMARY KEY (tenant, token)
) STRICT, WITHOUT ROWID;

-- What may open the records of an order once: the one-time key that custodians seal their shares to, or nothing where the
-- tenant agreed; sealed for the operator. purpose: SHA-256 of the request or consent. Deleted by the commit that says that it
-- is used.
CREATE TABLE permissions (
    about BLOB PRIMARY KEY CHECK (length(about) = 16),
    purpose BLOB NOT NULL CHECK (length(purpose) = 32),
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers that documents of productions were given, so that none is given twice. next: the first that nobody has; that of
-- the empty prefix holds for all, and is raised when an old copy is put back.
CREATE TABLE bates (
    prefix TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Records that are to be erased, or were. at: the entry that says so, as in entries.at. deferred: the one that had put it off
-- while a hold stood. done: nothing as long as their slots may not all be zeros; then the later one was done, the larger.
CREATE TABLE erasures (
    record INTEGER PRIMARY KEY REFERENCES records (n),
    at INTEGER NOT NULL REFERENCES entries (at) DEFERRABLE INITIALLY DEFERRED,
    deferred INTEGER REFERENCES entries (at) DEFERRABLE INITIALLY DEFERRED,
    done INTEGER
) STRICT;
CREATE INDEX erasures_by_entry ON erasures (at, record);
CREATE INDEX erasures_by_end ON erasures (done, record) WHERE done IS NOT NULL;
