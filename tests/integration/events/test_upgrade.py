"""A file of an older release is brought up to date when it is opened."""

from pathlib import Path

import duckdb

from consent_service.events.duckdb import DuckDBStore
from consent_service.events.schema import Batch
from tests.unit.events.made import NOON, make_row


def test_a_file_from_before_there_were_channels_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "events.duckdb"
    before = DuckDBStore(path)
    before.apply(Batch([make_row(0, source="Google")]), NOON)
    before.close()
    # What an older release wrote is this without the column.
    with duckdb.connect(str(path)) as older:
        for table in ("event", "open_visit"):
            older.execute(f"ALTER TABLE {table} DROP COLUMN channel")
    store = DuckDBStore(path)
    store.apply(Batch([make_row(40, source="Bing", channel="Organic Search"), make_row(5, channel="Direct")]), NOON)
    rows = store.fetch("SELECT source, channel FROM event ORDER BY occurred_at", []).rows
    # The second belongs to the visit of the first, whose channel nobody knows.
    assert rows == [("Google", ""), ("Google", ""), ("Bing", "Organic Search")]
    store.compact()
    store.close()
    again = DuckDBStore(path)
    assert again.fetch("SELECT count(*) FROM event WHERE channel = ''", []).rows == [(2,)]
    again.close()
