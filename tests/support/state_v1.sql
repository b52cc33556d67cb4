-- The tables of the memory as its first version made them, for PostgreSQL and SQLite. The test says what {serial} is.

CREATE TABLE datasets (
    id {serial},
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    deferred_run_id TEXT,
    UNIQUE (environment, name)
);

CREATE TABLE runs (
    run_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
    verdict TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (run_id)
);

CREATE TABLE twinstore_version (
    id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE baseline_checks (
    dataset_id INTEGER NOT NULL,
    check_id TEXT NOT NULL,
    store TEXT NOT NULL,
    PRIMARY KEY (dataset_id, check_id, store),
    FOREIGN KEY(dataset_id) REFERENCES datasets (id)
);

CREATE TABLE baseline_differences (
    dataset_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (dataset_id, key, kind, fields),
    FOREIGN KEY(dataset_id) REFERENCES datasets (id)
);

CREATE TABLE dataset_runs (
    dataset_id INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    verdict TEXT NOT NULL,
    trusted BOOLEAN NOT NULL,
    compared BOOLEAN NOT NULL,
    rows_primary BIGINT NOT NULL,
    rows_secondary BIGINT NOT NULL,
    differences BIGINT NOT NULL,
    PRIMARY KEY (dataset_id, run_id),
    FOREIGN KEY(dataset_id) REFERENCES datasets (id),
    FOREIGN KEY(run_id) REFERENCES runs (run_id) ON DELETE CASCADE
);

CREATE TABLE deferred_keys (
    dataset_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    streak INTEGER NOT NULL,
    PRIMARY KEY (dataset_id, key),
    FOREIGN KEY(dataset_id) REFERENCES datasets (id)
);

CREATE TABLE differences (
    id {serial},
    dataset_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    fields TEXT NOT NULL,
    first_seen TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_run_id TEXT NOT NULL,
    last_run_id TEXT NOT NULL,
    runs_seen INTEGER NOT NULL,
    openings INTEGER NOT NULL,
    returned_at TIMESTAMP WITH TIME ZONE,
    returned_before TIMESTAMP WITH TIME ZONE,
    returned_first TIMESTAMP WITH TIME ZONE,
    gone_at TIMESTAMP WITH TIME ZONE,
    gone_run_id TEXT,
    UNIQUE (key, dataset_id, kind, fields),
    FOREIGN KEY(dataset_id) REFERENCES datasets (id)
);

CREATE TABLE failing_checks (
    dataset_id INTEGER NOT NULL,
    check_id TEXT NOT NULL,
    store TEXT NOT NULL,
    first_seen TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_run_id TEXT NOT NULL,
    last_run_id TEXT NOT NULL,
    gone_at TIMESTAMP WITH TIME ZONE,
    gone_run_id TEXT,
    PRIMARY KEY (dataset_id, check_id, store),
    FOREIGN KEY(dataset_id) REFERENCES datasets (id)
);

CREATE TABLE leases (
    dataset_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    token TEXT NOT NULL,
    host TEXT NOT NULL,
    space TEXT NOT NULL,
    pid INTEGER NOT NULL,
    born TEXT NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (dataset_id),
    FOREIGN KEY(dataset_id) REFERENCES datasets (id)
);

CREATE TABLE waivers (
    dataset_id INTEGER NOT NULL,
    target TEXT NOT NULL,
    store TEXT NOT NULL,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    expires DATE NOT NULL,
    PRIMARY KEY (dataset_id, target, store),
    FOREIGN KEY(dataset_id) REFERENCES datasets (id)
);
