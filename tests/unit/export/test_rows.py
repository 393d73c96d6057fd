"""Exported rows: nothing a spreadsheet would run, nothing lost, numbers as numbers."""

import csv
import io
import json
from typing import Any

import pytest

from consent_service.export.rows import COLUMNS, write_csv, write_jsonl


def row(**members: Any) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS, ""), **members}


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " =", "\t="])
def test_a_text_a_spreadsheet_takes_for_a_formula_is_made_harmless(start: str) -> None:
    [found] = read_csv(b"".join(write_csv([[row(name=f"{start}HYPERLINK(1)")]])))
    assert found["name"] == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize("amount", ["-12.5000", "12.5000", "0", "-0.01"])
def test_an_amount_stays_a_number_whatever_its_sign(amount: str) -> None:
    [found] = read_csv(b"".join(write_csv([[row(revenue_amount=amount)]])))
    assert found["revenue_amount"] == amount


@pytest.mark.parametrize("text", ["-1+1", "-12.5.", "--1", "-١", "-1\n", "- 1", "-1e5", "-"])
def test_what_only_begins_like_a_number_is_made_harmless(text: str) -> None:
    [found] = read_csv(b"".join(write_csv([[row(name=text)]])))
    assert found["name"] == f"'{text}"


def test_other_values_stay_as_they_are() -> None:
    values = row(name='a "quoted", text', scroll=-5, engaged_ms=None, props={"a": "=1"}, purposes=["analytics"])
    [found] = read_csv(b"".join(write_csv([[values]])))
    assert (found["name"], found["scroll"], found["engaged_ms"]) == ('a "quoted", text', "-5", "")
    assert json.loads(found["props"]) == {"a": "=1"}


def test_every_field_is_quoted_and_the_header_comes_even_without_rows() -> None:
    data = b"".join(write_csv([])).decode()
    assert data == ",".join(f'"{name}"' for name in COLUMNS) + "\r\n"


def test_json_lines_hold_one_object_a_line_in_the_order_of_the_columns() -> None:
    lines = b"".join(write_jsonl([[row(name="a\nb")], [row(name="c"), row(name="d")]])).splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["a\nb", "c", "d"]
    assert tuple(json.loads(lines[0])) == COLUMNS
