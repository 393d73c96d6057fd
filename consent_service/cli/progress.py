"""Show on stderr how far something is: a bar on a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

Progress = Callable[[int], None]


@contextmanager
def show_progress(title: str, name: str, done_word: str, events: int) -> Iterator[Progress]:
    """Give a function to be told how many more events are done; `name` begins the lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain(name, done_word, events)
        return
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("events", total=events or None)
        yield lambda count: bar.advance(task, count)


def _plain(name: str, done_word: str, events: int) -> Progress:
    done, told = 0, 0

    def progress(count: int) -> None:
        nonlocal done, told
        done += count
        tenth = min(10, 10 * done // events) if events else 10
        if tenth > told:
            told = tenth
            print(f"{name}: {min(done, events)} of {events} events {done_word}", file=sys.stderr, flush=True)

    return progress
