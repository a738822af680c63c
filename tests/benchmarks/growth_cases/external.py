"""Bodies that other systems send or answer: alerts, events, silences, acknowledgements."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from benchmarks.growth_cases.case import KIB, MIB, Case, Make, cases, encoded, number, repeat
from watchdeck.domain.external.alertmanager import (
    MAX_ALERTS,
    MAX_LISTED_ALERTS,
    read_list,
    read_post,
    read_webhook,
)
from watchdeck.domain.external.cloudevents import BATCH, read_cloud_events
from watchdeck.domain.external.event import decode, encode
from watchdeck.domain.external.silence_sync import read_remote_silences
from watchdeck.domain.values.datetimes import read_rfc3339
from watchdeck.notify.pagerduty import remote_ack
from watchdeck.notify.result import ReceiverResponse, result_of

NOW = 1_767_571_200_000
MARKS = "\u0315\u0316" * 1_000
"""Combining characters in the order that takes Unicode's normalisation longest."""

_NUMBERS = count()


def alerts(alert: Callable[[int], dict[str, Any]], most: int = MAX_ALERTS) -> Make:
    """Lists of alerts, at most as many as are parsed, no two alike in any run."""
    size = len(json.dumps(alert(0), ensure_ascii=False).encode()) + 8

    def make(n: int) -> bytes:
        listed = [alert(next(_NUMBERS)) for _ in range(max(1, min(most, n // size)))]
        return json.dumps(listed, ensure_ascii=False).encode()

    return make


POSTS: dict[str, Make] = {
    "many alerts": alerts(lambda _: {"labels": {"a": "b"}}),
    "many unreadable alerts": alerts(lambda _: {}),
    "long labels": alerts(lambda _: {"labels": {"a": "x" * 1_000}}),
    "labels of control characters": alerts(lambda _: {"labels": {"a": "\x1b" * 1_000}}),
    "wide characters": alerts(lambda _: {"labels": {"a": "\U0001f600" * 300}}),
    "labels over the limit": alerts(lambda _: {"labels": {f"l{n}": "x" for n in range(500)}}),
    "links of combining characters": alerts(
        lambda place: {"labels": {"a": "b"}, "generatorURL": f"http://{place}{MARKS}"}
    ),
    "links of 290 combining characters": alerts(
        lambda place: {"labels": {"a": "b"}, "generatorURL": f"http://{place}{MARKS[:290]}/"}
    ),
    "links of brackets": alerts(
        lambda place: {"labels": {"a": "b"}, "generatorURL": f"http://[{place}{':' * 200}]/"}
    ),
    "one alert with many labels": lambda n: json.dumps(
        [{"labels": {f"l{place}": "x" for place in range(n // 12)}}]
    ).encode(),
    "one label": lambda n: json.dumps([{"labels": {"a": "x" * n}}]).encode(),
    "long times": alerts(lambda _: {"labels": {"a": "b"}, "startsAt": "2" * 2_000}),
    "lists in labels": alerts(lambda _: {"labels": {"a": [[[]]] * 100}}),
}


def alert_cases() -> Iterator[Case]:
    yield from cases("POST of alerts", lambda body: read_post(body, "s", NOW), POSTS, 4 * MIB)
    webhooks = {shape: _webhook(POSTS[shape]) for shape in ("many alerts", "long labels")}
    yield from cases("webhook", lambda body: read_webhook(body, "s", NOW), webhooks, 4 * MIB)
    listed = {
        "many alerts": alerts(lambda _: {"labels": {"a": "b"}}, MAX_LISTED_ALERTS),
        "many silences of an alert": alerts(
            lambda _: {
                "labels": {"a": "b"},
                "status": {"state": "suppressed", "silencedBy": ["x" * 99] * 40},
            },
            MAX_LISTED_ALERTS,
        ),
    }
    yield from cases("list of alerts", lambda body: read_list(body, "s", NOW), listed, 4 * MIB)
    yield from cases("stored event", decode, {"labels": _stored_event}, 4 * MIB)
    silences = {"many": _silences, "deep comments": _deep_silences}
    yield from cases("silences", lambda it: list(read_remote_silences(it, "s")), silences)
    yield from cases("RFC 3339 time", read_rfc3339, {"digits": repeat("1"), "blanks": repeat(" ")})


def _webhook(make: Make) -> Make:
    return lambda n: b'{"status": "firing", "alerts": %b}' % make(n)


def _stored_event(n: int) -> str:
    parsed = read_post(json.dumps([{"labels": {"a": "x"}}]).encode(), "s", NOW)
    text = encode(parsed.events[0])
    return text.replace('"a":"x"', number('"l{}":"x",', "", '"a":"x"')(n))


def _silences(n: int) -> list[object]:
    one = {"status": {"state": "active"}, "comment": "watchdeck s ack 1: x", "endsAt": "x"}
    return [one] * (n // 100)


def _deep_silences(n: int) -> list[object]:
    return [{"status": {}, "comment": json.loads("[" * 500 + "]" * 500)}] * (n // 1_000)


ATTRIBUTES = {"specversion": "1.0", "id": "1", "source": "s", "type": "firing"}


def event_cases() -> Iterator[Case]:
    headers: dict[str, Make] = {
        "escapes": lambda n: _binary("%41" * (n // 3)),
        "half escapes": lambda n: _binary("%" * n),
        "escapes of no UTF-8": lambda n: _binary("%ff" * (n // 3)),
        "words of the type": lambda n: _binary("1") | {"ce-type": "a." * (n // 2)},
        "many attributes": lambda n: {f"ce-{place}": "1" for place in range(n // 8)},
    }
    read_headers = lambda it: read_cloud_events(b"", it, "s", NOW)  # noqa: E731
    yield from cases("headers of a CloudEvent", read_headers, headers, 16 * KIB)
    bodies: dict[str, Make] = {
        "words of the type": lambda n: _event(type="a." * (n // 2)),
        "many attributes": encoded(number('"a{}":"1",', "{", END)),
        "labels": encoded(number('"a{}":"1",', '{"data":{"labels":{', f'"a":""}}}},{END}')),
    }
    read_body = lambda body: read_cloud_events(body, {}, "s", NOW)  # noqa: E731
    yield from cases("CloudEvent", read_body, bodies, 4 * MIB)
    batch = alerts(lambda place: ATTRIBUTES | {"id": str(place)})
    read_batch = lambda body: read_cloud_events(body, {"content-type": BATCH}, "s", NOW)  # noqa: E731
    yield from cases("batch of CloudEvents", read_batch, {"many events": batch}, 4 * MIB)


END = json.dumps(ATTRIBUTES)[1:]
"""The attributes of an event, and the end of its object."""


def _binary(identity: str) -> dict[str, str]:
    return {f"ce-{name}": value for name, value in ATTRIBUTES.items()} | {"ce-id": identity}


def _event(**attributes: object) -> bytes:
    return json.dumps(ATTRIBUTES | attributes).encode()


def receiver_cases() -> Iterator[Case]:
    acks: dict[str, Make] = {
        "acknowledgements": lambda n: _incidents(1, n // 40),
        "incidents": lambda n: _incidents(n // 150, 1),
        "opening brackets": repeat(b"["),
    }
    yield from cases("answer of PagerDuty", lambda body: remote_ack(body, "k"), acks, 64 * KIB)
    answers = {"blanks": repeat(b" "), "no UTF-8": repeat(b"\xff"), "secrets": repeat(b"secret-1")}
    yield from cases(
        "answer of a receiver",
        lambda body: result_of(ReceiverResponse(500, None, body), "https://h/a/secret-1"),
        answers,
        64 * KIB,
    )


def _incidents(incidents: int, acknowledgements: int) -> bytes:
    one = {"acknowledger": {"type": "service"}, "at": "2"}
    incident = {"status": "acknowledged", "acknowledgements": [one] * acknowledgements}
    return json.dumps({"incidents": [incident] * incidents}).encode()


def all_cases() -> Iterator[Case]:
    yield from alert_cases()
    yield from event_cases()
    yield from receiver_cases()
