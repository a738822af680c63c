"""What holds of every alert whatever is found or heard of it, in whatever order."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.alerts.lives import EVERY, RULE, START, Life, found, raised, short
from watchdeck.domain.alerts.alert import AlertEvent
from watchdeck.domain.alerts.flapping import FLAPPING_SAMPLES
from watchdeck.domain.alerts.lifecycle import Evaluation, mark_stale, shift_times
from watchdeck.domain.external.event import ExternalEvent, Status
from watchdeck.domain.external.lifecycle import advance_time, apply_event
from watchdeck.domain.notifications.message import MessageKind, messages_for
from watchdeck.domain.rules.rule import Rule, Severity

chances = st.integers(0, 1 << 32).map(Random)
letters = st.text("TF_", max_size=80)
rules = st.builds(
    lambda hold, resolve_for, least: replace(
        RULE, hold=hold * EVERY, resolve_for=resolve_for * EVERY, min_samples=least
    ),
    st.integers(0, 4),
    st.integers(0, 6),
    st.integers(1, 4),
)


def findings(text: str) -> list[Evaluation]:
    return [found(letter, START + number * EVERY) for number, letter in enumerate(text)]


def lived_through(judged: Rule, seen: list[Evaluation]) -> Life:
    life = Life(judged)
    for finding in seen:
        life.see(finding)
    return life


def told(life: Life) -> list[tuple[str, int]]:
    return [(short(one), one.at) for one in life.steps]


@given(rules, st.text("T_", max_size=80))
def test_without_a_good_sample_nothing_is_ever_over(judged: Rule, text: str) -> None:
    """I2."""
    verbs = lived_through(judged, findings(text)).verbs
    assert not {"resolved", "dropped", "clearing"} & set(verbs)


@given(rules, letters, chances)
def test_a_finding_said_twice_or_late_changes_nothing(
    judged: Rule, text: str, chance: Random
) -> None:
    """I4: the same again, at once or any time later, is as if it had not been said."""
    seen = findings(text)
    noisy = Life(judged)
    for number, finding in enumerate(seen):
        noisy.see(finding)
        for _ in range(chance.randint(0, 2)):
            noisy.see(seen[chance.randint(0, number)])
    clean = lived_through(judged, seen)
    assert (noisy.episode, told(noisy)) == (clean.episode, told(clean))


@given(rules, letters, st.integers(0, 80), st.integers(-(10**8), 10**8))
def test_a_jump_of_the_clock_changes_nothing_that_happens(
    judged: Rule, text: str, when: int, jump: int
) -> None:
    """I13: what is shifted by the jump lives on as if there had been none."""
    jumped = Life(judged)
    for number, finding in enumerate(findings(text)):
        if number == when:
            at = finding.at + jump
            jumped.episode = jumped.episode and shift_times(jumped.episode, jump, at)
            jumped.previous = jumped.previous and shift_times(jumped.previous, jump, at)
        jumped.see(replace(finding, at=finding.at + jump) if number >= when else finding)
    assert jumped.verbs == lived_through(judged, findings(text)).verbs


@given(rules, letters, st.sets(st.integers(0, 80)))
def test_a_restart_ends_nothing_and_fires_nothing_early(
    judged: Rule, text: str, restarts: set[int]
) -> None:
    life = Life(judged)
    for number, finding in enumerate(findings(text)):
        if number in restarts and life.episode is not None:
            life.episode = mark_stale(life.episode, finding.at - EVERY // 2)
        life.see(finding)
    good = {finding.at for finding in findings(text) if finding.truth is False}
    assert {one.at for one in life.steps if not one.episode.is_open} <= good
    steady = lived_through(judged, findings(text))
    assert first_fired(life) >= first_fired(steady)


def first_fired(life: Life) -> float:
    return min((one.at for one in life.steps if one.verb is AlertEvent.FIRED), default=float("inf"))


@given(rules, letters)
def test_an_episode_pages_once_and_each_message_is_its_own(judged: Rule, text: str) -> None:
    """I3 and I4: a replay makes the same keys, and no two messages share one."""
    life = lived_through(judged, findings(text))
    sent = [
        message for one in life.steps for message in messages_for(one, raised(one.episode), judged)
    ]
    pages = [message for message in sent if message.kind is MessageKind.PAGE]
    assert len(pages) == len({one.episode.id for one in life.steps if one.verb is AlertEvent.FIRED})
    assert len({message.dedup_key for message in sent}) == len(sent)


@given(rules, letters)
def test_each_step_follows_from_the_one_before(judged: Rule, text: str) -> None:
    """I1: no episode begins while one is open; time and numbers only grow."""
    life = lived_through(judged, findings(text))
    for before, after in pairwise(life.steps):
        assert before.at <= after.at
        began = after.verb in (AlertEvent.PENDING, AlertEvent.FIRED, AlertEvent.REOPENED)
        if after.episode.id != before.episode.id:
            assert began
            assert not before.episode.is_open
    for one in life.steps:
        assert one.episode.is_open is (one.verb not in (AlertEvent.RESOLVED, AlertEvent.DROPPED))
        assert one.episode.recent < 1 << FLAPPING_SAMPLES


events = st.lists(
    st.builds(
        lambda firing, starts, severity: ("firing" if firing else "resolved", starts, severity),
        st.booleans(),
        st.integers(0, 12),
        st.sampled_from(Severity),
    ),
    max_size=25,
)


def heard(stream: list[tuple[str, int, Severity]], name: str = "a") -> list[ExternalEvent]:
    """What one source says of one alert, a minute apart; no start is in the future."""
    return [
        ExternalEvent(
            f"{name}{number}", name, "ab12", "rule", "fraud", severity, Status(status),
            START + number * 60_000, START + min(starts, number) * 60_000,
        )
        for number, (status, starts, severity) in enumerate(stream)
    ]  # fmt: skip


def followed(stream: list[ExternalEvent]) -> Life:
    life = Life()
    for event in stream:
        life.keep(*apply_event(life.episode, event, life.previous))
    return life


@given(events, chances)
def test_an_event_replayed_any_time_later_changes_nothing(
    stream: list[tuple[str, int, Severity]], chance: Random
) -> None:
    """I4."""
    seen, noisy = heard(stream), Life()
    for number, event in enumerate(seen):
        noisy.keep(*apply_event(noisy.episode, event, noisy.previous))
        for _ in range(chance.randint(0, 2)):
            again = seen[chance.randint(0, number)]
            noisy.keep(*apply_event(noisy.episode, again, noisy.previous))
    clean = followed(seen)
    assert (noisy.episode, told(noisy)) == (clean.episode, told(clean))


@given(events)
def test_a_resolve_of_an_older_start_never_ends_a_newer_episode(
    stream: list[tuple[str, int, Severity]],
) -> None:
    """I5."""
    life = Life()
    for event in heard(stream):
        before = life.episode
        life.keep(*apply_event(before, event, life.previous))
        if before is not None and life.episode is None:
            assert event.status is Status.RESOLVED
            assert event.starts_at >= (before.fired_at or 0)


@given(events, events, chances)
def test_sources_in_any_interleaving_end_in_the_same_state(
    one: list[tuple[str, int, Severity]],
    other: list[tuple[str, int, Severity]],
    chance: Random,
) -> None:
    """I5: the order within each source is kept, the order between them is any."""
    queues = {"a": heard(one, "a"), "b": heard(other, "b")}
    lives = {"a": Life(), "b": Life()}
    while any(queues.values()):
        name = chance.choice([name for name, queue in queues.items() if queue])
        event, life = queues[name].pop(0), lives[name]
        life.keep(*apply_event(life.episode, event, life.previous))
    for name, stream in (("a", one), ("b", other)):
        alone = followed(heard(stream, name))
        assert (lives[name].episode, told(lives[name])) == (alone.episode, told(alone))


@given(events)
def test_a_doubted_source_resolves_nothing(stream: list[tuple[str, int, Severity]]) -> None:
    """I2."""
    life = Life()
    for event in heard(stream):
        life.keep(*apply_event(life.episode, event, life.previous, doubt="it is silent"))
        if life.episode is not None:
            life.keep(*advance_time(life.open, event.received_at + 3_600_000, doubt="it is silent"))
    assert "resolved" not in life.verbs
