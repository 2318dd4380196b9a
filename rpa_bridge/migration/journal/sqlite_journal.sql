-- Times are texts in UTC, all of one length, so that they sort as time. A seal is a checksum of its row's other columns:
-- SQLite has none, and what a disk has spoilt must not pass for what was written. n counts the changes ever made.
CREATE TABLE steps (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    complete INTEGER NOT NULL,
    last TEXT,
    count INTEGER NOT NULL,
    digest TEXT NOT NULL,
    seal INTEGER NOT NULL,
    UNIQUE (kind, name)
);
-- state: the words of RowState. intent_at is set exactly when it was about to be sent, or perhaps was; and anew when it
-- was about to be removed at the target.
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    step INTEGER NOT NULL REFERENCES steps,
    src_id TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    src_hash TEXT NOT NULL,
    expect_hash TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    intent_at TEXT,
    confirmed_at TEXT,
    dst_id TEXT,
    existed INTEGER NOT NULL,
    code TEXT NOT NULL,
    hint TEXT NOT NULL,
    seal INTEGER NOT NULL
);
CREATE UNIQUE INDEX entries_source ON entries (step, src_id);
CREATE INDEX entries_state ON entries (step, state);
-- How many entries stand where, and the sum of their seals.
CREATE TABLE tally (
    step INTEGER NOT NULL,
    state TEXT NOT NULL,
    entries INTEGER NOT NULL,
    seals INTEGER NOT NULL,
    PRIMARY KEY (step, state)
) WITHOUT ROWID;
-- What verification saw of ours at the target.
CREATE TABLE sightings (
    step INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    dst_id TEXT NOT NULL,
    equal INTEGER NOT NULL,
    PRIMARY KEY (step, seq, dst_id)
) WITHOUT ROWID;
-- A line for each change, never changed itself. reach: the last seq that was ever about to be sent. seals: their sum over
-- all entries after this change. hash: of this line and the hash before.
CREATE TABLE log (
    n INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    what TEXT NOT NULL,
    count INTEGER NOT NULL,
    note TEXT NOT NULL,
    pid INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    reach INTEGER NOT NULL,
    seals INTEGER NOT NULL,
    hash TEXT NOT NULL
);
-- Who works on it. locked: whether they hold the lock file too. owner is empty once they gave it back.
CREATE TABLE lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    owner TEXT NOT NULL,
    host TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    pid INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    locked INTEGER NOT NULL,
    since TEXT NOT NULL,
    beat TEXT NOT NULL
);
INSERT INTO lease VALUES (1, '', '', '', 0, 0, 0, '', '');
