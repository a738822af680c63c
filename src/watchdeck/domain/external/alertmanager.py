"""Bodies that other systems send, taken apart into events; whatever they hold, within bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.external.event import ExternalEvent, Status, event_key, fingerprint
from watchdeck.domain.values.rfc3339 import read_moment
from watchdeck.domain.values.severity import Severity
from watchdeck.domain.values.text import clean

MOST = 5_000
"""Alerts of one body: Prometheus sends 64, and a fleet in flames a few thousand."""

MOST_LISTED = 10_000
"""Alerts of one list: two seconds of work on a thread of its own."""

SKEW = 60_000
"""Milliseconds that a clock may be ahead of ours before it is called wrong."""

RESENT = 16 * 60_000
"""Milliseconds after which Prometheus says nothing more of an alert that is over (15 minutes)."""

_MOST_LABELS = 64
_NAME, _VALUE, _LINK = 200, 1_024, 2_048
_HASHED = 64 << 10
"""Characters of labels of which a fingerprint is made byte by byte (10 ms)."""

_FINGERPRINT = re.compile(r"[0-9A-Za-z_.:-]{1,64}", re.ASCII)
_MODEL = ("model", "model_name", "endpoint")

_SEVERITIES = {
    Severity.CRITICAL: "1 p1 sev1 s1 critical crit page emergency fatal disaster",
    Severity.HIGH: "2 p2 sev2 s2 high error major urgent",
    Severity.MEDIUM: "3 p3 sev3 s3 medium warning warn minor average",
    Severity.LOW: "4 p4 sev4 s4 5 p5 low info information informational notice debug none ok",
}
_SEVERITY = {word: severity for severity, words in _SEVERITIES.items() for word in words.split()}


class PayloadError(ValueError):
    """A body that cannot be taken; the text says why, and what would work."""


class TooManyError(PayloadError):
    """A body with more alerts than are taken at once."""


class ParsedPayload(Struct, frozen=True):
    """What a body said: its events, and what it says that it left out.

    `unread` alerts could not be read, and `left_out` were not in the body.
    """

    events: tuple[ExternalEvent, ...]
    unread: int = 0
    left_out: int = 0


def severity_of(labels: Mapping[str, str]) -> Severity:
    """How bad an alert is by its labels; one that does not say counts as high: unsure is higher."""
    said = labels.get("severity") or labels.get("priority") or labels.get("level") or ""
    return _SEVERITY.get(said.strip().lower(), Severity.HIGH)


def read_webhook(
    body: bytes, source: str, now: int, known: Mapping[str, str] | None = None
) -> ParsedPayload:
    """The events of an Alertmanager webhook of version 4. Raises SayingError.

    `known` names sources by what they call themselves, without a slash at its end.
    """
    told = parse_json(body)
    if not isinstance(told, dict) or not isinstance(told.get("alerts"), list):
        raise PayloadError("the body is no Alertmanager webhook; it has no list of alerts")
    left_out, by = told.get("truncatedAlerts"), _text(told.get("externalURL"), _LINK)
    source = (known or {}).get(by.rstrip("/"), source)
    said = _read(told["alerts"], lambda one: _hooked(one, told.get("status"), source, now))
    return replace(
        said,
        left_out=left_out if isinstance(left_out, int) and left_out > 0 else 0,
    )


def read_posted(body: bytes, source: str, now: int) -> ParsedPayload:
    """The events of a POST to /api/v2/alerts, as Prometheus sends it. Raises SayingError.

    It has no word for a resolve but an end in the past. Prometheus says that for 15 minutes: an end
    before is a clock that is behind, and the alert fires.
    """
    return _read(_list(body), lambda one: _posted(one, source, now))


def read_listed(body: bytes, source: str, now: int) -> ParsedPayload:
    """The events of an answer to GET /api/v2/alerts: all that fires now. Raises SayingError."""
    return _read(_list(body), lambda one: _listed(one, source, now), MOST_LISTED)


def parse_json(body: bytes) -> Any:
    """The JSON of a body. Raises SayingError."""
    try:
        return json.loads(body)
    except RecursionError:
        raise PayloadError("the body is nested too deeply") from None
    except ValueError:
        raise PayloadError("the body is not JSON") from None


def event_from_alert(
    one: Mapping[str, Any], status: Status, source: str, now: int
) -> ExternalEvent:
    """The event of one alert with `labels`, `annotations`, `startsAt` and `endsAt` as Go writes.

    Raises SayingError when it has no labels.
    """
    if not isinstance(one, dict) or not isinstance(one.get("labels"), dict):
        raise PayloadError("an alert has no labels")
    raw = {name: word for name, value in one["labels"].items() if (word := _word(value))}
    labels, cut = clean_labels(raw)
    annotations, also_cut = clean_labels(one.get("annotations"))
    told, ends_at = read_moment(one.get("startsAt")), read_moment(one.get("endsAt"))
    severity, ahead = severity_of(labels), now + SKEW
    over = status is Status.RESOLVED
    identity = _identity(one.get("fingerprint"), raw)
    link = _text(one.get("generatorURL"), _LINK)
    return ExternalEvent(
        key=event_key(source, identity, told or now, status, severity, over and ends_at),
        source=source,
        fingerprint=identity,
        rule=labels.get("alertname") or "(an alert without a name)",
        model=next((labels[name] for name in _MODEL if labels.get(name)), ""),
        severity=severity,
        status=status,
        received_at=now,
        starts_at=now if told is None else min(told, now),
        told=told or 0,
        ends_at=_end(ends_at, now) if over else ends_at,
        updated_at=read_moment(one.get("updatedAt")),
        sender=_origin(link),
        link=link,
        labels=labels,
        annotations=annotations,
        clock_skewed=max(told or 0, (ends_at or 0) if over else 0) > ahead
        or (not over and ends_at is not None and ends_at <= now),
        truncated=cut or also_cut,
    )


def clean_labels(raw: object) -> tuple[dict[str, str], bool]:
    """Names and values made safe and short, and whether anything was too long or too much."""
    if not isinstance(raw, dict):
        return {}, False
    kept = [(name, _word(value)) for name, value in list(raw.items())[:_MOST_LABELS]]
    cut = len(raw) > _MOST_LABELS or any(
        len(name) > _NAME or len(value) > _VALUE for name, value in kept
    )
    return {clean(name, _NAME): clean(value, _VALUE) for name, value in kept}, cut


def _end(ends_at: int | None, now: int) -> int:
    return now if ends_at is None else min(ends_at, now)


def _hooked(one: Any, of_all: object, source: str, now: int) -> ExternalEvent:
    status = one.get("status", of_all) if isinstance(one, dict) else of_all
    return event_from_alert(
        one, Status.RESOLVED if status == "resolved" else Status.FIRING, source, now
    )


def _posted(one: Any, source: str, now: int) -> ExternalEvent:
    ends_at = read_moment(one.get("endsAt")) if isinstance(one, dict) else None
    over = ends_at is not None and now - RESENT <= ends_at <= now
    event = event_from_alert(one, Status.RESOLVED if over else Status.FIRING, source, now)
    return replace(event, updated_at=now)


def _listed(one: Any, source: str, now: int) -> ExternalEvent:
    event = event_from_alert(one, Status.FIRING, source, now)
    status = one.get("status")
    return replace(event, suppressed_by=tuple(_suppressors(status)) if status else ())


def _suppressors(status: object) -> Iterator[str]:
    """Who keeps an alert quiet at its source; the source's own word where it names nobody."""
    if not isinstance(status, dict) or status.get("state") != "suppressed":
        return
    named = False
    for key, word in (("silencedBy", "silence"), ("inhibitedBy", "alert"), ("mutedBy", "interval")):
        listed = status.get(key)
        for one in listed[:8] if isinstance(listed, list) else ():
            named = True
            yield f"{word} {_text(one, 80)}"
    if not named:
        yield "its source"


def _list(body: bytes) -> list[Any]:
    told = parse_json(body)
    if not isinstance(told, list):
        raise PayloadError("the body is no list of alerts")
    return told


def _read(
    alerts: list[Any], read: Callable[[Any], ExternalEvent], most: int = MOST
) -> ParsedPayload:
    if len(alerts) > most:
        raise TooManyError(f"the body has {len(alerts)} alerts; at most {most} are taken at once")
    events = tuple(replace(one, turn=n) for n, one in enumerate(_readable(alerts, read)))
    return ParsedPayload(events, len(alerts) - len(events))


def _readable(
    alerts: Iterable[Any], read: Callable[[Any], ExternalEvent]
) -> Iterator[ExternalEvent]:
    for one in alerts:
        try:
            yield read(one)
        except PayloadError:
            continue


def _identity(told: object, labels: Mapping[str, str]) -> str:
    if isinstance(told, str) and _FINGERPRINT.fullmatch(told):
        return told
    if sum(len(name) + len(value) for name, value in labels.items()) > _HASHED:
        return event_key(sorted(labels.items()))[:16]
    return fingerprint(labels)


def _word(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | int | float) else "(no text)"


def _text(value: object, limit: int) -> str:
    return clean(value, limit) if isinstance(value, str) else ""


def _origin(link: str) -> str:
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
