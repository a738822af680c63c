"""Parser of CloudEvents 1.0 about alerts into external events."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from watchdeck.domain.external.alertmanager import (
    MAX_ALERTS,
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

_REQUIRED = ("specversion", "id", "source", "type")
_MAX_ATTRIBUTE = 1_024

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
    """Parse a CloudEvent: structured, in a batch, or binary with its attributes in `ce-` headers.

    The keys of `headers` are in lower case. Raises PayloadError.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == BATCH:
        listed = parse_json(body)
        if not isinstance(listed, list):
            raise PayloadError("the batch is not a list of events")
        if len(listed) > MAX_ALERTS:
            raise TooManyError(
                f"the batch has {len(listed)} events; at most {MAX_ALERTS} are taken"
            )
        events = (_structured_event(one, source, now) for one in listed)
        return ParsedPayload(tuple(replace(one, turn=n) for n, one in enumerate(events)))
    if kind == STRUCTURED or "ce-specversion" not in headers:
        return ParsedPayload((_structured_event(parse_json(body), source, now),))
    attributes = {
        name.removeprefix("ce-"): unquote(value)
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    return ParsedPayload((_read_event(attributes, parse_json(body) if body else {}, source, now),))


def _structured_event(content: object, source: str, now: int) -> ExternalEvent:
    if not isinstance(content, dict):
        raise PayloadError("the event is not a JSON object")
    data = content.get("data", {})
    if "data_base64" in content:
        raise PayloadError("the event has its data in base64; send it as JSON")
    return _read_event(content, data, source, now)


def _read_event(
    attributes: Mapping[str, Any], data: object, source: str, now: int
) -> ExternalEvent:
    missing = [name for name in _REQUIRED if not _attribute(attributes, name)]
    if missing:
        raise PayloadError(f"the event has no {' and no '.join(missing)}")
    if _attribute(attributes, "specversion") != "1.0":
        raise PayloadError("the event is of another version of CloudEvents; send 1.0")
    content = data if isinstance(data, dict) else {}
    by, subject = _attribute(attributes, "source"), _attribute(attributes, "subject")
    event = event_from_alert(
        _alert_of(content, by, subject, attributes), _read_status(attributes, content), source, now
    )
    if subject and "fingerprint" not in content:
        event = replace(event, fingerprint=event_key(by, subject)[:16])
    return replace(event, key=event_key(source, by, _attribute(attributes, "id")))


def _alert_of(
    content: Mapping[str, Any], by: str, subject: str, attributes: Mapping[str, Any]
) -> dict[str, Any]:
    """The alert in the data of an event, with the keys of Alertmanager."""
    labels = dict(content["labels"]) if isinstance(content.get("labels"), dict) else {}
    kind = _attribute(attributes, "type")
    name = content.get("rule") or content.get("alertname") or subject or kind
    labels = {"alertname": name, "source": by} | labels
    for key in ("severity", "model"):
        if content.get(key) is not None:
            labels.setdefault(key, content[key])
    notes = dict(content["annotations"]) if isinstance(content.get("annotations"), dict) else {}
    for key in ("summary", "text", "description"):
        if isinstance(content.get(key), str):
            notes.setdefault("summary", content[key])
    return {
        "labels": labels,
        "annotations": notes,
        "startsAt": content.get("startsAt") or content.get("started_at") or attributes.get("time"),
        "endsAt": content.get("endsAt") or content.get("ended_at"),
        "fingerprint": content.get("fingerprint"),
        "generatorURL": content.get("link"),
    }


def _read_status(attributes: Mapping[str, Any], content: Mapping[str, Any]) -> Status:
    """The status in the data of an event, else in a word of its type. Raises PayloadError."""
    kind = _attribute(attributes, "type")
    for word in (content.get("status"), content.get("state"), *kind.split(".")):
        if isinstance(word, str) and word.lower() in _STATUS:
            return _STATUS[word.lower()]
    raise PayloadError(
        f"an event of the type {clean(kind, 80)!r} does not say whether its alert fires;"
        ' add "status": "firing" or "resolved" to its data'
    )


def _attribute(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    return value[:_MAX_ATTRIBUTE] if isinstance(value, str) else ""
