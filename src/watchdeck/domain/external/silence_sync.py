"""Silence synchronisation: every acknowledgement is also a silence in Alertmanager."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from watchdeck.domain.alerts.alert import UNDO_WINDOW, Acknowledgement
from watchdeck.domain.values.datetimes import read_rfc3339, write_rfc3339
from watchdeck.domain.values.text import clean

_END_TOLERANCE = 1_000
_MAX_COMMENT = 500


class RemoteSilence(Struct, frozen=True):
    """A silence in an Alertmanager, created by this store for the acknowledgement with that id."""

    id: str
    acknowledgement: int
    ends_at: int
    """In ms UTC."""


class SilenceChange(Struct, frozen=True):
    """One change to make in an Alertmanager: a silence body to post, or a silence id to end."""

    acknowledgement: int
    post: Mapping[str, Any] | None = None
    end: str = ""


def silence_comment(store: str, ack: Acknowledgement) -> str:
    """The comment of a silence: a prefix, the store, the acknowledgement's id and its note."""
    note = f": {ack.note}" if ack.note else ""
    return clean(f"{_comment_prefix(store)}{ack.id}{note}", _MAX_COMMENT)


def read_remote_silences(listed: object, store: str) -> Iterator[RemoteSilence]:
    """The unexpired silences of this store in a response to GET /api/v2/silences."""
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict) or not isinstance(one.get("status"), dict):
            continue
        text, number = str(one.get("comment", "")), 0
        if text.startswith(_comment_prefix(store)):
            digits = text.removeprefix(_comment_prefix(store)).partition(":")[0]
            number = int(digits) if digits.isdecimal() and len(digits) < 16 else 0
        if number and one["status"].get("state") != "expired":
            ends_at = read_rfc3339(one.get("endsAt")) or 0
            yield RemoteSilence(str(one.get("id", "")), number, ends_at)


def plan_changes(
    store: str,
    acknowledgements: Mapping[str, Acknowledgement],
    labels: Mapping[str, dict[str, str]],
    remote: Iterable[RemoteSilence],
    now: int,
) -> tuple[SilenceChange, ...]:
    """The changes that make the `remote` silences match the acknowledgements.

    `acknowledgements` and `labels` are by alert fingerprint. `labels` has only the alerts that the
    source lists now; others cannot be silenced.
    """
    known = {one.acknowledgement: one for one in remote}
    wanted = {ack.id for ack in acknowledgements.values()}
    ended = tuple(
        SilenceChange(one.acknowledgement, end=one.id)
        for one in remote
        if one.acknowledgement not in wanted
    )
    return ended + tuple(
        SilenceChange(
            ack.id, post=_silence_body(store, ack, labels[identity], known.get(ack.id), now)
        )
        for identity, ack in acknowledgements.items()
        if identity in labels and _is_due(ack, known.get(ack.id), now)
    )


def _is_due(ack: Acknowledgement, remote: RemoteSilence | None, now: int) -> bool:
    if now >= ack.expires_at:
        return False
    if remote is not None:
        return abs(remote.ends_at - ack.expires_at) > _END_TOLERANCE
    return now >= ack.at + UNDO_WINDOW


def _silence_body(
    store: str, ack: Acknowledgement, labels: dict[str, str], remote: RemoteSilence | None, now: int
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "matchers": [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in sorted(labels.items())
        ],
        "startsAt": write_rfc3339(now),
        "endsAt": write_rfc3339(ack.expires_at),
        "createdBy": clean(ack.by, 200),
        "comment": silence_comment(store, ack),
    }
    return body if remote is None else body | {"id": remote.id}


def _comment_prefix(store: str) -> str:
    return f"watchdeck {store} ack "
