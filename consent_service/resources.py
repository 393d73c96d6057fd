"""Where the files lie that are not Python: built client and console assets, and migrations."""

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: Literal["static", "migrations"]) -> Path:
    """Return the directory of that name: inside an installed package, beside it in a checkout.

    Raises FileNotFoundError when the installation holds neither.
    """
    for candidate in (_PACKAGE / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"{name}/ is missing from this installation of consent-service; install it again")
