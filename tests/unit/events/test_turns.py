"""Many read side by side; one can turn them away."""

from threading import Event, Thread

import pytest

from consent_service.events.store import StoreBusy
from consent_service.events.turns import Turns


def test_who_wants_to_be_alone_waits_for_readers_and_turns_new_ones_away() -> None:
    turns, order = Turns(), list[str]()
    reading, finish, alone, leave = Event(), Event(), Event(), Event()

    def read() -> None:
        with turns.shared():
            reading.set()
            finish.wait(10)
            order.append("reader done")

    def rewrite() -> None:
        with turns.alone():
            order.append("alone")
            alone.set()
            leave.wait(10)

    threads = [Thread(target=read), Thread(target=rewrite)]
    threads[0].start()
    assert reading.wait(10)
    threads[1].start()
    assert not alone.is_set()
    finish.set()
    assert alone.wait(10)
    with pytest.raises(StoreBusy), turns.shared():
        order.append("a reader beside")
    with pytest.raises(StoreBusy), turns.alone():
        order.append("another alone")
    leave.set()
    for thread in threads:
        thread.join(10)
    with turns.shared():
        order.append("next reader")
    assert order == ["reader done", "alone", "next reader"]


def test_a_reader_that_does_not_end_keeps_nobody_out_for_long() -> None:
    turns = Turns()
    with turns.shared():
        with pytest.raises(StoreBusy, match="is being read"), turns.alone(patience=0.01):
            pytest.fail("alone beside a reader")
        with turns.shared():
            pass
