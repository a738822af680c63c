"""The panels of one model: its summary and its signals."""

from __future__ import annotations

from watchdeck.console.lines.line import Line, Role, Span, cut, wrap
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.table import Table
from watchdeck.console.models.detail_lines import SIGNAL_COLUMNS, signal_rows, summary_lines
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.list import List
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.board.board import Model
from watchdeck.domain.signals.plan_builder import signal_sources

_ROOMY = 14
"""Rows of the panel from which the source of a signal may take two of them."""

_GONE = "this model is no longer configured"


def _data_age(model: Model | None, state: ViewState) -> DataAge:
    at = model.latest.at if model and model.latest else None
    return DataAge(at, state.now, state.stale)


class ModelSummaryPanel(Panel):
    """The health of a model, its last scrape, its server and its configuration."""

    def __init__(self, name: str) -> None:
        super().__init__(id="facts")
        self._model_name = name

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The model."""
        return (state.model(self._model_name),)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """A header and the summary."""
        model = state.model(self._model_name)
        body = (
            summary_lines(model, state.now, cells, rows - 1)
            if model
            else wrap(f" {_GONE}", cells, Role.WARNING)
        )
        name = cut(model.facts.name, cells - 30) if model else "model"
        return panel_lines(name, (), _data_age(model, state), body, cells)


class SignalList(List):
    """All signals of a model; the chart shows the one under the cursor."""

    def __init__(self, name: str) -> None:
        super().__init__(id="signals")
        self._model_name = name

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The model and the kind of its server."""
        model = state.model(self._model_name)
        return (model, state.kind_of(model))

    def lead(self, state: ViewState) -> tuple[Line, ...]:
        """The source of the signal under the cursor, in one or two lines."""
        model = state.model(self._model_name)
        kind = state.kind_of(model)
        rows = 2 if self.size.height >= _ROOMY else 1
        if kind is None or model is None:
            return (Line(),) * rows
        source = signal_sources(kind, model.facts.map).get(self.cursor_name or "", "")
        words = f" from {source}" if source else " its kind of server tells no source of it"
        lines = wrap(words.strip(), self.size.width - 1, Role.MUTED, most=rows)
        padding = [Line()] * (rows - len(lines))
        return (*(Line((Span(" "), *line.spans)) for line in lines), *padding)

    @property
    def cursor_name(self) -> str | None:
        """The signal under the cursor, also before the rows are drawn; None without signals."""
        place = self.place
        keys = self.table.keys
        if not keys:
            return None
        return place.key if place.key in keys else keys[min(place.index, len(keys) - 1)]

    def heading(
        self, state: ViewState, more: tuple[Span, ...], body: tuple[Line, ...], cells: int
    ) -> tuple[Line, ...]:
        """The panel's lines: a header with `more` and the age of the values, then `body`."""
        return panel_lines(
            "signals", more, _data_age(state.model(self._model_name), state), body, cells
        )

    def rebuild(self) -> None:
        """Build the rows again, and redraw."""
        state = self.view_state
        model = state.model(self._model_name) if state else None
        kind = state.kind_of(model) if state else None
        rows = signal_rows(model, kind.unmeasurable if kind else {}) if model else ()
        keys = tuple(row.signal.name for row in rows)
        self.table = Table(SIGNAL_COLUMNS, rows, keys, "no scrape yet")
        self.redraw()
