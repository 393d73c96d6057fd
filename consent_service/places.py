"""Find the line of every key and element of a TOML or JSON text that a parser has already accepted."""

from __future__ import annotations

import json
import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from typing import Final, Literal

Path = tuple[str | int, ...]
Format = Literal["toml", "json"]

_STRING: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}\n#]+")
_BLANK: Final = re.compile(r"(?:\s|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")


class Places:
    """Map key paths to lines; a path that is not in the text has the line of the nearest table around it."""

    def __init__(self, lines: Mapping[Path, int], repeated: tuple[Path, ...] = ()) -> None:
        self._lines = lines
        self.repeated = repeated

    def line(self, path: Path) -> int:
        """Give the line of a path, counted from 1."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def find_places(text: str, format: Format) -> Places:
    """Read the lines of a valid text; keys given twice, which JSON parsers let pass, are in `repeated`."""
    scanner = _Scanner(text, format)
    if format == "json":
        scanner.value(())
    else:
        scanner.statements()
    return Places(scanner.lines, tuple(scanner.repeated))


def dotted(path: Path) -> str:
    """Write a path as people do: `purposes[0].title.fr`."""
    written = ""
    for step in path:
        written += f"[{step}]" if isinstance(step, int) else f".{step}" if written else step
    return written


class _Scanner:
    """Walk the text once. It trusts the parser that went before, so it checks nothing."""

    def __init__(self, text: str, format: Format) -> None:
        self.text = text
        self.format = format
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.repeated: list[Path] = []
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._lengths: dict[Path, int] = {}

    def statements(self) -> None:
        """Read TOML's top level: headers and assignments."""
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._assignment(table)

    def value(self, path: Path) -> None:
        """Read one value and everything in it."""
        self._note(path)
        first = self.text[self.at]
        if first in "\"'":
            self._take(_STRING)
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._table(path)
        else:
            self._take(_SCALAR)

    def _header(self) -> Path:
        is_element = self.text.startswith("[[", self.at)
        start = self.at
        self.at += 2 if is_element else 1
        keys = self._keys()
        self.at += 2 if is_element else 1
        path: Path = ()
        for key in keys[:-1]:
            path = self._enter((*path, key), start)
        path = (*path, keys[-1])
        if is_element:
            self._lengths[path] = self._lengths.get(path, 0) + 1
        return self._enter(path, start)

    def _enter(self, path: Path, offset: int) -> Path:
        """Step into a table, or into the last element when the path is a list of tables."""
        self._note(path, offset)
        if path in self._lengths:
            path = (*path, self._lengths[path] - 1)
            self._note(path, offset)
        return path

    def _assignment(self, table: Path) -> None:
        start = self._skip(_BLANK)
        path = table
        for key in self._keys():
            path = (*path, key)
            if path in self.lines and self.format == "json":
                self.repeated.append(path)
            self._note(path, start)
        self._skip(_BLANK)
        self.at += 1
        self._skip(_BLANK)
        self.value(path)

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.text[self._skip(_BLANK)] != "]":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.value((*path, index))
            index += 1
        self.at += 1

    def _table(self, path: Path) -> None:
        self.at += 1
        while self.text[self._skip(_BLANK)] != "}":
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._assignment(path)
        self.at += 1

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            keys.append(self._key())
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _key(self) -> str:
        if self.text[self.at] not in "\"'":
            return self._take(_BARE_KEY)
        quoted = self._take(_STRING)
        if self.format == "json":
            return str(json.loads(quoted))
        return str(tomllib.loads(f"key = {quoted}")["key"])

    def _note(self, path: Path, offset: int | None = None) -> None:
        at = self.at if offset is None else offset
        self.lines.setdefault(path, bisect_left(self._breaks, at) + 1)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"the text does not read on at character {self.at}")
        self.at = match.end()
        return match.group()
