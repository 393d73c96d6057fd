-- The event store on a replicated, sharded cluster. Every statement can be run again, on any server.
--
-- Each server needs the macros {shard} and {replica}, and a cluster of the name in EVENTS_URL. All rows of a visitor are
-- on one shard. Of the tables in single.sql those ending in _local are the same ones, replicated; under their plain
-- names all shards are asked as one. The columns are those of single.sql.

CREATE TABLE IF NOT EXISTS event_local ON CLUSTER {cluster_name} (
{event_columns}
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/event_local', '{replica}')
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (site_id, toDate(occurred_at), visit_id, occurred_at)
SETTINGS
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 2592000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1,
    cleanup_delay_period = 1,
    max_cleanup_delay_period = 10;

CREATE TABLE IF NOT EXISTS held_event_local ON CLUSTER {cluster_name} (
{event_columns}
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/held_event_local', '{replica}')
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (site_id, toDate(occurred_at), visit_id, occurred_at)
SETTINGS
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 2592000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1,
    cleanup_delay_period = 1,
    max_cleanup_delay_period = 10;

CREATE TABLE IF NOT EXISTS drop_count_local ON CLUSTER {cluster_name} (
    site_id Int64,
    day Date,
    reason LowCardinality(String),
    n Int64
)
ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/{database}/drop_count_local', '{replica}', n)
ORDER BY (site_id, day, reason)
SETTINGS
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 2592000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1;

CREATE TABLE IF NOT EXISTS event ON CLUSTER {cluster_name} AS event_local
ENGINE = Distributed({cluster_name}, currentDatabase(), event_local, intHash64(visitor_id));

CREATE TABLE IF NOT EXISTS held_event ON CLUSTER {cluster_name} AS held_event_local
ENGINE = Distributed({cluster_name}, currentDatabase(), held_event_local, intHash64(visitor_id));

CREATE TABLE IF NOT EXISTS drop_count ON CLUSTER {cluster_name} AS drop_count_local
ENGINE = Distributed({cluster_name}, currentDatabase(), drop_count_local, intHash64(site_id));

-- The same on every server of every shard, without {shard} in the path: each must know all ids that are to be erased.
CREATE TABLE IF NOT EXISTS erasing ON CLUSTER {cluster_name} (
    receipt_id UUID
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/all/{database}/erasing', '{shard}-{replica}')
ORDER BY receipt_id
SETTINGS old_parts_lifetime = 1;

CREATE TABLE IF NOT EXISTS held ON CLUSTER {cluster_name} (
    site_id Nullable(Int64),
    receipt_id Nullable(UUID)
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/all/{database}/held', '{shard}-{replica}')
ORDER BY tuple()
SETTINGS old_parts_lifetime = 1;
