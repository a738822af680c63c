"""The panels of one model: who it is and why, and its signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import reactive

from watchdeck.console.lines.line import Line, Role, Span, cut, wrap
from watchdeck.console.lines.panel_header import DataAge, headed
from watchdeck.console.lines.table import Table
from watchdeck.console.models.detail_lines import SIGNAL_COLUMNS, facts, signals
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.widgets.list import List
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.board.board import Model
from watchdeck.domain.signals.provenance import sources

if TYPE_CHECKING:
    from watchdeck.domain.kinds.kind import Kind

_ROOMY = 14
"""From so many rows on a source may take two of them."""

_GONE = "this model is no longer configured"

NamedModel = reactive[Model | None]


def _freshness(model: Model | None, now: int, stale: str) -> DataAge:
    return DataAge(model.latest.at if model and model.latest else None, now, stale)


class ModelSummaryPanel(Panel):
    """Health, why, since, the last scrape, identity and place."""

    model: NamedModel = NamedModel(None, repaint=False)

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
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
    kind: reactive[Kind | None] = reactive["Kind | None"](None, repaint=False)

    def lead(self) -> tuple[Line, ...]:
        """Where the signal under the cursor comes from."""
        rows = 2 if self.size.height >= _ROOMY else 1
        if self.kind is None or self.model is None:
            return (Line(),) * rows
        found = sources(self.kind, self.model.facts.map).get(self.cursor_name or "", "")
        words = f" from {found}" if found else " its kind of server tells no source of it"
        told = wrap(words.strip(), self.size.width - 1, Role.MUTED, most=rows)
        return (*(Line((Span(" "), *one.spans)) for one in told), *[Line()] * (rows - len(told)))

    @property
    def cursor_name(self) -> str | None:
        """The signal under the cursor, without asking for the rows that are in view."""
        place = self.place
        keys = self.table.keys
        if not keys:
            return None
        return place.key if place.key in keys else keys[min(place.index, len(keys) - 1)]

    def heading(
        self, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The rule tells the age of the readings."""
        fresh = _freshness(self.model, self.now, self.stale)
        return headed("signals", more, fresh, body, cells)

    def watch_model(self) -> None:
        """The model changed."""
        rows = (
            signals(self.model, self.kind.unmeasurable if self.kind else {}) if self.model else ()
        )
        keys = tuple(row.signal.name for row in rows)
        self.table = Table(SIGNAL_COLUMNS, rows, keys, "no scrape yet")
        self.redraw()

    def watch_kind(self) -> None:
        """The kind of server is known now."""
        self.watch_model()
