"""The line of every key is found, however the file is written."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consent_service.places import Path, dotted, find_places

ODD = '''
title = "a # no comment" # one
"quoted key" = 'it''s'
long = """
one "quote" and ""two
[not.a.header]
""""
list = [ # comment ]
  "a, ]", # b
  { x = 1, y.z = [2,
    3] },
]
dotted.inner . deeper = 1
[table."a.b"]
key = 2026-01-01 10:00:00
[[rows]]
name = "first"
[rows.texts]
fr = "un"
[[rows]]
name = "second"
[[rows.inner]]
n = -1.5e3
[rows.texts]
fr = "deux"
'''.replace("'it''s'", "'its'")


def test_every_way_to_write_toml_keeps_its_lines() -> None:
    places = find_places(ODD, "toml")
    expected: dict[Path, int] = {
        ("title",): 2,
        ("quoted key",): 3,
        ("long",): 4,
        ("list",): 8,
        ("list", 0): 9,
        ("list", 1, "x"): 10,
        ("list", 1, "y", "z", 1): 11,
        ("dotted", "inner", "deeper"): 13,
        ("table", "a.b"): 14,
        ("table", "a.b", "key"): 15,
        ("rows", 0): 16,
        ("rows", 0, "name"): 17,
        ("rows", 0, "texts", "fr"): 19,
        ("rows", 1): 20,
        ("rows", 1, "inner", 0, "n"): 23,
        ("rows", 1, "texts", "fr"): 25,
    }
    assert {path: places.line(path) for path in expected} == expected


def test_a_key_that_is_not_there_has_the_line_of_the_table_around_it() -> None:
    places = find_places(ODD, "toml")
    assert places.line(("rows", 1, "texts", "es")) == 24
    assert places.line(("nothing", "here")) == 1


def test_a_path_is_written_as_people_write_it() -> None:
    assert dotted(("purposes", 0, "title", "fr")) == "purposes[0].title.fr"
    assert dotted(()) == ""


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(item, (*path, key))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_every_path_of_any_json_document_has_a_line_that_holds_it(value: Any) -> None:
    text = json.dumps(value, indent=1)
    places = find_places(text, "json")
    lines = text.splitlines()
    for path in paths(value):
        line = lines[places.line(path) - 1]
        if path and isinstance(path[-1], str):
            assert line.strip().startswith(json.dumps(path[-1]))
