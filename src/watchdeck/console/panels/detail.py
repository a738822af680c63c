"""The panels of one model: who it is and why, its chart, its signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.reactive import reactive

from watchdeck.console.draw.age import lasting
from watchdeck.console.draw.chart import Window, chart
from watchdeck.console.draw.detail import SIGNAL_COLUMNS, facts, signals
from watchdeck.console.draw.number import sentence
from watchdeck.console.draw.rule import Freshness, headed
from watchdeck.console.draw.table import Table
from watchdeck.console.draw.text import Line, Role, Span, cut, wrap
from watchdeck.console.outlook import Setting
from watchdeck.console.panels.list import List
from watchdeck.console.panels.panel import Panel
from watchdeck.domain.board import History, Model
from watchdeck.domain.signal import SIGNALS

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


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the chart shows: the history when it was read, and what it is of."""

    column: str
    window: Window
    span: int
    history: History | None = None
    problem: str = ""


class ChartPanel(Panel):
    """One signal over time."""

    model: NamedModel = NamedModel(None, repaint=False)
    drawn: reactive[Drawn | None] = reactive[Drawn | None](None, repaint=False)

    def draw(self, setting: Setting, cells: int, rows: int) -> tuple[Line, ...]:
        """A rule that names the signal and the window, and the chart."""
        if self.drawn is None:
            return headed("chart", (), _freshness(self.model, self.now, ""), (), cells)
        fresh = _freshness(self.model, self.now, self.stale)
        more = (*self._value(), Span(f"last {lasting(self.drawn.span)}", Role.MUTED))
        return headed(self.drawn.column, more, fresh, self._body(setting, cells, rows - 1), cells)

    def _value(self) -> tuple[Span, ...]:
        latest = self.model.latest if self.model else None
        reading = latest.signals.get(self.drawn.column) if latest and self.drawn else None
        return (Span(f"{sentence(reading)}  ", Role.STRONG),) if reading else ()

    def _body(self, setting: Setting, cells: int, rows: int) -> tuple[Line, ...]:
        drawn = self.drawn
        if drawn is None or drawn.history is None:
            words = drawn.problem if drawn and drawn.problem else "reading the history"
            return wrap(f" {words}", cells, Role.WARNING if drawn and drawn.problem else Role.MUTED)
        unit = SIGNALS[drawn.column].unit
        return chart(drawn.history, unit, drawn.window, cells, rows, setting.dots)

    def watch_model(self) -> None:
        """The value in the rule changed."""
        self.redraw()

    def watch_drawn(self) -> None:
        """A history was read, or another one is wanted."""
        self.redraw()
