-- The event store on one ClickHouse server. Every statement can be run again.
--
-- An acknowledged insert is on the disk (fsync_after_insert), and so is a merged part before its sources go
-- (min_rows_to_fsync_after_merge): that is why old parts need no grace period. The same batch sent twice is stored once
-- (non_replicated_deduplication_window, in inserts).

CREATE TABLE IF NOT EXISTS event (
    site_id Int64,
    occurred_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    event_id UUID CODEC(NONE),
    name LowCardinality(String),
    hostname LowCardinality(String),
    path String CODEC(ZSTD(1)),
    query String CODEC(ZSTD(1)),
    referrer String CODEC(ZSTD(1)),
    source LowCardinality(String),
    channel LowCardinality(String),
    utm_source LowCardinality(String),
    utm_medium LowCardinality(String),
    utm_campaign LowCardinality(String),
    utm_content LowCardinality(String),
    utm_term LowCardinality(String),
    click_id LowCardinality(String),
    device LowCardinality(String),
    browser LowCardinality(String),
    browser_version LowCardinality(String),
    os LowCardinality(String),
    os_version LowCardinality(String),
    country LowCardinality(String),
    region LowCardinality(String),
    city LowCardinality(String),
    screen LowCardinality(String),
    props Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    revenue_amount Nullable(Decimal(18, 4)),
    revenue_currency LowCardinality(String),
    engaged_ms Nullable(Int64),
    scroll Nullable(Int16),
    visitor_id Int64 CODEC(ZSTD(1)),
    visit_id Int64 CODEC(ZSTD(1)),
    visit_started_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    receipt_id UUID CODEC(ZSTD(1)),
    decision_id UUID CODEC(ZSTD(1)),
    decided_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    policy_version Int32,
    notice_hash LowCardinality(String),
    purposes Array(LowCardinality(String)),
    INDEX visits visit_started_at TYPE minmax GRANULARITY 1,
    INDEX arrivals received_at TYPE minmax GRANULARITY 1,
    INDEX receipts receipt_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (site_id, toDate(occurred_at), visit_id, occurred_at)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 1;

-- What is held: out of the table that every query reads.
CREATE TABLE IF NOT EXISTS held_event AS event;

CREATE TABLE IF NOT EXISTS drop_count (
    site_id Int64,
    day Date,
    reason LowCardinality(String),
    n Int64
)
ENGINE = SummingMergeTree(n)
ORDER BY (site_id, day, reason)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_rows_to_fsync_after_merge = 1;

-- The receipts to be erased, so that no id is ever written into a statement: the server keeps the text of every mutation
-- on its disk. Emptied when the bytes are gone.
CREATE TABLE IF NOT EXISTS erasing (
    receipt_id UUID
)
ENGINE = MergeTree
ORDER BY receipt_id
SETTINGS old_parts_lifetime = 1;

-- What is held at present: receipts, and sites as a whole (no receipt).
CREATE TABLE IF NOT EXISTS held (
    site_id Nullable(Int64),
    receipt_id Nullable(UUID)
)
ENGINE = MergeTree
ORDER BY tuple()
SETTINGS old_parts_lifetime = 1;
