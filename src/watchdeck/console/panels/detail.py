"""The panels of one model: who it is and why, and its signals."""

from __future__ import annotations

from collections.abc import Mapping

from textual.reactive import reactive

from watchdeck.console.draw.detail import SIGNAL_COLUMNS, facts, signals
from watchdeck.console.draw.rule import Freshness, headed
from watchdeck.console.draw.table import Table
from watchdeck.console.draw.text import Line, Role, Span, cut, wrap
from watchdeck.console.outlook import Setting
from watchdeck.console.panels.list import List
from watchdeck.console.panels.panel import Panel
from watchdeck.domain.board import Model

_GONE = "this model is no longer configured"

NamedModel = reactive[Model | None]


def _freshness(model: Model | None, now: int, stale: str) -> Freshness:
    return Freshness(model.latest.at if model and model.latest else None, now, stale)


class FactsPanel(Panel):
    """Health, why, since, the last scrape, identity and place."""

    model: NamedModel = NamedModel(None, repaint=False)

    def draw(self, setting: Setting, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """A rule and the facts."""
        fresh = _freshness(self.model, self.now, self.stale)
        body = (
            facts(self.model, self.now, cells, rows - 1)
            if self.model
            else wrap(f" {_GONE}", cells, Role.WARNING)
        )
        name = cut(self.model.facts.name, cells - 30) if self.model else "model"
        return headed(name, (), fresh, body, cells)

    def watch_model(self) -> None:
        """The model changed."""
        self.redraw()


class SignalList(List):
    """Every signal of a model; the one under the cursor is drawn over time."""

    model: NamedModel = NamedModel(None, repaint=False)
    reasons: reactive[Mapping[str, str]] = reactive[Mapping[str, str]]({}, repaint=False)

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells the age of the readings."""
        fresh = _freshness(self.model, self.now, self.stale)
        return headed("signals", more, fresh, body, cells)

    def watch_model(self) -> None:
        """The model changed."""
        rows = signals(self.model, self.reasons) if self.model else ()
        keys = tuple(row.signal.name for row in rows)
        self.table = Table(SIGNAL_COLUMNS, rows, keys, "no scrape yet")
        self.redraw()

    def watch_reasons(self) -> None:
        """The reasons of the kind came."""
        self.watch_model()
