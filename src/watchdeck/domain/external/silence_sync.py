"""Mirroring: who has an alert here silences it there, for as long, and not a moment longer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from watchdeck.domain.alerts.alert import Acknowledgement
from watchdeck.domain.values.rfc3339 import read_moment, write_moment
from watchdeck.domain.values.text import clean

GRACE = 10_000
"""Milliseconds in which an acknowledgement can be taken back, and nobody else is told."""

_TOLERANCE = 1_000
_LONGEST = 500


class RemoteSilence(Struct, frozen=True):
    """A silence that this watchdeck made in an Alertmanager: for which acknowledgement, till when.

    `ends_at` is in ms UTC.
    """

    id: str
    acknowledgement: int
    ends_at: int


class SilenceChange(Struct, frozen=True):
    """What is to be done there: a body to post, or the silence to end."""

    acknowledgement: int
    post: Mapping[str, Any] | None = None
    end: str = ""


def comment(store: str, ack: Acknowledgement) -> str:
    """The comment by which a silence is known again, and read by those who look there."""
    note = f": {ack.note}" if ack.note else ""
    return clean(f"{_mark(store)}{ack.id}{note}", _LONGEST)


def silences_there(listed: object, store: str) -> Iterator[RemoteSilence]:
    """The silences of this store in an answer to GET /api/v2/silences, those that are not over."""
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict) or not isinstance(one.get("status"), dict):
            continue
        said, number = str(one.get("comment", "")), 0
        if said.startswith(_mark(store)):
            digits = said.removeprefix(_mark(store)).partition(":")[0]
            number = int(digits) if digits.isdecimal() and len(digits) < 16 else 0
        if number and one["status"].get("state") != "expired":
            ends_at = read_moment(one.get("endsAt")) or 0
            yield RemoteSilence(str(one.get("id", "")), number, ends_at)


def plan_changes(
    store: str,
    mine: Mapping[str, Acknowledgement],
    labels: Mapping[str, dict[str, str]],
    there: Iterable[RemoteSilence],
    now: int,
) -> tuple[SilenceChange, ...]:
    """What makes the silences there those that should be.

    `mine` are the acknowledgements of the source's alerts by fingerprint, `labels` those of the
    alerts as the source itself writes them. Only what it still lists can be silenced.
    """
    known = {one.acknowledgement: one for one in there}
    wanted = {ack.id for ack in mine.values()}
    ended = tuple(
        SilenceChange(one.acknowledgement, end=one.id)
        for one in there
        if one.acknowledgement not in wanted
    )
    return ended + tuple(
        SilenceChange(ack.id, post=_body(store, ack, labels[identity], known.get(ack.id), now))
        for identity, ack in mine.items()
        if identity in labels and _is_due(ack, known.get(ack.id), now)
    )


def _is_due(ack: Acknowledgement, there: RemoteSilence | None, now: int) -> bool:
    if now >= ack.expires_at:
        return False
    if there is not None:
        return abs(there.ends_at - ack.expires_at) > _TOLERANCE
    return now >= ack.at + GRACE


def _body(
    store: str, ack: Acknowledgement, labels: dict[str, str], there: RemoteSilence | None, now: int
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "matchers": [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in sorted(labels.items())
        ],
        "startsAt": write_moment(now),
        "endsAt": write_moment(ack.expires_at),
        "createdBy": clean(ack.by, 200),
        "comment": comment(store, ack),
    }
    return body if there is None else body | {"id": there.id}


def _mark(store: str) -> str:
    return f"watchdeck {store} ack "
