"""What other systems say, taken apart: nothing is dropped, nothing unsafe gets in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.external.payloads import NOW, ZERO, alert, captured, listed, posted, webhook
from watchdeck.domain.external.alertmanager import (
    MAX_ALERTS,
    PayloadError,
    read_list,
    read_post,
    read_webhook,
)
from watchdeck.domain.external.cloudevents import read_cloud_events
from watchdeck.domain.external.event import (
    ExternalEvent,
    Status,
    decode,
    encode,
    event_key,
    fingerprint,
)
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.datetimes import read_rfc3339, write_rfc3339
from watchdeck.domain.values.text import clean

HOUR = 3_600_000


def hooked(name: str) -> ExternalEvent:
    body, at = captured(name)
    [event] = read_webhook(body, "eu", at).events
    return event


def one(**changed: Any) -> ExternalEvent:
    [event] = read_webhook(webhook(alert(**changed)), "eu", NOW).events
    return event


def test_a_firing_webhook_is_an_event_of_its_model() -> None:
    event = hooked("firing")
    assert (event.source, event.rule, event.model) == ("eu", "ModelErrorRatioHigh", "fraud")
    assert (event.status, event.severity) == (Status.FIRING, Severity.CRITICAL)
    assert write_rfc3339(event.starts_at) == "2026-11-23T05:03:48.734Z"
    assert event.ends_at is None
    assert event.sender == "http://vm:19090"
    assert event.summary == "model fraud error ratio 0.12"
    assert not event.clock_skewed
    assert not event.truncated


def test_a_resolve_has_the_fingerprint_and_the_start_of_what_it_resolves() -> None:
    fired, over = hooked("firing"), hooked("resolved")
    assert (over.fingerprint, over.told) == (fired.fingerprint, fired.told)
    assert over.status is Status.RESOLVED
    assert over.ends_at == read_rfc3339("2026-11-23T05:03:59.734Z")
    assert over.key != fired.key


@pytest.mark.parametrize(
    "name", ["firing", "absent_firing", "startsAt_in_future", "ansi_and_markup"]
)
def test_a_fingerprint_made_here_is_the_one_that_alertmanager_makes(name: str) -> None:
    body, at = captured(name)
    told = json.loads(body)
    theirs = told["alerts"][0].pop("fingerprint")
    [event] = read_post(json.dumps(told["alerts"]).encode(), "eu", at).events
    assert event.fingerprint == theirs


def test_escape_codes_become_visible_and_markup_stays_what_it_was() -> None:
    assert hooked("ansi_and_markup").summary == "esc ^[[31mred^[[0m [bold]x[/bold] é 漢字"


def test_a_start_in_the_future_is_the_receipt_and_is_flagged() -> None:
    event = hooked("startsAt_in_future")
    assert event.clock_skewed
    assert event.starts_at == event.received_at
    assert event.told == read_rfc3339("2026-11-23T06:10:20Z")


def test_a_firing_alert_whose_end_is_past_fires_and_is_flagged() -> None:
    event = one(endsAt="2026-11-23T04:00:00Z", status="firing")
    assert (event.status, event.clock_skewed) == (Status.FIRING, True)


def test_a_resolve_in_the_future_ends_now_and_is_flagged() -> None:
    event = one(endsAt="2026-11-23T09:00:00Z", status="resolved")
    assert (event.status, event.ends_at, event.clock_skewed) == (Status.RESOLVED, NOW, True)


def test_a_start_long_ago_is_kept() -> None:
    assert write_rfc3339(one(startsAt="1999-01-01T00:00:00Z").starts_at).startswith("1999")


def test_an_alert_without_a_start_began_when_it_was_heard_of() -> None:
    assert one(startsAt=ZERO).starts_at == NOW
    assert one(startsAt="yesterday").starts_at == NOW


def test_silenced_and_inhibited_alerts_fire_and_name_what_keeps_them_quiet() -> None:
    inhibited = read_list(listed("alerts_inhibited"), "eu", NOW).events
    assert [(event.rule, event.suppressed_by) for event in inhibited] == [
        ("FeatureStoreDown", ("alert bd11ab4d362309b9",)),
        ("ModelErrorRatioHigh", ()),
        ("DriftWarn", ("alert bd11ab4d362309b9",)),
    ]
    assert all(event.status is Status.FIRING for event in inhibited)
    [silenced] = read_list(listed("alerts_suppressed_by_silence"), "eu", NOW).events
    assert silenced.suppressed_by == ("silence 22488d91-8f01-462d-9f00-a91cf9ba58cf",)
    assert silenced.updated_at == read_rfc3339("2026-11-23T05:04:08.876Z")


@pytest.mark.parametrize(
    ("ends", "status", "skewed"),
    [
        pytest.param("2026-11-23T05:09:10Z", Status.FIRING, False, id="a promise"),
        pytest.param("2026-11-23T05:05:05Z", Status.RESOLVED, False, id="it is over"),
        pytest.param("2026-11-23T04:50:00Z", Status.RESOLVED, False, id="over, and said again"),
        pytest.param("2026-11-23T03:05:10Z", Status.FIRING, True, id="a clock hours behind"),
        pytest.param(ZERO, Status.FIRING, False, id="no end"),
    ],
)
def test_an_end_in_the_past_is_how_prometheus_resolves(
    ends: str, status: Status, *, skewed: bool
) -> None:
    [event] = read_post(posted(alert(endsAt=ends)), "prometheus", NOW).events
    assert (event.status, event.clock_skewed) == (status, skewed)


def test_saying_it_again_is_the_same_key_and_saying_more_is_another() -> None:
    again = one(endsAt="2026-11-23T05:20:00Z", annotations={"summary": "another text"})
    assert again.key == one().key
    worse = alert()["labels"] | {"severity": "warning"}
    assert len({one().key, one(labels=worse).key, one(startsAt="2026-11-23T05:01:00Z").key}) == 3
    over = [one(status="resolved", endsAt=f"2026-11-23T05:0{n}:00Z").key for n in (1, 2, 2)]
    assert len(set(over)) == 2


@pytest.mark.parametrize(
    ("label", "severity"),
    [
        ("page", 1),
        (" Critical ", 1),
        ("P1", 1),
        ("high", 2),
        ("warning", 3),
        ("info", 4),
        ("none", 4),
        ("banana", 2),
        ("", 2),
    ],
)
def test_a_severity_is_read_from_the_label_and_unsure_is_high(label: str, severity: int) -> None:
    assert one(labels={"alertname": "x", "severity": label}).severity == severity


def test_what_is_too_much_is_cut_and_said_so() -> None:
    event = one(annotations={"summary": "x" * 5_000} | {f"n{n}": "v" for n in range(500)})
    assert event.truncated
    assert len(event.summary) == 1_024
    assert len(event.annotations) == 64


def test_a_body_says_how_much_it_left_out_and_what_could_not_be_read() -> None:
    said = read_webhook(
        webhook(alert(), 7, {"labels": []}, None, truncatedAlerts=12, externalURL="http://am:9093"),
        "eu",
        NOW,
    )
    assert (len(said.events), said.unreadable, said.truncated) == (1, 3, 12)
    assert {event.source for event in said.events} == {"eu"}


def test_a_webhook_is_of_the_source_that_it_calls_itself() -> None:
    body = webhook(alert(), externalURL="http://am:9093/")
    [event] = read_webhook(body, "eu", NOW, {"http://am:9093": "us"}).events
    assert event.source == "us"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"", "not JSON", id="nothing"),
        pytest.param(b"\xff\xfe", "not JSON", id="no text"),
        pytest.param(b"[" * 200_000, "nested too deeply", id="a tower of lists"),
        pytest.param(b"1" * 5_000, "not JSON", id="a number without end"),
        pytest.param(b"[]", "not an Alertmanager webhook", id="a list"),
        pytest.param(b'{"alerts": {}}', "not an Alertmanager webhook", id="alerts that are none"),
        pytest.param(webhook(*[{}] * (MAX_ALERTS + 1)), f"at most {MAX_ALERTS}", id="a flood"),
    ],
)
def test_a_body_that_is_no_webhook_is_refused_with_a_reason(body: bytes, words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        read_webhook(body, "eu", NOW)


STRUCTURED = {
    "specversion": "1.0",
    "id": "41",
    "source": "/watchdeck/bastion",
    "type": "dev.watchdeck.alert.firing.v1",
    "subject": "17",
    "time": "2026-11-23T05:00:00Z",
    "data": {"rule": "slow", "model": "fraud", "severity": 1, "summary": "p95 over 200 ms"},
}


def told(headers: dict[str, str] | None = None, **changed: Any) -> ExternalEvent:
    body = json.dumps(STRUCTURED | changed).encode()
    [event] = read_cloud_events(body, headers or {}, "cloudevents", NOW).events
    return event


def test_a_cloud_event_tells_of_an_alert() -> None:
    event = told()
    assert (event.rule, event.model, event.severity) == ("slow", "fraud", Severity.CRITICAL)
    assert (event.status, event.summary) == (Status.FIRING, "p95 over 200 ms")
    assert event.starts_at == read_rfc3339("2026-11-23T05:00:00Z")
    over = told(id="42", type="dev.watchdeck.alert.resolved.v1")
    assert (over.status, over.fingerprint) == (Status.RESOLVED, event.fingerprint)
    assert over.key != event.key == told(data={"status": "firing"}).key


def test_a_cloud_event_in_headers_is_the_same_event() -> None:
    headers = {f"ce-{name}": str(STRUCTURED[name]) for name in STRUCTURED if name != "data"}
    body = json.dumps(STRUCTURED["data"]).encode()
    [event] = read_cloud_events(body, headers, "cloudevents", NOW).events
    assert event == told()


BATCHED = {"content-type": "application/cloudevents-batch+json; charset=utf-8"}


def test_a_batch_of_cloud_events_is_all_of_them() -> None:
    body = json.dumps([STRUCTURED, STRUCTURED | {"id": "42"}]).encode()
    said = read_cloud_events(body, BATCHED, "cloudevents", NOW)
    assert [event.turn for event in said.events] == [0, 1]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"{}", "not a list of events", id="no list"),
        pytest.param(b"[7]", "not a JSON object", id="no event"),
        pytest.param(b"[" + b"{}," * MAX_ALERTS + b"{}]", f"at most {MAX_ALERTS}", id="a flood"),
    ],
)
def test_a_batch_that_is_none_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        read_cloud_events(body, BATCHED, "cloudevents", NOW)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"id": ""}, "has no id", id="no id"),
        pytest.param({"specversion": "0.3"}, "send 1.0", id="an older version"),
        pytest.param({"type": "com.example.sale"}, "does not say whether", id="of something else"),
        pytest.param({"data_base64": "e30="}, "send it as JSON", id="data in base64"),
    ],
)
def test_a_cloud_event_that_tells_of_no_alert_is_refused(
    changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(PayloadError, match=words):
        told(**changed)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-23T05:10:20.495980072Z", "2026-11-23T05:10:20.495Z"),
        ("2026-11-23T06:10:20+01:00", "2026-11-23T05:10:20.000Z"),
        ("2026-11-23 00:10:20.5-0500", "2026-11-23T05:10:20.500Z"),
        ("2026-06-30T23:59:60Z", "2026-07-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
    ],
)
def test_a_moment_is_read_to_the_millisecond(text: str, written: str) -> None:
    at = read_rfc3339(text)
    assert at is not None
    assert write_rfc3339(at) == written


@pytest.mark.parametrize(
    "text", [ZERO, "", "soon", None, 5, "2026-13-01T00:00:00Z", "2026-11-23T05:10:20", "٢" * 20]
)
def test_what_is_no_moment_is_none(text: object) -> None:
    assert read_rfc3339(text) is None


TEXT = st.text(max_size=40)
EVENTS = st.builds(
    ExternalEvent,
    key=TEXT,
    source=TEXT,
    fingerprint=TEXT,
    rule=TEXT,
    model=TEXT,
    severity=st.sampled_from(Severity),
    status=st.sampled_from(Status),
    received_at=st.integers(),
    starts_at=st.integers(),
    ends_at=st.none() | st.integers(),
    updated_at=st.none() | st.integers(),
    labels=st.dictionaries(TEXT, TEXT),
    annotations=st.dictionaries(TEXT, TEXT),
    suppressed_by=st.lists(TEXT).map(tuple),
    lapsed=st.booleans(),
    clock_skewed=st.booleans(),
)


@given(EVENTS)
def test_what_is_kept_of_an_event_is_the_event(event: ExternalEvent) -> None:
    assert decode(encode(event)) == event


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("labels", "annotations", "startsAt", "endsAt", "status", "fingerprint", "generatorURL")
ALERTS = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)) | JSON


@given(st.lists(ALERTS, max_size=4), st.sampled_from([read_webhook, read_post, read_list]))
def test_whatever_is_sent_is_read_or_counted_and_never_unsafe(alerts: list[Any], read: Any) -> None:
    body = webhook(*alerts) if read is read_webhook else posted(*alerts)
    said = read(body, "eu", NOW)
    assert len(said.events) + said.unreadable == len(alerts)
    for event in said.events:
        texts = [event.rule, event.model, event.link, event.sender, event.fingerprint]
        for name, value in (event.labels | event.annotations).items():
            texts += [name, value]
        assert all(clean(text, 4_096) == text for text in texts)
        assert event.starts_at <= NOW
        assert decode(encode(event)) == event


def test_a_fingerprint_depends_on_every_name_and_value() -> None:
    assert fingerprint({"a": "b"}) != fingerprint({"a": "c"}) != fingerprint({"b": "a"})
    assert fingerprint({}) == "cbf29ce484222325"
    assert event_key("a", 1) != event_key("a", "1")


def test_odd_parts_of_an_alert_are_kept_as_what_they_are() -> None:
    event = one(
        labels={"alertname": "x", "n": 7, "t": True, "list": [1], "empty": "", "none": None},
        generatorURL="http://[broken",
        fingerprint="with a blank",
    )
    assert event.labels == {"alertname": "x", "n": "7", "t": "true", "list": "(no text)"}
    assert (event.link, event.sender) == ("http://[broken", "")
    assert event.fingerprint == fingerprint(event.labels)
    assert one(generatorURL="http://me:word@p:9090/graph").sender == "http://p:9090"
    assert one(generatorURL="http://" + "\u0315\u0316" * 300).sender == ""
    assert one(generatorURL=f"http://p:9090?{'x' * 1_000}").sender == "http://p:9090"
    huge = one(labels={"alertname": "x", "huge": "y" * 100_000})
    assert len(huge.fingerprint) == 16
    assert huge.truncated


def test_an_alert_that_its_source_suppresses_without_a_reason_says_so() -> None:
    [event] = read_list(posted(alert(status={"state": "suppressed"})), "eu", NOW).events
    assert event.suppressed_by == ("its source",)
