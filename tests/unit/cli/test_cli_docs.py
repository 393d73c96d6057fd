"""docs/cli.md names every command and every option, and none that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from consent_service.cli import commands

TEXT = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()


def leaves(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Give every command that does something, by the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        words = f"{path} {name}".strip()
        if isinstance(command, click.Group):
            yield from leaves(command, words)
        else:
            yield words, command


SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", TEXT, flags=re.MULTILINE | re.DOTALL))
COMMANDS = dict(leaves(commands))


def test_the_document_has_a_section_for_every_command_and_for_no_other() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_section_lists_exactly_the_options_of_its_command(words: str) -> None:
    options = {option for item in COMMANDS[words].params if isinstance(item, click.Option) for option in item.opts}

    assert set(re.findall(r"^\| `(--[a-z-]+)`", SECTIONS[words], flags=re.MULTILINE)) == options


@pytest.mark.parametrize("words", COMMANDS)
def test_a_section_shows_how_the_command_is_called(words: str) -> None:
    arguments = [
        item.make_metavar(click.Context(COMMANDS[words]))
        for item in COMMANDS[words].params
        if isinstance(item, click.Argument)
    ]
    call = " ".join(["consent-service", words, *arguments])

    assert f"    {call}" in SECTIONS[words]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_and_option_says_what_it_does(words: str) -> None:
    command = COMMANDS[words]

    assert command.help
    assert all(item.help for item in command.params if isinstance(item, click.Option))
