"""What is written as TOML reads back as it was."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from consent_service.cli.toml import write_toml

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
LISTS = st.lists(SCALARS, max_size=3)


def tables(inner: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    """Give tables with members of a kind; an empty table is left out when written."""
    return st.dictionaries(KEYS, inner, min_size=1, max_size=4)


DOCUMENTS = tables(
    st.recursive(SCALARS | LISTS, lambda inner: tables(inner) | st.lists(tables(inner), min_size=1, max_size=2))
)


@given(DOCUMENTS)
def test_any_document_reads_back_as_it_was(document: dict[str, object]) -> None:
    assert tomllib.loads(write_toml(document)) == document


def test_plain_keys_come_before_tables_whatever_their_order() -> None:
    assert write_toml({"banner": {"layout": "bar"}, "name": "Café", "blocking": [{"host": "a.example"}]}) == (
        'name = "Café"\n\n[banner]\nlayout = "bar"\n\n[[blocking]]\nhost = "a.example"\n'
    )
