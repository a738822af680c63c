import pytest
from msgspec.structs import replace

from domain.alerts.lives import ALERT, AT_ONCE, RULE, START, Life, ack, firing, lived, raised
from watchdeck.domain.alerts.alert import (
    Acknowledgement,
    ActiveAlert,
    AlertEvent,
    AlertState,
    DataState,
    EndReason,
    Mute,
    MuteKind,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import end_episode, mark_no_data
from watchdeck.domain.notifications.message import (
    LastMessage,
    Message,
    MessageKind,
    acknowledgement_message,
    messages_for,
    overdue_page,
    repeated_page,
    returned_message,
    summary,
)
from watchdeck.domain.rules.rule import (
    Absent,
    Burn,
    FailedScrapes,
    Limit,
    NoData,
    Rule,
    Severity,
    Threshold,
)
from watchdeck.domain.rules.rule import (
    Test as RuleTest,
)

MUTED = (Mute(MuteKind.SILENCE, "3"),)
NOTICED = replace(AT_ONCE, severity=Severity.MEDIUM)
UNTAKEN = firing(Severity.CRITICAL)


def sent(
    life: Life, acked: Acknowledgement | None = None, mutes: tuple[Mute, ...] = ()
) -> list[Message]:
    """The messages of a life in which somebody was paged as soon as anybody could be."""
    told: list[Message] = []
    for one in life.steps:
        paged_at = START if any(message.severity.is_paging for message in told) else None
        shown = raised(replace(one.episode, paged_at=paged_at), acked, mutes)
        told += messages_for(one, shown, life.rule)
    return told


def kinds(found: list[Message]) -> list[str]:
    return [message.kind.value for message in found]


@pytest.mark.parametrize(
    ("rule", "letters", "expected"),
    [
        pytest.param(RULE, "TTT", [], id="what only waits is told nobody"),
        pytest.param(RULE, "TTTT", ["page"], id="A2: that it fires is told"),
        pytest.param(RULE, "TTF", [], id="A3: what was dropped was never told"),
        pytest.param(AT_ONCE, "TFT", ["page"], id="A5 and A7: to and fro is no news"),
        pytest.param(AT_ONCE, "T" + "F" * 7, ["page", "resolved"], id="A6: that it is over is"),
        pytest.param(AT_ONCE, "T____", ["page", "no_data"], id="A8: that it is not seen is, once"),
        pytest.param(AT_ONCE, "T____T", ["page", "no_data"], id="A9: that it is seen again is not"),
        pytest.param(
            AT_ONCE, "T" + "F" * 7 + "T", ["page", "resolved"], id="A10: nor that it reopens"
        ),
        pytest.param(
            AT_ONCE, "TFTFTFTFTF", ["page", "flapping"], id="A13: that it flaps is told once"
        ),
        pytest.param(NOTICED, "T____", ["notice", "notice"], id="severity 3 is only a notice"),
        pytest.param(NOTICED, "T" + "F" * 7, ["notice"], id="and its end is not told"),
        pytest.param(
            replace(AT_ONCE, no_data=NoData.IGNORE), "T____", ["page"],
            id="ignore: silence is told nobody",
        ),
        pytest.param(RULE, "TT" + "_" * 9, [], id="silence about what only waits is not"),
    ],
)  # fmt: skip
def test_few_steps_are_told(rule: Rule, letters: str, expected: list[str]) -> None:
    assert kinds(sent(lived(letters, rule))) == expected


def test_nothing_is_told_of_a_muted_alert() -> None:
    life = lived("TFTFTFTFTF" + "_" * 4, AT_ONCE)
    assert sent(life, mutes=MUTED) == []


def test_who_has_an_alert_is_not_told_that_it_flaps() -> None:
    life = lived("TFTFTFTFTF", AT_ONCE)
    assert kinds(sent(life, ack(severity=Severity.CRITICAL))) == ["page"]


def test_the_end_of_what_somebody_was_paged_for_is_told_even_when_it_is_muted() -> None:
    over_, (told,) = end_episode(firing(), START + 60_000, EndReason.CLEARED, "fine")
    assert kinds(list(messages_for(told, raised(over_, mutes=MUTED), RULE))) == ["resolved"]


def test_a_replayed_step_is_the_same_message() -> None:
    life = lived("TFTFTFTFTF" + "_" * 4 + "F" * 30, AT_ONCE)
    keys = [message.dedup_key for message in sent(life)]
    assert keys == [message.dedup_key for message in sent(life)]
    assert len(keys) == len(set(keys)) == 3


def test_rules_that_lose_their_target_by_the_same_sample_tell_it_once() -> None:
    keys = set()
    for number in (1, 2, 3):
        episode, (told,) = mark_no_data(firing(id=number), START + 40_000, "no sample for 40s")
        (message,) = messages_for(told, raised(episode), RULE)
        keys.add(message.dedup_key)
        assert message.text == "fraud: no sample for 40s; slow was firing"
    assert keys == {f"watchdeck/no_data/fraud/{START}"}


def test_fourteen_seconds_without_a_scrape_of_what_fires_are_one_message() -> None:
    life = Life(AT_ONCE, every=1_000).play("T" * 5 + "_" * 14 + "T" * 20)
    assert life.verbs == ["fired", "no_data", "data_back"]
    assert kinds(sent(life)) == ["page", "no_data"]


def test_what_gets_worse_names_who_had_it() -> None:
    told = Transition(AlertEvent.WORSE, START, firing(Severity.CRITICAL), "severity 2 → 1")
    (message,) = messages_for(told, raised(told.episode, ack()), RULE)
    assert message.kind is MessageKind.WORSE
    assert message.text == (
        "severity 2 → 1, worse than when elena acknowledged it: fraud: p95 412 ms > 200 ms"
    )
    pending = raised(firing(condition=AlertState.PENDING))
    assert messages_for(told, pending, RULE) == ()


def test_the_end_says_how_long_it_was_and_what_a_person_wrote() -> None:
    episode, (told,) = end_episode(
        firing(), START + 90_000, EndReason.MANUAL, "elena: disk replaced"
    )
    (message,) = messages_for(told, raised(episode), RULE)
    assert message.text == "over after 1m 30s (elena: disk replaced): fraud: p95 412 ms > 200 ms"
    again, (told,) = end_episode(
        replace(episode, reopened=1), START + 95_000, EndReason.CLEARED, ""
    )
    (second,) = messages_for(told, raised(again), RULE)
    assert second.dedup_key != message.dedup_key
    assert second.text == "over after 1m 35s: fraud: p95 412 ms > 200 ms"


UNPAGED = firing(paged_at=None)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param(raised(UNPAGED), ["page"], id="it fires, and nothing mutes it any more"),
        pytest.param(raised(replace(UNPAGED, data=DataState.NONE)), ["page"], id="seen or not"),
        pytest.param(raised(UNPAGED, mutes=MUTED), [], id="not while something mutes it"),
        pytest.param(raised(UNPAGED, ack()), [], id="not when somebody has it"),
        pytest.param(raised(firing()), [], id="not twice"),
        pytest.param(raised(replace(UNPAGED, condition=AlertState.CLEARING)), [], id="not late"),
        pytest.param(raised(replace(UNPAGED, severity=Severity.LOW)), [], id="not a notice"),
    ],
)
def test_a_page_that_was_muted_is_owed(shown: ActiveAlert, expected: list[str]) -> None:
    assert kinds(list(overdue_page(shown, RULE))) == expected


def test_a_notice_never_stands_in_the_way_of_a_page() -> None:
    keys = set()
    for severity in (Severity.MEDIUM, Severity.HIGH):
        episode = firing(severity, paged_at=None)
        _, (lost,) = mark_no_data(episode, START + 40_000, "no sample for 40s")
        for step in (Transition(AlertEvent.FIRED, START, episode), lost):
            keys |= {one.dedup_key for one in messages_for(step, raised(step.episode), RULE)}
    assert len(keys) == 4


def test_the_page_that_was_owed_is_the_page_itself() -> None:
    (late,) = overdue_page(raised(UNPAGED))
    (page,) = messages_for(Transition(AlertEvent.FIRED, START, UNPAGED), raised(UNPAGED))
    assert late == page


@pytest.mark.parametrize(
    ("kind", "shown", "text", "people"),
    [
        pytest.param(
            MessageKind.ACKNOWLEDGED, raised(firing()), "elena has it: ", (), id="somebody has it"
        ),
        pytest.param(
            MessageKind.UNACKNOWLEDGED, raised(firing()), "elena gave it back: ", (),
            id="nobody has it any more",
        ),
        pytest.param(
            MessageKind.REMINDER, raised(firing()),
            "elena's acknowledgement is about to expire: ", ("elena",), id="A14: soon",
        ),
        pytest.param(
            MessageKind.ACK_EXPIRED, raised(firing()), "elena's acknowledgement expired: ",
            ("elena",), id="A14: its owner and whoever is on call",
        ),
        pytest.param(
            MessageKind.ACKNOWLEDGED, raised(UNPAGED), "", (), id="nobody was paged for it"
        ),
        pytest.param(
            MessageKind.ACK_EXPIRED, raised(firing(), mutes=MUTED), "", (), id="it is muted"
        ),
        pytest.param(
            MessageKind.REMINDER, raised(firing(condition=AlertState.OK)), "", (), id="it is over"
        ),
    ],
)  # fmt: skip
def test_what_people_did_is_told(
    kind: MessageKind, shown: ActiveAlert, text: str, people: tuple[str, ...]
) -> None:
    found = acknowledgement_message(kind, shown, ack(), RULE)
    if not text:
        assert found == ()
        return
    (message,) = found
    assert (message.kind, message.people) == (kind, people)
    assert message.text == f"{text}fraud: p95 412 ms > 200 ms"
    assert message.dedup_key == f"watchdeck/1/{kind}/5"


SLOW = Threshold("latency_p95", above=True, limit=Limit(0.2))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        pytest.param("", "fraud: p95 412 ms > 200 ms", id="without words of its own"),
        pytest.param(
            "{model} of {owner}: {value} over {limit}", "fraud of risk: 412 ms over 200 ms",
            id="with values in their unit",
        ),
        pytest.param("{nobody} {}", "{nobody} {}", id="what is not known stays as it is written"),
        pytest.param("{owner.__class__}", "{owner.__class__}", id="nothing is looked up in it"),
        pytest.param("a\x1b[31mb", "a^[[31mb", id="nothing in it can act on a terminal"),
    ],
)  # fmt: skip
def test_a_rule_says_it_in_its_own_words(template: str, text: str) -> None:
    assert summary(ALERT, firing(), replace(RULE, test=SLOW, message=template)) == text


def test_a_value_without_a_unit_is_a_plain_number_and_none_is_unknown() -> None:
    rule = replace(RULE, message="{value} {limit}")
    assert summary(ALERT, firing(limit=None), rule) == "0.412 unknown"


def test_a_foreign_alert_without_a_model_is_its_sources() -> None:
    foreign = replace(ALERT, source="alertmanager", model="", rule="DiskFull")
    assert summary(foreign, firing(why="")) == "alertmanager: DiskFull"
    assert summary(ALERT, firing(why="fraud is down")) == "fraud is down"


OVER = {"phone": LastMessage(MessageKind.RESOLVED)}
KNOWN = {"phone": LastMessage(MessageKind.PAGE)}
BACK = firing(reopened=2, started_at=START - 40 * 60_000)
DOUBTED = replace(BACK, condition=AlertState.CLEARING, data=DataState.NONE)


@pytest.mark.parametrize(
    ("shown", "last", "texts"),
    [
        pytest.param(raised(BACK), OVER, ["again, the 3rd time in 40m: fraud: "], id="at once"),
        pytest.param(raised(BACK), KNOWN, [], id="not to whom no end was told"),
        pytest.param(raised(BACK), {}, [], id="not where nobody knows of it"),
        pytest.param(raised(BACK, mutes=MUTED), OVER, [], id="not while it is muted"),
        pytest.param(
            raised(BACK, ack()), OVER,
            ["again, the 3rd time in 40m; the acknowledgement of elena is restored: fraud: "],
            id="an acknowledgement that outlived the end is no deed",
        ),
        pytest.param(
            raised(DOUBTED), OVER, ["again, the 3rd time in 40m; no data now: fraud: "],
            id="also when nothing is known since",
        ),
        pytest.param(
            raised(replace(BACK, flapping=True)), OVER,
            ["again, the 3rd time in 40m; flapping; its end is told after 15m of calm: fraud: "],
            id="it keeps it open while it flaps",
        ),
        pytest.param(
            raised(replace(BACK, condition=AlertState.CLEARING)), OVER, [], id="not what clears"
        ),
    ],
)  # fmt: skip
def test_a_return_is_owed_to_who_believes_that_it_is_over(
    shown: ActiveAlert, last: dict[str, LastMessage], texts: list[str]
) -> None:
    found = returned_message(shown, START, last, RULE)
    assert [message.text.partition("p95")[0] for message in found] == texts


@pytest.mark.parametrize(
    ("shown", "minutes", "keys"),
    [
        pytest.param(raised(UNTAKEN), 29, [], id="not yet"),
        pytest.param(raised(UNTAKEN), 30, ["1"], id="half an hour later"),
        pytest.param(raised(UNTAKEN), 59, ["1"], id="once in half an hour"),
        pytest.param(raised(UNTAKEN), 300, ["10"], id="for as long as it lasts"),
        pytest.param(raised(UNTAKEN, ack()), 60, [], id="not when somebody has it"),
        pytest.param(raised(UNTAKEN, mutes=MUTED), 60, [], id="not while it is muted"),
        pytest.param(raised(firing()), 60, [], id="not of severity 2"),
        pytest.param(raised(replace(UNTAKEN, flapping=True)), 60, [], id="not while it flaps"),
    ],
)
def test_a_severity_1_that_nobody_takes_is_told_every_half_hour(
    shown: ActiveAlert, minutes: int, keys: list[str]
) -> None:
    found = repeated_page(shown, START + minutes * 60_000, RULE)
    assert [message.dedup_key.rpartition("/")[2] for message in found] == keys


P95 = Threshold("latency_p95", above=True, limit=Limit(0.2))
BURN = Burn("error_ratio", ())


@pytest.mark.parametrize(
    ("test", "text"),
    [
        pytest.param(
            P95, "fraud: latency_p95 was 934 ms, is 85.6 ms, limit 120 ms", id="with its unit"
        ),
        pytest.param(
            BURN, "fraud: error_ratio budget burn rate was 0.934, is 0.0856, limit 0.12",
            id="a burn rate is no share",
        ),
        pytest.param(
            FailedScrapes(3), "fraud: the last scrape succeeded", id="what holds now, in words"
        ),
    ],
)  # fmt: skip
def test_the_end_says_the_worst_and_what_is_now(test: RuleTest, text: str) -> None:
    over, (step,) = end_episode(
        firing(peak=0.934, value=0.0856, limit=0.12, why="the last scrape succeeded"),
        START + 426_000, EndReason.CLEARED, "",
    )  # fmt: skip
    rule = replace(RULE, test=test, message="{model} does not serve. Is its process there?")
    (message,) = messages_for(step, raised(over), rule)
    assert message.text == f"over after 7m 6s: {text}"


@pytest.mark.parametrize(
    ("test", "value", "text"),
    [
        pytest.param(Absent(), 31.0, "31 s", id="a time without samples"),
        pytest.param(Absent(), 415.2, "6m 55s", id="a long time without samples"),
        pytest.param(BURN, 49.49, "49.5", id="a burn rate is a factor"),
        pytest.param(P95, 0.412, "412 ms", id="a signal has its unit"),
        pytest.param(FailedScrapes(3), 5.0, "5", id="a count"),
    ],
)
def test_a_figure_in_a_message_has_the_unit_that_its_rule_compares(
    test: RuleTest, value: float, text: str
) -> None:
    rule = replace(RULE, test=test, message="{value}")
    assert summary(ALERT, firing(value=value), rule) == text
