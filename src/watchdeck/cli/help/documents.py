"""The reference of JSON, generated from the types from which each document is built."""

from collections.abc import Iterator
from typing import Any, get_type_hints

from msgspec import Struct

from watchdeck.cli.alerts.output import AlertsDocument
from watchdeck.cli.help.docstrings import field_docstrings, summary
from watchdeck.cli.help.layout import Entry, Reference, Section
from watchdeck.cli.help.type_words import (
    choices_of,
    entry_type,
    item_type,
    listed,
    options_of,
    table_type,
    type_words,
)
from watchdeck.cli.models.board_output import BoardDocument
from watchdeck.cli.rules.coverage import RuleDocument
from watchdeck.cli.rules.replay_output import RuleReplayDocument
from watchdeck.cli.rules.stats_output import RuleStatsDocument
from watchdeck.cli.setup.check_report import CheckDocument
from watchdeck.domain.external.change_report import ChangeReport
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.metrics.signal import OUTCOME_COLUMN, SIGNALS, frame_columns
from watchdeck.domain.notifications.outbox import AlertPayload


class NotificationDocument(Struct, frozen=True):
    """The data of a notification."""

    title: str
    """One line: the first alert, and the number of the others."""
    severity: int
    """Severity of the worst alert, 1 to 4, 1 the worst."""
    alerts: list[AlertPayload]
    """Alerts, worst and oldest first, 100 at most."""
    more: int
    """Number of further alerts, which are not listed."""


class CloudEventDocument(Struct, frozen=True):
    """What a webhook is sent, and what a command reads on its standard input: a CloudEvent."""

    specversion: str
    """Always `1.0`."""
    id: str
    """Id of the notification, the same for every attempt; also the header `idempotency-key`."""
    source: str
    """`/watchdeck/HOST` of the collector; identifies the notification together with `id`."""
    type: str
    """`dev.watchdeck.alert.CLASS.v1`: firing, reminder, resolved, acknowledged, unacknowledged,
    test. A `test` is about no alert."""
    subject: str
    """Numbers of the episodes, with commas between; `id` when there is none."""
    time: str
    """When the oldest message was made, as RFC 3339 text."""
    datacontenttype: str
    """Always `application/json`."""
    data: NotificationDocument
    """The notification."""


DOCUMENTS: dict[str, tuple[str, type[Struct]]] = {
    "status": ("watchdeck status --json, watchdeck demo --once --json", BoardDocument),
    "alerts": ("watchdeck alerts --json", AlertsDocument),
    "check": ("watchdeck check --json", CheckDocument),
    "rules.list": ("watchdeck rules list --json: a list, each entry of which is", RuleDocument),
    "rules.test": ("watchdeck rules test NAME --json", RuleReplayDocument),
    "rules.stats": ("watchdeck rules stats --json", RuleStatsDocument),
    "webhook": ("Channels of the types webhook and command", CloudEventDocument),
    "changes": ("POST /changes of the intake, which watchdeck reads", ChangeReport),
}
"""The documents that are built from types: by section, the command or channel, and the type."""

_ROW = {
    "at": "whole number. Time of the scrape in ms UTC.",
    "time": "time. The same as ISO 8601 text in UTC, to the millisecond.",
    "endpoint": "text. Name of the endpoint.",
}

_DETAILS = {
    "low": ". Lower bound of {signal}; null when open or not known.",
    "high": ". Upper bound of {signal}; null when open or not known.",
    "window": ", in s. Length of the window whose events {signal} counts.",
    "events": ". Number of events that {signal} counts.",
}
"""The texts of the columns beside the value of a signal, by the end of the column's name."""

SERIES_ROW = {
    **_ROW,
    "series": "text. Name and labels of the series, as on the metrics page.",
    "value": "number or null. Value of the series; null when the page had none.",
}
"""The fields of a line of exported series."""


def reference() -> Reference:
    """The reference of JSON documents."""
    return Reference(
        "watchdeck help json: JSON that watchdeck prints, sends or reads",
        (
            (
                "Fields are never renamed; new ones may be added. Times are ISO 8601 text in UTC,"
                " such as 2026-11-23T05:00:00Z. A field that watchdeck cannot fill is null or"
                " absent, as its line says: never 0. [] stands for each entry of a list, NAME for"
                " each key of a table."
            ),
        ),
        (
            *(_section(name, title, of) for name, (title, of) in DOCUMENTS.items()),
            _row_section("export.signals", "signals", signal_row()),
            _row_section("export.series", "series", SERIES_ROW),
        ),
    )


def _section(name: str, title: str, of: type[Struct]) -> Section:
    return Section((name,), title, (summary(of),), tuple(_entries(of, "")))


def _entries(of: type[Struct], path: str) -> Iterator[Entry]:
    """An entry for each field, with the fields of an inner table below it."""
    hints, means = get_type_hints(of), field_docstrings(of)
    for name, written in zip(of.__struct_fields__, of.__struct_encode_fields__, strict=True):
        hint, at = hints[name], f"{path}{written}"
        words = _field_text(hint, has_null=not of.__struct_config__.omit_defaults)
        yield Entry(at, (f"{words}. {means.get(name, '')}".strip(),), at)
        inner, suffix = _inner_table(hint)
        if inner is not None:
            yield from _entries(inner, f"{at}{suffix}.")


def _field_text(hint: Any, *, has_null: bool) -> str:
    """The type of a field; without `has_null`, a field is absent where it would be null."""
    choices = choices_of(hint)
    words = type_words(hint) if has_null else type_words(hint).removesuffix(" or null")
    return f"{words}, one of {listed(choices)}" if choices else words


def _inner_table(hint: Any) -> tuple[type[Struct] | None, str]:
    """The type of table inside a field, and what stands for its place: `[]`, `.NAME` or nothing."""
    for option in options_of(hint):
        if (entry := entry_type(option)) is not None:
            return table_type(entry), ".NAME"
        if item_type(option) is not None:
            return table_type(option), "[]"
    return table_type(hint), ""


def signal_row() -> dict[str, str]:
    """The fields of a line of exported signals, with their texts."""
    columns = frame_columns(tuple(SIGNALS))
    return {**_ROW, **{name: _column_text(name) for name in columns}}


def _column_text(name: str) -> str:
    if name == OUTCOME_COLUMN:
        return f"text or null, one of {listed(Outcome)}. How the scrape ended."
    signal, _, detail = name.partition(".")
    if detail:
        return f"number or null{_DETAILS[detail].format(signal=signal)}"
    means = SIGNALS[signal].means
    return f"number or null, in {SIGNALS[signal].unit}. {means[:1].upper()}{means[1:]}."


def _row_section(name: str, stream: str, row: dict[str, str]) -> Section:
    return Section(
        (name,),
        f"watchdeck export --format jsonl --stream {stream}: one object a line",
        ('Infinite numbers are the texts "Infinity" and "-Infinity".',),
        tuple(Entry(field, (text,), field) for field, text in row.items()),
    )
