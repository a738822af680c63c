"""What of a person's wishes for the console cannot be had, before a console is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from watchdeck.config.reading.problems import Problem, below
from watchdeck.console.input.keymap import apply_keymap
from watchdeck.console.models.column_choice import chosen
from watchdeck.console.theme.layouts import unknown
from watchdeck.console.theme.themes import load_theme
from watchdeck.domain.board.filter import FilterError, parse
from watchdeck.domain.settings.console import ConsoleSettings
from watchdeck.errors import ConfigError


def view_problems(view: ConsoleSettings, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Every problem: theme, keys, layout, columns, filters.

    A collector runs with any of them, and a console too: it says what it does instead.
    """
    yield from _theme(view.theme, environ)
    yield from apply_keymap(view.keys)[1]
    if words := unknown(view.layout):
        yield Problem("console.layout", words)
    for words in chosen(view.columns)[1]:
        yield Problem("console.columns", words.removeprefix("console.columns: "))
    for name, written in view.filters.items():
        try:
            parse(written)
        except FilterError as error:
            text = f"{error} (character {error.position + 1})"
            yield Problem(below("console.filters", name), text)


def _theme(name: str, environ: Mapping[str, str]) -> Iterator[Problem]:
    try:
        load_theme(name, environ)
    except ConfigError as error:
        yield from (Problem("console.theme", line) for line in str(error).splitlines())
