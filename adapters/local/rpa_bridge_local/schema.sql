-- Times are texts in UTC, all of one length, so that they sort as time. Texts named inputs, outputs, values, output,
-- failure, fields, counts, columns, tags and recipients hold JSON.

-- state: waiting, running, stopping, succeeded, partial, failed, stopped, lost. owner: the process that runs it.
-- stop: soft or force, the wish that its runner looks for. ended_at is set exactly when it is finished.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    automation TEXT NOT NULL,
    state TEXT NOT NULL,
    inputs TEXT NOT NULL,
    outputs TEXT NOT NULL DEFAULT '{}',
    message TEXT,
    key TEXT UNIQUE,
    priority TEXT,
    counts TEXT,
    robot TEXT NOT NULL,
    owner TEXT NOT NULL,
    stop TEXT,
    not_before TEXT,
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT
);
CREATE INDEX jobs_unfinished ON jobs (id) WHERE ended_at IS NULL;
CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    retries INTEGER NOT NULL,
    unique_references INTEGER NOT NULL,
    fields TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1
);
-- state: the words of ItemState. priority: 0 low, 1 normal, 2 high.
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue_id INTEGER NOT NULL REFERENCES queues ON DELETE CASCADE,
    state TEXT NOT NULL,
    "values" TEXT NOT NULL,
    output TEXT NOT NULL DEFAULT '{}',
    reference TEXT,
    priority INTEGER NOT NULL,
    progress TEXT,
    failure TEXT,
    attempt INTEGER NOT NULL DEFAULT 1,
    retry_of INTEGER,
    not_before TEXT,
    due_at TEXT,
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    mark TEXT
);
CREATE INDEX items_next ON items (queue_id, priority DESC, due_at IS NULL, due_at, id) WHERE state = 'new';
CREATE INDEX items_taken ON items (started_at) WHERE state = 'taken';
CREATE INDEX items_state ON items (queue_id, state);
CREATE INDEX items_reference ON items (queue_id, reference);
CREATE INDEX items_mark ON items (queue_id, mark);
-- What a queue's unique fields hold, as JSON.
CREATE TABLE unique_values (
    item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
    queue_id INTEGER NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL
);
CREATE INDEX unique_values_value ON unique_values (queue_id, field, value);
CREATE INDEX unique_values_item ON unique_values (item_id);
CREATE TABLE assets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    value TEXT NOT NULL,
    description TEXT
);
CREATE TABLE credentials (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    description TEXT
);
CREATE TABLE credential_fields (
    credential_id INTEGER NOT NULL REFERENCES credentials ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (credential_id, key)
);
-- size is null while the file is on its way.
CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    size INTEGER,
    container TEXT,
    job_id INTEGER REFERENCES jobs,
    content_type TEXT,
    created_at TEXT NOT NULL
);
CREATE INDEX artifacts_name ON artifacts (name);
CREATE TABLE pieces (
    artifact_id INTEGER NOT NULL REFERENCES artifacts ON DELETE CASCADE,
    position INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (artifact_id, position)
);
CREATE TABLE logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    columns TEXT NOT NULL
);
-- log_id is null for the lines that a job's command wrote.
CREATE TABLE log_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    log_id INTEGER REFERENCES logs ON DELETE CASCADE,
    job_id INTEGER REFERENCES jobs,
    at TEXT NOT NULL,
    severity TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT '',
    robot TEXT,
    "values" TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX log_entries_log ON log_entries (log_id, id);
CREATE INDEX log_entries_job ON log_entries (job_id, id);
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    severity TEXT NOT NULL,
    job_id INTEGER REFERENCES jobs,
    at TEXT NOT NULL
);
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    message TEXT NOT NULL,
    job_id INTEGER NOT NULL REFERENCES jobs,
    stack_trace TEXT,
    tags TEXT NOT NULL,
    at TEXT NOT NULL
);
-- The outbox: nothing is sent.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    html INTEGER NOT NULL,
    recipients TEXT NOT NULL,
    at TEXT NOT NULL
);
