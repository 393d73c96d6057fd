"""Send single pageviews as fast as a server takes them, from its own process: `python -m bench.load`."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from uuid import uuid4


def main(port: int, site: str, token: str, seconds: float, connections: int) -> None:
    """Print how many requests a second were answered 202, and the milliseconds under which 50 and 99 of 100 stayed."""
    end = time.monotonic() + seconds
    taken: list[float] = []
    threads = [threading.Thread(target=_send, args=(port, site, token, end, taken)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    shown = {
        "rate": len(taken) / seconds,
        "p50": 1000 * taken[len(taken) // 2],
        "p99": 1000 * taken[int(len(taken) * 0.99)],
    }
    print(json.dumps(shown))


def _send(port: int, site: str, token: str, end: float, taken: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "Origin": "https://nouvelles.example"}
    while time.monotonic() < end:
        event = {"id": str(uuid4()), "name": "pageview", "url": "https://nouvelles.example/a"}
        body = json.dumps({"site": site, "token": token, "events": [event]})
        started = time.monotonic()
        connection.request("POST", "/v1/events", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 202:
            taken.append(time.monotonic() - started)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))
