"""A keeper that works when a test says so."""

import time
from collections.abc import Callable
from typing import Any

from consent_service.config import Config
from consent_service.core import Core
from consent_service.locks import KEEPER, take
from consent_service.serve.keeping import Keeping
from consent_service.serve.socket import KeeperServer

MOST_SECONDS = 10.0


class KeeperInHand:
    """Hold a real keeper and its socket, without the loop."""

    def __init__(self, config: Config, core: Core) -> None:
        self._lock = take(config.data_dir / KEEPER)
        self.keeping = Keeping(config, core)
        self.keeper = self.keeping.keeper
        self.store = self.keeper.store
        self._server = KeeperServer(config.socket_path, self.store, self._act)

    def turn(self) -> int:
        """Drain and erase all that waits, in the loop's order; gives how many events were stored."""
        return self.keeper.settle()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Turn until something is so: counts of drops reach the inbox a moment after their answer."""
        deadline = time.monotonic() + MOST_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, f"not so after {MOST_SECONDS} s"
            self.turn()

    def sign(self) -> str:
        """Log what waits and give the signed checkpoint."""
        return self.keeping.ledger.sign_checkpoint([])

    def _act(self, name: str, members: dict[str, Any]) -> Any:
        """Sign for whoever asks over the socket, as the loop does between two turns."""
        if name == "sign_checkpoint":
            return {"note": self.keeping.ledger.sign_checkpoint(members["extensions"])}
        return self.keeping.act(name, members)

    def compact(self) -> None:
        """Let erased bytes leave the disk."""
        self.keeper.compact()

    def close(self) -> None:
        """End as the process does."""
        self._server.close()
        self.keeper.close()
        self._lock.close()
