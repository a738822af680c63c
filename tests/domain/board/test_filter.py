"""A filter finds what a person means, and says where it cannot be read."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from watchdeck.domain.alerts.alert import ActiveAlert, Alert, AlertState, Episode, Mute, MuteKind
from watchdeck.domain.board.board import Health, LatestScrape, Model, SignalValue
from watchdeck.domain.board.filter import (
    EVERYTHING,
    MAX_LENGTH,
    Filter,
    FilterError,
    matches,
    parse,
    parse_named,
)
from watchdeck.domain.board.filter_fields import (
    ALERTS,
    FilteredAlert,
    FilteredModel,
    filter_alerts,
    filter_models,
)
from watchdeck.domain.metrics.scrape import Identity, Outcome
from watchdeck.domain.metrics.signal import ALIASES, SIGNALS
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.settings.endpoint import EndpointFacts

FACTS = EndpointFacts(
    "fraud-detector",
    "http://x",
    10_000,
    model="fraud",
    owner="Risk team",
    tier=1,
    labels={"zone": "eu", "stage": "live"},
    serves=("card payments",),
)
SIGNS = {
    "latency_p95": SignalValue(0.25, SIGNALS["latency_p95"].unit),
    "error_ratio": SignalValue(0.02, SIGNALS["error_ratio"].unit),
    "request_rate": SignalValue(40.0, SIGNALS["request_rate"].unit),
    "memory_bytes": SignalValue(3e9, SIGNALS["memory_bytes"].unit),
}
LATEST = LatestScrape(FACTS, 0, Outcome.OK, 0, SIGNS, kind="mlserver", identity=Identity("2.1"))
MODEL = FilteredModel(Model(FACTS, Health.CRITICAL, "latency_p95 250 ms > 200 ms", 0, LATEST))
UNSEEN = FilteredModel(
    Model(replace(FACTS, owner=None), Health.UNKNOWN, "no scrape yet", None, None)
)


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "fraud", "FRAUD", "mlserver", "payments", '"card pay"', "eu", "risk", "/^fraud-/",
        "/T[AE]OR$|tector$/", 'owner="risk team"', "zone=EU", "health=critical", "health!=ok",
        "tier=1", "version=2.1", "kind!=vllm", "p95>200ms", "p95>=0.25s", "latency_p95<1s",
        "errors>1%", "errors<=2%", "rate>=40/s", "req/s<41", "memory>2GiB", "!churn", "!!fraud",
        "fraud p95>200ms", "churn | fraud", "churn|fraud live", "!owner=growth", "!p95<200ms",
        'why="latency_p95 250 ms > 200 ms"', "a/b | fraud", "-detector",
    ],
)  # fmt: skip
def test_it_finds(text: str) -> None:
    assert matches(parse(text), MODEL)


@pytest.mark.parametrize(
    "text",
    [
        "churn", "!fraud", "/^detector/", "owner=risk", "zone!=eu", "health=ok", "p95<200ms",
        "fraud churn", "churn | vllm", "p99>1ms", "p99<1ms", "!p99>1ms", "tier!=1", "nolabel=x",
        "nolabel!=x", "!nolabel=x", "queue_depth=0", "queue_depth!=0",
    ],
)  # fmt: skip
def test_it_leaves_out(text: str) -> None:
    assert not matches(parse(text), MODEL)


@pytest.mark.parametrize("text", ["p95>1ms", "p95<1000s", "!p95>1ms", "owner=x", "owner!=x"])
def test_what_is_not_known_is_neither_so_nor_otherwise(text: str) -> None:
    assert not matches(parse(text), UNSEEN)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        pytest.param('fraud "card', 6, 'second " is missing', id="an open quote"),
        pytest.param("/fraud", 0, "second / is missing", id="an open pattern"),
        pytest.param("/[/", 0, "cannot be read", id="a broken pattern"),
        pytest.param("/(a+)+$/", 0, "repeats at most twice", id="a pattern that never ends"),
        pytest.param("/.*.*.*x/", 0, "repeats at most twice", id="a slow pattern"),
        pytest.param("/(a)\\1/", 0, "repeats at most twice", id="a reference back"),
        pytest.param("p95>", 4, "after p95> a value is missing", id="no value"),
        pytest.param("p95>fast", 4, "'fast' is no value here. Write 200ms.", id="no duration"),
        pytest.param("errors>many", 7, "Write 1%.", id="no ratio"),
        pytest.param("rate>x", 5, "Write 5/s.", id="no rate"),
        pytest.param("p59>1s", 0, "Did you mean 'p99'?", id="no signal"),
        pytest.param("zebra>1", 0, "Such as p95", id="nothing like a signal"),
        pytest.param("p95=1s", 3, "compared with > or <", id="a signal is never equal"),
        pytest.param("a ! ", 2, "after ! there must be something", id="nothing turned round"),
        pytest.param("!| a", 0, "after ! there must be something", id="nothing before or"),
        pytest.param("a |", 2, "both sides of |", id="nothing after or"),
        pytest.param("x" * 501, MAX_LENGTH, "at most 500 characters", id="too long"),
        pytest.param("\x1b[2J>1", 0, "'^[[2J' is no signal", id="a control sequence"),
    ],
)
def test_what_cannot_be_read_is_named_at_its_place(text: str, position: int, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert words in str(caught.value)
    assert caught.value.position == position


PIECES = (
    "fraud", '"', '"a b"', "/a/", "/", "!", "|", " ", "p95", ">", "<=", "=", "!=", "200ms", "1%",
    "owner", "zone", "\\", "(", "[", "é", "\x1b", "nan", "inf", "1e999", "tier=1", "health!=ok",
)  # fmt: skip


@example('!p95>200ms | owner="a b" /a/ x')
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_filter_that_is_printed_is_the_same_filter(text: str) -> None:
    wanted = read(text)
    if wanted is None:
        return
    again = parse(str(wanted))
    assert parse(str(again)) == again
    for model in (MODEL, UNSEEN):
        assert matches(again, model) == matches(wanted, model)


@given(st.text(max_size=40))
def test_any_characters_are_a_filter_or_a_filter_error(text: str) -> None:
    wanted = read(text)
    assert wanted is None or matches(wanted, MODEL) in (True, False)


def read(text: str) -> Filter | None:
    """The filter, or None when it was refused at a place within the text."""
    try:
        return parse(text)
    except FilterError as error:
        position, words = error.position, str(error)
    assert 0 <= position <= len(text)
    assert words
    return None


def test_every_short_word_is_a_signal() -> None:
    assert set(ALIASES.values()) <= SIGNALS.keys()


EPISODE = Episode(
    *(7, 1, 0, AlertState.FIRING, Severity.HIGH, Severity.HIGH),
    why="latency_p95 412 ms > 200 ms",
    flapping=False,
)
RAISED = ActiveAlert(
    Alert(1, "watchdeck", "slow/fraud", "latency-slow", "fraud", {"owner": "risk"}),
    EPISODE,
    mutes=(Mute(MuteKind.SILENCE, "3"),),
)


@pytest.mark.parametrize(
    "text",
    [
        "", "slow", "risk", "owner=risk", "sev<=2", "severity>1", "age>10m", "age<1h", "unacked",
        "muted", "rule=latency-slow", "model=fraud", "state=muted", "source!=am", "!flapping",
        "sev<=2 age>10m unacked",
    ],
)  # fmt: skip
def test_it_finds_an_alert(text: str) -> None:
    assert matches(parse(text, ALERTS), FilteredAlert(RAISED, 1_200_000))


@pytest.mark.parametrize("text", ["churn", "sev>2", "age>1h", "!unacked", "by=anna", "by!=anna"])
def test_it_leaves_an_alert_out(text: str) -> None:
    assert not matches(parse(text, ALERTS), FilteredAlert(RAISED, 1_200_000))


def test_a_value_that_nothing_has_is_refused_where_the_values_are_few() -> None:
    with pytest.raises(FilterError, match=r"no health is 'okk'\. There are ok, warning") as caught:
        parse("health=okk")
    assert caught.value.position == 7
    with pytest.raises(FilterError, match="no state is 'fired'"):
        parse("state!=fired", ALERTS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sev=2", True), ("severity=2", True), ("sev!=2", False), ("sev!=3", True),
        ("sev=3", False), ("!sev=3", True), ("notes=0", True), ("reopened!=0", False),
    ],
)  # fmt: skip
def test_a_whole_number_can_be_equal(text: str, found: object) -> None:
    assert matches(parse(text, ALERTS), FilteredAlert(RAISED, 1_200_000)) is found


def test_a_number_that_is_equal_must_be_one() -> None:
    with pytest.raises(FilterError, match=r"'high' is no value here\. Write 3") as caught:
        parse("sev=high", ALERTS)
    assert caught.value.position == 4
    with pytest.raises(FilterError, match="compared with > or <: age>10m"):
        parse("age=10m", ALERTS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("health!=ok", True), ("health=ok", False), ("p95>200ms", True), ("p95<200ms", False),
        ("tier=1", True), ("version=2.1", True), ("zone=eu", True), ("owner=risk", True),
        ("p99>1ms", False), ("p99<1ms", False),
    ],
)  # fmt: skip
def test_an_alert_is_found_by_what_is_known_of_its_model(text: str, found: object) -> None:
    wanted = parse(text, ALERTS)
    assert matches(wanted, FilteredAlert(RAISED, 0, MODEL.model)) is found
    if "owner" not in text:
        assert not matches(wanted, FilteredAlert(RAISED, 0))


def test_alerts_are_filtered_with_their_models() -> None:
    model = replace(MODEL.model, facts=replace(FACTS, name="fraud"))
    other = replace(RAISED, alert=replace(RAISED.alert, model="churn"))
    both = (RAISED, other)
    assert filter_alerts(both, EVERYTHING, (), 0) == both
    assert filter_alerts(both, parse("health!=ok", ALERTS), (model,), 0) == (RAISED,)
    assert filter_models((model,), parse("health=ok")) == ()


def test_names_that_nothing_has_are_named_for_alerts_too() -> None:
    with pytest.raises(FilterError, match=r"Did you mean 'severity'\?"):
        parse("severty>1", ALERTS)
    with pytest.raises(FilterError, match=r"Did you mean 'p95'\?"):
        parse("p955>1s", ALERTS)
    with pytest.raises(FilterError, match="no health is 'okk'"):
        parse("health=okk", ALERTS)


SAVED = {"mine": "owner=risk", "urgent": "sev<=2 unacked", "broken": "p95>"}


def test_a_saved_filter_is_called_by_its_name() -> None:
    assert parse_named("@mine", SAVED) == parse("owner=risk")
    assert parse_named("@urgent", SAVED, ALERTS) == parse("sev<=2 unacked", ALERTS)
    assert parse_named("mine", SAVED) == parse("mine")
    assert parse_named('"@mine"', SAVED) == parse('"@mine"')


@pytest.mark.parametrize(
    ("text", "saved", "why"),
    [
        pytest.param("@nobody", SAVED, "Saved are @mine, @urgent, @broken", id="an unknown name"),
        pytest.param("@mine", {}, r"none yet: \[console\] filters", id="none is saved"),
        pytest.param("@broken", SAVED, "'p95>' cannot be used here: after p95>", id="a wrong one"),
        pytest.param("@urgent", SAVED, "'sev' is no signal", id="one for alerts only"),
    ],
)
def test_a_saved_filter_that_cannot_be_used_says_why(
    text: str, saved: dict[str, str], why: str
) -> None:
    with pytest.raises(FilterError, match=why):
        parse_named(text, saved)
