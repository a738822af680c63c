"""Change markers from an operator, another program, or the configuration of an endpoint."""

from collections.abc import Sequence
from contextlib import closing
from difflib import get_close_matches

from msgspec import Struct

from watchdeck.actions.actor import Actor
from watchdeck.actions.requests import ChangeRequest
from watchdeck.actions.transaction import ActionResult
from watchdeck.domain.board.change import (
    MAX_CHANGE_TEXT,
    REPORTED_KINDS,
    ChangeError,
    ChangeKind,
    ManyChangesError,
    Marker,
    read_change,
)
from watchdeck.domain.external.change_report import ChangeReport, change_time
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean
from watchdeck.redaction import redact
from watchdeck.store.files.connection import (
    Connection,
    open_readonly,
    open_writable,
    store_errors,
    transaction,
)
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.latest import read_facts
from watchdeck.store.state.audit import append_audit, count_recent
from watchdeck.store.state.changes import read_changes, record_change

REPEAT_PERIOD = 600_000
"""Milliseconds in which the same report without a time is a repeat: a sender tries again."""

MOST_REPORTED = 100
"""Reported changes of a model in an hour: more is a fault of the sender, and hides the others."""

_HOUR = 3_600_000
_MAX_NAME = 200
_MOST_NAMED = 10
_ACTION = "change add"
_INTAKE = Operator("intake")


class RecordedChange(Struct, frozen=True):
    """The number of a stored change, and whether it was stored before."""

    number: int
    is_repeat: bool


def mark_change(actor: Actor, request: ChangeRequest, now: int) -> ActionResult:
    """Store the change that a request describes. Raises ChangeError and StoreError."""
    at, marker = now if request.at is None else request.at, Marker(request.what, request.text)
    number = add_change(actor.directory, request.model, marker, at, actor.who, now)
    return ActionResult(f"change {number} of {request.model} marked", (number,))


def add_change(
    directory: StoreDirectory, endpoint: str, marker: Marker, at: int, who: Operator, now: int
) -> int:
    """Store a change made at `at` (ms UTC), with its audit row; returns its number.

    Raises ChangeError for an unknown endpoint, an empty or too long text, or a time after `now`.
    Raises StoreError.
    """
    text = clean(marker.text.strip())
    _refuse_bad(text, at, now)
    _refuse_unknown(endpoint, [facts.name for facts in _read_endpoints(directory)])
    with (
        closing(open_writable(directory.state)) as db,
        store_errors(directory.state),
        transaction(db),
    ):
        return _mark(db, endpoint, Marker(marker.what, text), at, (who, now))


def record_reported(
    db: Connection, directory: StoreDirectory, report: ChangeReport, now: int
) -> RecordedChange:
    """Store the change that another program reports, with its audit row, in one transaction.

    A repeat of the same report stores nothing. Raises ChangeError as `add_change` does, and for an
    unknown kind; ManyChangesError after `MOST_REPORTED` changes of a model in an hour. Raises
    PayloadError for a time that cannot be read, and StoreError.
    """
    marker, reported_at = _reported_marker(report), change_time(report, now)
    at = now if reported_at is None else reported_at
    _refuse_bad(marker.text, at, now)
    _refuse_unknown(report.model, [facts.name for facts in _read_endpoints(directory)])
    begin = at - REPEAT_PERIOD if reported_at is None else at
    with transaction(db):
        earlier = read_changes(db, begin, at + 1, report.model)
        for change in reversed(earlier):
            if (change.what, change.text, change.source) == (*_key(marker), str(_INTAKE)):
                return RecordedChange(change.id, is_repeat=True)
        _refuse_many(db, report.model, now)
        return RecordedChange(_mark(db, report.model, marker, at, (_INTAKE, now)), is_repeat=False)


def mark_configured(
    directory: StoreDirectory, fleet: Sequence[EndpointFacts], who: Operator, now: int
) -> int:
    """Record a change for each endpoint whose `change` text differs from the stored one.

    Call it before `fleet` is stored, which overwrites the stored texts. Skips new endpoints, and
    those without a `change` text. Returns how many changes were recorded.
    """
    before = {facts.name: facts.change for facts in _read_endpoints(directory)}
    moved = [one for one in fleet if one.change and one.change != before.get(one.name, one.change)]
    if moved:
        with (
            closing(open_writable(directory.state)) as db,
            store_errors(directory.state),
            transaction(db),
        ):
            for one in moved:
                _mark(db, one.name, read_change(one.change), now, (who, now), "config")
    return len(moved)


def _mark(
    db: Connection,
    endpoint: str,
    marker: Marker,
    at: int,
    entry: tuple[Operator, int],
    source: str = "",
) -> int:
    who, now = entry
    number = record_change(db, endpoint, at, marker.what, marker.text, source or str(who))
    after = {"id": number, "at": at, "what": marker.what, "text": marker.text}
    append_audit(db, now, who, _ACTION, endpoint, None, after)
    return number


def _reported_marker(report: ChangeReport) -> Marker:
    if report.what not in REPORTED_KINDS:
        kinds = ", ".join(REPORTED_KINDS)
        raise ChangeError(f"{clean(report.what, 40)!r} is not a kind of change; there are {kinds}.")
    return Marker(ChangeKind(report.what), clean(redact(report.text.strip())))


def _key(marker: Marker) -> tuple[str, str]:
    return marker.what.value, marker.text


def _read_endpoints(directory: StoreDirectory) -> tuple[EndpointFacts, ...]:
    with closing(open_readonly(directory.metrics)) as db, store_errors(directory.metrics):
        return read_facts(db)


def _refuse_bad(text: str, at: int, now: int) -> None:
    if not text:
        raise ChangeError("the text of a change is empty. Say what was changed.")
    if len(text) > MAX_CHANGE_TEXT:
        said = f"the text of a change is {len(text)} characters long; {MAX_CHANGE_TEXT} are kept."
        raise ChangeError(said)
    if at > now:
        raise ChangeError("a change cannot be in the future; mark it when it has happened.")


def _refuse_unknown(name: str, known: Sequence[str]) -> None:
    """Raise ChangeError with near names, for a name that no endpoint has."""
    if name in known:
        return
    # the comparison takes the square of a name's length
    near = get_close_matches(name[:_MAX_NAME], known, 3)
    listed = f"{', '.join(known[:_MOST_NAMED])}{', …' if len(known) > _MOST_NAMED else ''}"
    hint = (
        f"Did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"There are: {listed or 'none yet'}."
    )
    raise ChangeError(f"no model {clean(name, 80)!r} is watched. {hint}")


def _refuse_many(db: Connection, model: str, now: int) -> None:
    reported = count_recent(db, _ACTION, model, _INTAKE.user, now - _HOUR)
    if reported >= MOST_REPORTED:
        raise ManyChangesError(
            f"{reported} changes of {model} were reported in the last hour; at most"
            f" {MOST_REPORTED} are stored. Report each change once."
        )
