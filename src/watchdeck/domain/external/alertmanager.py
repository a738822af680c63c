"""Parsers of Alertmanager and Prometheus payloads into events, with limits for hostile bodies."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.external.event import ExternalEvent, Status, event_key, fingerprint
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.datetimes import read_rfc3339
from watchdeck.domain.values.host_address import has_long_authority
from watchdeck.domain.values.text import clean

MAX_ALERTS = 5_000
"""The most alerts of one body: Prometheus sends 64, in a fleet-wide outage a few thousand."""

MAX_LISTED_ALERTS = 10_000
"""The most alerts of one list; parsing so many takes two seconds, on a thread of its own."""

MAX_CLOCK_SKEW = 60_000
"""Time (ms) by which a sender's clock may be ahead of ours before it counts as wrong."""

RESOLVE_REPEAT_PERIOD = 16 * 60_000
"""Time (ms) for which Prometheus repeats a resolve: 15 minutes, here with one to spare."""

_MAX_LABELS = 64
_MAX_PEERS = 32
_MAX_PAGE = 4 << 20
_RECEIVED = b"alertmanager_alerts_received_total"
_NAME, _VALUE, _LINK = 200, 1_024, 2_048
_MAX_HASHED = 64 << 10
"""Characters of labels that are hashed byte by byte for a fingerprint (10 ms)."""

_FINGERPRINT = re.compile(r"[0-9A-Za-z_.:-]{1,64}", re.ASCII)
_MODEL_LABELS = ("model", "model_name")

_SEVERITY_WORDS = {
    Severity.CRITICAL: "1 p1 sev1 s1 critical crit page emergency fatal disaster",
    Severity.HIGH: "2 p2 sev2 s2 high error major urgent",
    Severity.MEDIUM: "3 p3 sev3 s3 medium warning warn minor average",
    Severity.LOW: "4 p4 sev4 s4 5 p5 low info information informational notice debug none ok",
}
_SEVERITY_OF_WORD = {
    word: severity for severity, words in _SEVERITY_WORDS.items() for word in words.split()
}


class PayloadError(ValueError):
    """An HTTP body of alerts that cannot be parsed; the text says why, and what would work."""


class TooManyError(PayloadError):
    """An HTTP body with too many alerts."""


class ParsedPayload(Struct, frozen=True):
    """The events in a body, and how many alerts were unreadable, or left out by the sender."""

    events: tuple[ExternalEvent, ...]
    unreadable: int = 0
    truncated: int = 0


def severity_of(labels: Mapping[str, str]) -> Severity:
    """The severity in the label `severity`, `priority` or `level`; HIGH when none is known."""
    word = labels.get("severity") or labels.get("priority") or labels.get("level") or ""
    return _SEVERITY_OF_WORD.get(word.strip().lower(), Severity.HIGH)


def read_webhook(
    body: bytes, source: str, now: int, known: Mapping[str, str] | None = None
) -> ParsedPayload:
    """Parse an Alertmanager webhook of version 4. Raises PayloadError.

    `known` maps the external URL of an Alertmanager, without its final slash, to the name of its
    source; other URLs get the name `source`.
    """
    payload = parse_json(body)
    if not isinstance(payload, dict) or not isinstance(payload.get("alerts"), list):
        raise PayloadError("the body is not an Alertmanager webhook; it has no list of alerts")
    status, cut = payload.get("status"), payload.get("truncatedAlerts")
    url = _clean_text(payload.get("externalURL"), _LINK)
    source = (known or {}).get(url.rstrip("/"), source)
    parsed = _parse_alerts(payload["alerts"], lambda one: _webhook_event(one, status, source, now))
    return replace(parsed, truncated=cut if isinstance(cut, int) and cut > 0 else 0)


def read_post(body: bytes, source: str, now: int) -> ParsedPayload:
    """Parse a POST to /api/v2/alerts, as Prometheus sends it. Raises PayloadError.

    An alert that ended in the last `RESOLVE_REPEAT_PERIOD` is resolved. One that ended earlier
    fires: Prometheus does not repeat older resolves, so the sender's clock must be slow.
    """
    return _parse_alerts(_parse_list(body), lambda one: _post_event(one, source, now))


def read_list(body: bytes, source: str, now: int) -> ParsedPayload:
    """Parse a response to GET /api/v2/alerts, a list of all firing alerts. Raises PayloadError."""
    return _parse_alerts(
        _parse_list(body), lambda one: _list_event(one, source, now), MAX_LISTED_ALERTS
    )


def read_peers(status: object) -> tuple[str, ...]:
    """The names of the members of a cluster in a response to GET /api/v2/status; none alone."""
    cluster = status.get("cluster") if isinstance(status, dict) else None
    listed = cluster.get("peers") if isinstance(cluster, dict) else None
    peers = [one for one in listed[:_MAX_PEERS] if isinstance(one, dict)] if listed else []
    return tuple(sorted(filter(None, (_clean_text(one.get("name"), 80) for one in peers))))


def read_received(page: bytes) -> int | None:
    """How many alerts an Alertmanager received since its start, by its page; None when unknown."""
    lines = page[:_MAX_PAGE].split(b"\n")
    texts = [line.rpartition(b" ")[2] for line in lines if line.startswith(_RECEIVED)]
    try:
        return round(sum(float(text) for text in texts)) if texts else None
    except (ValueError, OverflowError):
        return None


def parse_json(body: bytes) -> Any:
    """Parse a JSON body. Raises PayloadError."""
    try:
        return json.loads(body)
    except RecursionError:
        raise PayloadError("the body is nested too deeply") from None
    except ValueError:
        raise PayloadError("the body is not JSON") from None


def event_from_alert(
    one: Mapping[str, Any], status: Status, source: str, now: int
) -> ExternalEvent:
    """Make an event of one alert in Alertmanager's JSON. Raises PayloadError without labels."""
    if not isinstance(one, dict) or not isinstance(one.get("labels"), dict):
        raise PayloadError("an alert has no labels")
    raw = {name: word for name, value in one["labels"].items() if (word := _label_text(value))}
    labels, cut = clean_labels(raw)
    annotations, also_cut = clean_labels(one.get("annotations"))
    start, ends_at = read_rfc3339(one.get("startsAt")), read_rfc3339(one.get("endsAt"))
    severity, ahead = severity_of(labels), now + MAX_CLOCK_SKEW
    over = status is Status.RESOLVED
    identity = _read_fingerprint(one.get("fingerprint"), raw)
    link = _clean_text(one.get("generatorURL"), _LINK)
    return ExternalEvent(
        key=event_key(source, identity, start or now, status, severity, over and ends_at),
        source=source,
        fingerprint=identity,
        rule=labels.get("alertname") or "(an alert without a name)",
        model=next((labels[name] for name in _MODEL_LABELS if labels.get(name)), ""),
        severity=severity,
        status=status,
        received_at=now,
        starts_at=now if start is None else min(start, now),
        told=start or 0,
        ends_at=min(now if ends_at is None else ends_at, now) if over else ends_at,
        updated_at=read_rfc3339(one.get("updatedAt")),
        sender=_origin_of(link),
        link=link,
        labels=labels,
        annotations=annotations,
        clock_skewed=max(start or 0, (ends_at or 0) if over else 0) > ahead
        or (not over and ends_at is not None and ends_at <= now),
        truncated=cut or also_cut,
    )


def clean_labels(raw: object) -> tuple[dict[str, str], bool]:
    """Labels or annotations, cleaned and cut to limits, and whether any of them was cut."""
    if not isinstance(raw, dict):
        return {}, False
    kept = [(name, _label_text(value)) for name, value in list(raw.items())[:_MAX_LABELS]]
    cut = len(raw) > _MAX_LABELS or any(
        len(name) > _NAME or len(value) > _VALUE for name, value in kept
    )
    return {clean(name, _NAME): clean(value, _VALUE) for name, value in kept}, cut


def _webhook_event(one: Any, of_all: object, source: str, now: int) -> ExternalEvent:
    status = one.get("status", of_all) if isinstance(one, dict) else of_all
    is_over = status == "resolved"
    return event_from_alert(one, Status.RESOLVED if is_over else Status.FIRING, source, now)


def _post_event(one: Any, source: str, now: int) -> ExternalEvent:
    ends_at = read_rfc3339(one.get("endsAt")) if isinstance(one, dict) else None
    over = ends_at is not None and now - RESOLVE_REPEAT_PERIOD <= ends_at <= now
    event = event_from_alert(one, Status.RESOLVED if over else Status.FIRING, source, now)
    return replace(event, updated_at=now)


def _list_event(one: Any, source: str, now: int) -> ExternalEvent:
    event = event_from_alert(one, Status.FIRING, source, now)
    status = one.get("status")
    return replace(event, suppressed_by=tuple(_suppressors(status)) if status else ())


def _suppressors(status: object) -> Iterator[str]:
    """The names of what mutes an alert at its source: `silence ID`, `alert ID`, or `its source`."""
    if not isinstance(status, dict) or status.get("state") != "suppressed":
        return
    named = False
    for key, word in (("silencedBy", "silence"), ("inhibitedBy", "alert"), ("mutedBy", "interval")):
        listed = status.get(key)
        for one in listed[:8] if isinstance(listed, list) else ():
            named = True
            yield f"{word} {_clean_text(one, 80)}"
    if not named:
        yield "its source"


def _parse_list(body: bytes) -> list[Any]:
    payload = parse_json(body)
    if not isinstance(payload, list):
        raise PayloadError("the body is not a list of alerts")
    return payload


def _parse_alerts(
    alerts: list[Any], read: Callable[[Any], ExternalEvent], most: int = MAX_ALERTS
) -> ParsedPayload:
    if len(alerts) > most:
        raise TooManyError(f"the body has {len(alerts)} alerts; at most {most} are taken at once")
    events: list[ExternalEvent] = []
    for one in alerts:
        with suppress(PayloadError):
            events.append(replace(read(one), turn=len(events)))
    return ParsedPayload(tuple(events), len(alerts) - len(events))


def _read_fingerprint(given: object, labels: Mapping[str, str]) -> str:
    if isinstance(given, str) and _FINGERPRINT.fullmatch(given):
        return given
    if sum(len(name) + len(value) for name, value in labels.items()) > _MAX_HASHED:
        return event_key(sorted(labels.items()))[:16]
    return fingerprint(labels)


def _label_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | int | float) else "(no text)"


def _clean_text(value: object, limit: int) -> str:
    return clean(value, limit) if isinstance(value, str) else ""


def _origin_of(link: str) -> str:
    """Scheme, host and port of a link; empty when it has none."""
    if has_long_authority(link):
        return ""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
