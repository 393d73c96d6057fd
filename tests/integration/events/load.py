"""Load a store until killed, telling on standard output what was committed: `load.py PATH`."""

import sys
from pathlib import Path

from consent_service.events.duckdb import DuckDBStore
from consent_service.events.schema import Batch, InboxRange
from tests.unit.events.made import NOON, make_row

ROWS = 50


def main(path: Path) -> None:
    """Apply batches of ROWS rows for ever, the watermark being the number of rows; compact now and then."""
    store = DuckDBStore(path, threads=1)
    first = store.watermark("w1")
    for batch in range(10_000):
        last = first + (batch + 1) * ROWS
        store.apply(
            Batch([make_row(last - row, visitor_id=row) for row in range(ROWS)], {}, [InboxRange("w1", last)]), NOON
        )
        if batch % 7 == 6:
            store.compact()
        sys.stdout.write(f"{last}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
