"""The tables of models: their columns, the choice of columns, and the order of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

from msgspec import Struct

from watchdeck.config.reading.problems import MAX_LISTED
from watchdeck.console.lines import number
from watchdeck.console.lines.health import health_label, short_health_label
from watchdeck.console.lines.line import NO_VALUE, Role, Span, untrusted_text
from watchdeck.console.lines.relative_time import age, format_age_short
from watchdeck.console.lines.table import Column, Columns
from watchdeck.domain.board.board import Health, Model, SignalValue, sort_worst_first
from watchdeck.domain.board.filter import Filter
from watchdeck.domain.board.filter_fields import filter_models
from watchdeck.domain.board.qualifiers import qualifiers
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.values.text import clean


def _value_of(model: Model, name: str) -> SignalValue | None:
    return model.latest.signals.get(name) if model.latest else None


def has_limits(model: Model, value: SignalValue) -> bool:
    """Whether a value needs more words than a cell has room for, which the model's screen has."""
    return bool(qualifiers(value, model.facts.every))


def has_limited_value(model: Model) -> bool:
    """Whether a value of the default columns has limits; its cell then has a mark."""
    values = (_value_of(model, signal) for signal in _DEFAULT_SIGNALS)
    return any(value is not None and has_limits(model, value) for value in values)


def _signal_column(
    name: str,
    head: str,
    width: int,
    signal: str,
    rank: int = 0,
    text_of: Callable[[SignalValue | None], str] = number.cell_text,
) -> Column[Model]:
    def cell(model: Model, _now: int) -> Span:
        value = _value_of(model, signal)
        text = text_of(value)
        if value is not None and has_limits(model, value):
            return Span(number.marked_text(text, width), Role.MUTED)
        return Span(text, Role.MUTED if text == NO_VALUE else Role.TEXT)

    def sort_key(model: Model) -> float | None:
        value = _value_of(model, signal)
        return None if value is None else value.value

    return Column(name, head, width, cell, right=True, rank=rank, by=sort_key)


def signal_column(name: str) -> Column[Model]:
    """A column for the signal of this name; without room, it is left out before default columns."""
    head = name.removesuffix("_utilization").removesuffix("_ratio").replace("_", " ")
    return _signal_column(name, head, max(6, len(head)), name, rank=6)


def _state(model: Model, _now: int) -> Span:
    return short_health_label(model.health)


def _health(model: Model, _now: int) -> Span:
    return health_label(model.health)


def _name(model: Model, _now: int) -> Span:
    return untrusted_text(model.facts.name, Role.STRONG)


def _name_key(model: Model) -> str:
    return model.facts.name.casefold()


def _kind_key(model: Model) -> str | None:
    return model.latest.kind if model.latest else None


def _kind(model: Model, _now: int) -> Span:
    return untrusted_text(_kind_key(model) or NO_VALUE, Role.MUTED)


def _since(model: Model, now: int) -> Span:
    return Span(age(model.since, now))


def _seen_at(model: Model) -> int | None:
    return model.latest.at if model.latest else None


def _seen(model: Model, now: int) -> Span:
    return Span(format_age_short(_seen_at(model), now), Role.MUTED)


def _why(model: Model, _now: int) -> Span:
    return untrusted_text(model.why, Role.MUTED if model.health is Health.OK else Role.TEXT)


MODEL_COLUMNS: Columns[Model] = (
    Column("state", "", 6, _state),
    Column("name", "model", 14, _name, most=40, by=_name_key),
    Column("kind", "kind", 8, _kind, most=12, rank=3, by=_kind_key),
    _signal_column("p50", "p50", 6, "latency_p50", rank=4),
    _signal_column("p95", "p95", 6, "latency_p95"),
    _signal_column("p99", "p99", 6, "latency_p99", rank=2),
    _signal_column("rate", "req/s", 5, "request_rate"),
    _signal_column("errors", "err", 5, "error_ratio"),
    _signal_column("saturation", "sat", 4, "saturation", rank=1, text_of=number.percent),
    _signal_column("availability", "avail", 5, "availability", rank=1),
    Column("seen", "seen", 4, _seen, right=True, by=_seen_at),
    Column("why", "why", 16, _why, most=80, rank=5),
)
"""The default columns of the models table, in their order."""

_DEFAULT_SIGNALS = (
    *("latency_p50", "latency_p95", "latency_p99", "request_rate"),
    *("error_ratio", "saturation", "availability"),
)
"""The signals of the default columns."""

SUMMARY_COLUMNS: Columns[Model] = (
    Column("health", "", 10, _health),
    Column("name", "model", 16, _name, most=24, by=_name_key),
    Column("since", "since", 6, _since, right=True, by=lambda model: model.since),
    Column("seen", "seen", 4, _seen, right=True, rank=1),
    Column("why", "why", 20, _why, most=400),
)
"""The columns of the models on the overview, in their order."""

_REQUIRED = "name"
"""The column that every table needs: it identifies the row."""


def choose_columns(names: Sequence[str]) -> tuple[Columns[Model], tuple[str, ...]]:
    """The columns with these names, and one problem in words for each of the first unknown names.

    The full name of every signal is a column's name. The model's name is always a column.
    Returns the default columns when no name is known.
    """
    known = {column.name: column for column in MODEL_COLUMNS}
    known |= {name: signal_column(name) for name in column_names() if name not in known}
    unknown = [name for name in names if name not in known][:MAX_LISTED]
    problems = tuple(_unknown_column_problem(name, list(known)) for name in unknown)
    chosen = [known[name] for name in dict.fromkeys(names) if name in known]
    if not chosen:
        return MODEL_COLUMNS, problems
    if not any(column.name == _REQUIRED for column in chosen):
        chosen.insert(0, known[_REQUIRED])
    return tuple(chosen), problems


def column_names() -> tuple[str, ...]:
    """The names of all columns that the configuration can choose, the default ones first."""
    default = tuple(column.name for column in MODEL_COLUMNS)
    return (*default, *(name for name in SIGNALS if name not in default))


def _unknown_column_problem(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    return f"console.columns: there is no column {clean(name, 40)!r}. {hint}"


class SortOrder(Struct, frozen=True):
    """The column to sort rows by, high values first unless `rising`.

    An empty `column` means worst health first.
    """

    column: str = ""
    rising: bool = False


def filter_and_sort(
    models: Iterable[Model], columns: Columns[Model], wanted: Filter, order: SortOrder
) -> tuple[Model, ...]:
    """The models that match a filter, sorted; those without a value come last in any order."""
    rows = sort_worst_first(filter_models(models, wanted))
    by = next((column.by for column in columns if column.name == order.column), None)
    if by is None:
        return rows
    values = [(by(model), model) for model in rows]
    known = [(value, model) for value, model in values if value is not None]
    known.sort(key=itemgetter(0), reverse=not order.rising)
    return (*(model for _, model in known), *(model for value, model in values if value is None))


def next_order(order: SortOrder, columns: Columns[Model], by: int) -> SortOrder:
    """The order by the next (`by` 1) or previous (-1) sortable column.

    Worst health first is one more order, between the last column and the first.
    """
    names = ["", *sortable_columns(columns)]
    here = names.index(order.column) if order.column in names else 0
    return SortOrder(names[(here + by) % len(names)])


def sortable_columns(columns: Iterable[Column[Model]]) -> tuple[str, ...]:
    """The names of the columns by which rows can be sorted."""
    return tuple(column.name for column in columns if column.by is not None)
