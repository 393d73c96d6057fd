"""Start one child process of the server: `python -m consent_service.serve.child keeper|web HANDLE`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from consent_service.config import load_config
from consent_service.serve.logs import set_up

DEMO = "CONSENT_CHILD_DEMO"
PORT = "CONSENT_CHILD_PORT"
DIRECTORY = "CONSENT_CHILD_DATA_DIR"
WORKERS = "CONSENT_CHILD_WORKERS"


def main(arguments: list[str]) -> None:
    """Read the settings the supervisor hands down, and become the keeper or the web server."""
    config = load_config(
        data_dir=Path(os.environ[DIRECTORY]),
        port=int(os.environ[PORT]),
        workers=int(os.environ[WORKERS]),
        is_demo=os.environ.get(DEMO) == "1",
    )
    set_up(config.log_level)
    match arguments:
        case ["keeper"]:
            from consent_service.serve.keeping import main as keep

            keep(config)
        case ["web", handle]:
            from consent_service.serve.web import main as serve

            serve(config, int(handle))
        case _:
            raise SystemExit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
