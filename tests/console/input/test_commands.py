"""A line is a command, or says what would be one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.console_commands import COMMANDS
from watchdeck.console.input.commands import (
    CommandError,
    CompletionContext,
    completions,
    entries,
    found,
    parse,
)

KNOWN = CompletionContext(
    ("fraud-detector", "churn", "legacy [/nope]"), ("dark", "light"), ("p95", "name"), ("@bad",)
)


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        pytest.param("quit", "quit", "", id="a verb"),
        pytest.param(" q ", "quit", "", id="a beginning that only one has"),
        pytest.param("model churn", "model", "churn", id="a verb and what it is about"),
        pytest.param("model legacy [/nope]", "model", "legacy [/nope]", id="a name with a blank"),
        pytest.param("filter p95>1s | x", "filter", "p95>1s | x", id="any text"),
        pytest.param("at -2h", "at", "-2h", id="a moment"),
        pytest.param("models", "models", "", id="a name that another begins with"),
    ],
)
def test_a_line_is_a_command(line: str, name: str, text: str) -> None:
    asked = parse(line, KNOWN, COMMANDS)
    assert (asked.command.name, asked.text) == (name, text)


@pytest.mark.parametrize(
    ("line", "position", "words"),
    [
        pytest.param("thme light", 0, "Did you mean 'theme'?", id="a verb that is not"),
        pytest.param("m", 0, "choose one of model, models", id="a beginning that two have"),
        pytest.param("", 0, "choose one of model", id="nothing"),
        pytest.param("theme lihgt", 6, "Did you mean 'light'?", id="a theme that is not"),
        pytest.param("model", 5, "model needs a NAME", id="nothing follows"),
        pytest.param("quit now", 5, "nothing follows quit", id="too much"),
        pytest.param("\x1b[2J", 0, "choose one of", id="a control sequence"),
    ],
)
def test_what_is_no_command_is_told_with_what_would_be(
    line: str, position: int, words: str
) -> None:
    with pytest.raises(CommandError) as caught:
        parse(line, KNOWN, COMMANDS)
    assert words in str(caught.value)
    assert caught.value.position == position
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        pytest.param("th", ("theme ",), id="a verb"),
        pytest.param("theme ", ("theme dark", "theme light"), id="all there is"),
        pytest.param("theme l", ("theme light",), id="what begins so"),
        pytest.param("model det", ("model fraud-detector",), id="what has it inside"),
        pytest.param("zebra ", (), id="nothing"),
    ],
)
def test_a_beginning_is_completed(line: str, lines: tuple[str, ...]) -> None:
    assert completions(line, KNOWN, COMMANDS) == lines


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        pytest.param("fd", "model fraud-detector", id="letters in their order"),
        pytest.param("light", "theme light", id="a word"),
        pytest.param("quit", "quit", id="a verb"),
    ],
)
def test_the_palette_finds_the_closest_first(typed: str, first: str) -> None:
    assert found(typed, list(entries(KNOWN, COMMANDS)))[0][0] == first


def test_the_palette_offers_everything_that_can_be_given() -> None:
    for line, words in entries(KNOWN, COMMANDS):
        if line.endswith(" "):
            continue  # the beginning of one that any text may follow
        parsed = parse(line, KNOWN, COMMANDS)
        assert f"{parsed.command.name} {parsed.text}".strip() == line
        assert words
    assert len(found("", list(entries(KNOWN, COMMANDS)))) == len(list(entries(KNOWN, COMMANDS)))
    assert found("zzz", list(entries(KNOWN, COMMANDS))) == ()


@given(st.text(max_size=30))
def test_any_line_is_a_command_or_a_command_error(line: str) -> None:
    completions(line, KNOWN, COMMANDS)
    found(line, list(entries(KNOWN, COMMANDS)))
    try:
        assert parse(line, KNOWN, COMMANDS).command in COMMANDS
    except CommandError as error:
        place = error.position
    else:
        place = 0
    assert 0 <= place <= len(line)
