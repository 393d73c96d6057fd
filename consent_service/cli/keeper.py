"""Let the keeper do something: the one that runs, or else one made for the purpose."""

from __future__ import annotations

from typing import Any

from consent_service.app import Core
from consent_service.cli.output import Refused
from consent_service.errors import Unavailable
from consent_service.locks import KEEPER, Locked, read_holder, take
from consent_service.serve.socket import KeeperClient


def ask_keeper(core: Core, name: str, **members: Any) -> Any:
    """Let the keeper act beside a running server, or act in its place while none runs; raises Refused."""
    path = core.config.data_dir / KEEPER
    if read_holder(path) is not None:
        try:
            return KeeperClient(core.config.socket_path).ask(name, **members)
        except Unavailable as error:
            raise Refused(f"the keeper does not answer ({error}); see: consent-service status") from error
    from consent_service.serve.keeping import Keeping

    try:
        with take(path):
            keeping = Keeping(core.config, core)
            try:
                return keeping.do(name, members)
            finally:
                keeping.keeper.close()
    except Locked as error:
        raise Refused(f"the keeper (process {error.pid}) has just started; try again") from error
