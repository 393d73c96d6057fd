"""Many read side by side; one can shut them out."""

from threading import Event, Thread

from consent_service.events.turns import Turns


def test_who_wants_to_be_alone_waits_for_readers_and_new_readers_wait_for_them() -> None:
    turns, order = Turns(), list[str]()
    reading, finish = Event(), Event()

    def read() -> None:
        with turns.shared():
            reading.set()
            finish.wait(10)
            order.append("reader done")

    def rewrite() -> None:
        with turns.alone():
            order.append("alone")

    threads = [Thread(target=read), Thread(target=rewrite)]
    threads[0].start()
    assert reading.wait(10)
    threads[1].start()
    finish.set()
    for thread in threads:
        thread.join(10)
    with turns.shared():
        order.append("next reader")
    assert order == ["reader done", "alone", "next reader"]
