"""A store whose process is killed at any point is whole, and its watermark says what is in it."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from consent_service.events.duckdb import DuckDBStore
from tests.unit.events.made import NOON

ROOT = Path(__file__).parents[3]
LOAD = Path(__file__).with_name("load.py")


@pytest.mark.parametrize("batches", [1, 3, 6, 8])
def test_a_killed_load_leaves_as_many_rows_as_the_watermark_says(tmp_path: Path, batches: int) -> None:
    path = tmp_path / "events.duckdb"
    for _ in range(2):
        told = _load_and_kill(path, batches)
        store = DuckDBStore(path, threads=1)
        rows = store.fetch("SELECT event_id FROM event", []).rows
        watermark = store.watermark("w1")
        # The ids are numbers of the process that made them; those of the first run come again in the second.
        remembered = store.fetch("SELECT count(*) FROM recent_event", []).rows[0][0]
        store.erase({f"e{visitor}": f"{visitor:032x}" for visitor in range(50)}, NOON)
        left = store.fetch("SELECT count(*) FROM event", []).rows[0][0]
        store.close()
        assert watermark >= told
        assert len({UUID(str(row[0])) for row in rows}) == len(rows) == remembered == watermark - _base(path)
        assert left == 0
        _base(path, watermark)
        assert [file.name for file in tmp_path.iterdir() if file.name.startswith(path.name)] == [path.name]


def _base(path: Path, value: int | None = None) -> int:
    """Remember up to which number the rows were erased again."""
    note = path.with_name("base")
    if value is not None:
        note.write_text(str(value))
    return int(note.read_text()) if note.exists() else 0


def _load_and_kill(path: Path, batches: int) -> int:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(LOAD), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(batches)]
        process.kill()
    return told[-1]
