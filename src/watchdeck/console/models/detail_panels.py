"""The panels of one model: its summary and its signals."""

from __future__ import annotations

from textual.geometry import Size

from watchdeck.console.lines.line import Line, Role, Span, cut, wrap
from watchdeck.console.lines.panel_header import DataAge, panel_lines
from watchdeck.console.lines.table import Table
from watchdeck.console.models.detail_lines import (
    SIGNAL_COLUMNS,
    SignalRow,
    sharing_text,
    signal_rows,
    summary_lines,
)
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.list import ListHeader, ListRows
from watchdeck.console.widgets.panel import Panel
from watchdeck.domain.board.board import Model
from watchdeck.domain.board.resource_sharing import ResourceUsers, SharedResource
from watchdeck.domain.signals.plan_builder import signal_sources

_ROOMY = 14
"""The least height of the list, in rows, at which a signal's source has two lines."""

_GONE = "this model is no longer configured"


def _data_age(model: Model | None, state: ViewState) -> DataAge:
    at = model.latest.at if model and model.latest else None
    return DataAge(at, state.now, state.stale)


def _shared(model: Model, state: ViewState) -> tuple[SharedResource, ...]:
    """The resources of a model, with the other models of the board that use them."""
    if not model.facts.resources:
        return ()
    return ResourceUsers(one.facts for one in state.models).shared_resources(model.facts)


class ModelSummaryPanel(Panel):
    """The health of a model, its last scrape, its server and its configuration."""

    def __init__(self, name: str) -> None:
        super().__init__(id="facts")
        self._model_name = name

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The model: the panel is rebuilt when it changes."""
        return (state.model(self._model_name),)

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:
        """A header and the summary, or a note that the model is no longer configured."""
        model = state.model(self._model_name)
        body = (
            summary_lines(model, state.now, cells, rows - 1, _shared(model, state))
            if model
            else wrap(f" {_GONE}", cells, Role.WARNING)
        )
        name = cut(model.facts.name, cells - 30) if model else "model"
        return panel_lines(name, (), _data_age(model, state), body, cells)


class SignalRows(ListRows[SignalRow]):
    """All signals of a model; the chart shows the one under the cursor."""

    name = "signals"

    def __init__(self, name: str) -> None:
        super().__init__()
        self._model_name = name

    def slices(self, state: ViewState) -> tuple[object, ...]:
        """The model and the kind of its server: the list is rebuilt when one changes."""
        model = state.model(self._model_name)
        return (model, state.kind_of(model))

    def lead(self, state: ViewState, row: SignalRow | None, size: Size) -> tuple[Line, ...]:
        """Why the signal under the cursor is unknown or in doubt, else where it is read from.

        1 line, or 2 on a high panel.
        """
        rows = 2 if size.height >= _ROOMY else 1
        lines = wrap(self._lead_text(state, row), size.width - 1, Role.MUTED, most=rows)
        padding = [Line()] * (rows - len(lines))
        return (*(Line((Span(" "), *line.spans)) for line in lines), *padding)

    def _lead_text(self, state: ViewState, row: SignalRow | None) -> str:
        model = state.model(self._model_name)
        kind = state.kind_of(model)
        if row is None or model is None:
            return ""
        if row.remark:
            return row.remark
        if row.value is not None and row.value.resource:
            found = (one for one in _shared(model, state) if one.endpoint == row.value.resource)
            return " or ".join(f"from {sharing_text(one)}" for one in found)
        if kind is None:
            return ""
        source = signal_sources(kind, model.facts.map).get(row.signal.name, "")
        return f"from {source}" if source else "its kind of server tells no source of it"

    def header(self, state: ViewState, shown: Span, _cells: int) -> ListHeader:
        """The header, with the age of the values."""
        return ListHeader("signals", (shown,), _data_age(state.model(self._model_name), state))

    def build(self, state: ViewState, _cells: int) -> Table[SignalRow]:
        """The table of signals; without rows when the model is not on the board."""
        model = state.model(self._model_name)
        kind = state.kind_of(model)
        rows = signal_rows(model, kind) if model else ()
        keys = tuple(row.signal.name for row in rows)
        return Table(SIGNAL_COLUMNS, rows, keys, "no scrape yet")
