"""The columns of the models table that a person chose, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from watchdeck.console.lines.table import Columns
from watchdeck.console.models.columns import COLUMNS, of_signal
from watchdeck.domain.board.board import Model
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.values.text import clean

NEEDED = "name"
"""The column without which a row cannot be told from another."""


def chosen(names: Sequence[str]) -> tuple[Columns[Model], tuple[str, ...]]:
    """The columns of these names, and what is wrong with the others; none chosen is the usual ones.

    Beside the usual columns every signal has one, by its full name.
    """
    known = {column.name: column for column in COLUMNS} | {
        name: of_signal(name) for name in SIGNALS if name not in {c.name for c in COLUMNS}
    }
    wrong = tuple(_unknown(name, list(known)) for name in names if name not in known)
    found = [known[name] for name in dict.fromkeys(names) if name in known]
    if not found:
        return COLUMNS, wrong
    if not any(column.name == NEEDED for column in found):
        found.insert(0, known[NEEDED])
    return tuple(found), wrong


def _unknown(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    return f"console.columns: there is no column {clean(name, 40)!r}. {hint}"
