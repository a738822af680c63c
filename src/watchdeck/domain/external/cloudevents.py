"""CloudEvents 1.0 that tell of an alert, in one body or in headers, as events of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from watchdeck.domain.external.alertmanager import (
    MOST,
    ParsedPayload,
    PayloadError,
    TooManyError,
    event_from_alert,
    parse_json,
)
from watchdeck.domain.external.event import ExternalEvent, Status, event_key
from watchdeck.domain.values.text import clean

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_NEEDED = ("specversion", "id", "source", "type")
_LONGEST = 1_024

_FIRING = (
    "firing fired alerting active open opened trigger triggered page paged worse reopened"
    " flapping no_data reminder escalated acknowledged unacknowledged"
)
_RESOLVED = "resolved resolve ok closed cleared recovered"
_STATUS = dict.fromkeys(_FIRING.split(), Status.FIRING) | dict.fromkeys(
    _RESOLVED.split(), Status.RESOLVED
)


def read_cloud_events(
    body: bytes, headers: Mapping[str, str], source: str, now: int
) -> ParsedPayload:
    """The events in a body: structured, a batch, or one whose attributes are `ce-` headers.

    Header names are in lower case. Raises SayingError.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == BATCH:
        listed = parse_json(body)
        if not isinstance(listed, list):
            raise PayloadError("the batch is no list of events")
        if len(listed) > MOST:
            raise TooManyError(f"the batch has {len(listed)} events; at most {MOST} are taken")
        events = (_structured(one, source, now) for one in listed)
        return ParsedPayload(tuple(replace(one, turn=n) for n, one in enumerate(events)))
    if kind == STRUCTURED or "ce-specversion" not in headers:
        return ParsedPayload((_structured(parse_json(body), source, now),))
    attributes = {
        name.removeprefix("ce-"): unquote(value)
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    return ParsedPayload((_event(attributes, parse_json(body) if body else {}, source, now),))


def _structured(told: object, source: str, now: int) -> ExternalEvent:
    if not isinstance(told, dict):
        raise PayloadError("the event is no JSON object")
    data = told.get("data", {})
    if "data_base64" in told:
        raise PayloadError("the event has its data in base64; send it as JSON")
    return _event(told, data, source, now)


def _event(attributes: Mapping[str, Any], data: object, source: str, now: int) -> ExternalEvent:
    missing = [name for name in _NEEDED if not _attribute(attributes, name)]
    if missing:
        raise PayloadError(f"the event has no {' and no '.join(missing)}")
    if _attribute(attributes, "specversion") != "1.0":
        raise PayloadError("the event is of another version of CloudEvents; send 1.0")
    told = data if isinstance(data, dict) else {}
    by, subject = _attribute(attributes, "source"), _attribute(attributes, "subject")
    event = event_from_alert(
        _alert(told, by, subject, attributes), _status(attributes, told), source, now
    )
    if subject and "fingerprint" not in told:
        event = replace(event, fingerprint=event_key(by, subject)[:16])
    return replace(event, key=event_key(source, by, _attribute(attributes, "id")))


def _alert(
    told: Mapping[str, Any], by: str, subject: str, attributes: Mapping[str, Any]
) -> dict[str, Any]:
    """The alert in the data of an event, in Alertmanager's words."""
    labels = dict(told["labels"]) if isinstance(told.get("labels"), dict) else {}
    name = told.get("rule") or told.get("alertname") or subject or _attribute(attributes, "type")
    labels = {"alertname": name, "source": by} | labels
    for key in ("severity", "model"):
        if told.get(key) is not None:
            labels.setdefault(key, told[key])
    notes = dict(told["annotations"]) if isinstance(told.get("annotations"), dict) else {}
    for key in ("summary", "text", "description"):
        if isinstance(told.get(key), str):
            notes.setdefault("summary", told[key])
    return {
        "labels": labels,
        "annotations": notes,
        "startsAt": told.get("startsAt") or told.get("started_at") or attributes.get("time"),
        "endsAt": told.get("endsAt") or told.get("ended_at"),
        "fingerprint": told.get("fingerprint"),
        "generatorURL": told.get("link"),
    }


def _status(attributes: Mapping[str, Any], told: Mapping[str, Any]) -> Status:
    """What an event says by its data, else by the words of its type."""
    words = [told.get("status"), told.get("state"), *_attribute(attributes, "type").split(".")]
    for word in words:
        if isinstance(word, str) and word.lower() in _STATUS:
            return _STATUS[word.lower()]
    said = clean(_attribute(attributes, "type"), 80)
    raise PayloadError(
        f"an event of the type {said!r} does not say whether its alert fires;"
        ' add "status": "firing" or "resolved" to its data'
    )


def _attribute(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    return value[:_LONGEST] if isinstance(value, str) else ""
