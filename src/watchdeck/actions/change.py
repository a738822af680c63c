"""Change markers from an operator, or from the `change` text of an endpoint's configuration."""

from collections.abc import Sequence
from contextlib import closing
from difflib import get_close_matches

from watchdeck.actions.actor import Actor
from watchdeck.actions.requests import ChangeRequest
from watchdeck.actions.transaction import ActionResult
from watchdeck.domain.board.change import Marker, read_change
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.operator import Operator
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError
from watchdeck.store.files.connection import (
    Connection,
    open_readonly,
    open_writable,
    store_errors,
    transaction,
)
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.latest import read_facts
from watchdeck.store.state.audit import append_audit
from watchdeck.store.state.changes import record_change

LONGEST = 200
"""Maximum number of characters of a marker's text, which is shown on one line."""


class ChangeError(WatchdeckError):
    """A change that cannot be stored; the text says why."""

    exit_code = 2


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
    append_audit(db, now, who, "change add", endpoint, None, after)
    return number


def _read_endpoints(directory: StoreDirectory) -> tuple[EndpointFacts, ...]:
    with closing(open_readonly(directory.metrics)) as db, store_errors(directory.metrics):
        return read_facts(db)


def _refuse_bad(text: str, at: int, now: int) -> None:
    if not text:
        raise ChangeError("the text of a change is empty. Say what was changed.")
    if len(text) > LONGEST:
        said = f"the text of a change is {len(text)} characters long; {LONGEST} are kept."
        raise ChangeError(said)
    if at > now:
        raise ChangeError("a change cannot be in the future; mark it when it has happened.")


def _refuse_unknown(name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known) or 'none yet'}."
    raise ChangeError(f"no model {clean(name, 80)!r} is watched. {hint}")
