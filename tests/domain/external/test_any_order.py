"""One alert, the people who handle it, and a clock: everything that can happen, in any order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from domain.alerts.lives import ALERT, EVERY, RULE, START, Life, found, raised
from watchdeck.domain.alerts.acknowledgement import (
    Refusal,
    TakeOver,
    acknowledge,
    expired_acknowledgement,
    renewed_acknowledgement,
    resolve,
    take_over,
    unacknowledge,
)
from watchdeck.domain.alerts.alert import (
    Acknowledgement,
    ActiveAlert,
    AlertEvent,
    AlertState,
    Episode,
    Mute,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import advance, mark_no_data_if_due, mark_stale, shift_times
from watchdeck.domain.alerts.muting import MuteContext, mute_reasons
from watchdeck.domain.alerts.silence import Silence, silence
from watchdeck.domain.notifications.message import Message, messages_for, overdue_page
from watchdeck.domain.rules.rule import Severity
from watchdeck.domain.values.matcher import read_matcher

HOUR = 3_600_000
PEOPLE = st.sampled_from(["elena", "max"])


def moved(ack: Acknowledgement, jump: int) -> Acknowledgement:
    return replace(ack, at=ack.at + jump, expires_at=ack.expires_at + jump)


class Alerting(RuleBasedStateMachine):
    """What an engine and its operators do, with nothing but the pure decisions."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life(RULE)
        self.live: Acknowledgement | None = None
        self.last: Acknowledgement | None = None
        self.silences: tuple[Silence, ...] = ()
        self.sent: list[Message] = []
        self.paged: set[int] = set()

    @initialize(hold=st.integers(0, 3), severity=st.sampled_from(Severity))
    def begin(self, hold: int, severity: Severity) -> None:
        self.life.rule = replace(RULE, hold=hold * EVERY, severity=severity)

    @rule(letter=st.sampled_from("TTTTFFF__"), times=st.integers(1, 8))
    def sample(self, letter: str, times: int) -> None:
        for _ in range(times):
            self.life.now += EVERY
            finding = found(letter, self.life.now)
            moved = advance(self.life.rule, EVERY, self.life.episode, finding, self.life.previous)
            self.keep(*moved, entitled=letter == "F")

    @rule(seconds=st.integers(1, 1_200))
    def say_nothing(self, seconds: int) -> None:
        self.life.now += seconds * 1_000
        if self.life.episode is not None:
            self.keep(*mark_no_data_if_due(self.life.rule, EVERY, self.life.episode, self.life.now))

    @rule(severity=st.sampled_from(Severity))
    def grade(self, severity: Severity) -> None:
        self.life.rule = replace(self.life.rule, severity=severity)

    @rule(seconds=st.integers(0, 7_200))
    def restart(self, seconds: int) -> None:
        self.life.now += seconds * 1_000
        if self.life.episode is not None:
            self.life.episode = mark_stale(self.life.episode, self.life.now)

    @rule(jump=st.integers(-HOUR, HOUR))
    def jump(self, jump: int) -> None:
        """The clock jumps; whoever waits for something waits as long as before."""
        self.life.now += jump
        self.life.episode = self.life.episode and shift_times(
            self.life.episode, jump, self.life.now
        )
        self.life.previous = self.life.previous and shift_times(
            self.life.previous, jump, self.life.now
        )
        self.live = self.live and moved(self.live, jump)
        self.last = self.last and moved(self.last, jump)
        self.silences = tuple(
            replace(one, starts_at=one.starts_at + jump, ends_at=one.ends_at + jump)
            for one in self.silences
        )

    @precondition(lambda self: self.life.episode is not None)
    @rule(who=PEOPLE, minutes=st.integers(1, 200))
    def take(self, who: str, minutes: int) -> None:
        until = self.life.now + minutes * 60_000
        taken = acknowledge(self.life.open, self.live, who, self.life.now, expires_at=until)
        if isinstance(taken, Refusal):
            assert self.live is not None or self.life.open.condition is AlertState.PENDING
        else:
            self.live = taken

    @precondition(lambda self: self.life.episode is not None)
    @rule(who=PEOPLE)
    def take_from_another(self, who: str) -> None:
        handed = take_over(self.life.open, self.live, who, self.life.now)
        if isinstance(handed, TakeOver):
            assert handed.ended.ended_at == handed.begun.at
            self.live, self.last = handed.begun, handed.ended

    @rule()
    def give_back(self) -> None:
        given = unacknowledge(self.live, self.life.now)
        if not isinstance(given, Refusal):
            self.live, self.last = None, given

    @precondition(lambda self: self.life.episode is not None)
    @rule(note=st.sampled_from(["", "replaced the disk"]))
    def call_over(self, note: str) -> None:
        after = resolve(self.life.open, "elena", note, self.life.now)
        if not isinstance(after, Refusal):
            assert note
            self.keep(*after, entitled=True)

    @rule(matcher=st.sampled_from(["model=fraud", "severity=1", "model=churn"]))
    def be_silent(self, matcher: str) -> None:
        now = self.life.now
        made = silence([read_matcher(matcher)], "max", "known", now, now + HOUR)
        assert isinstance(made, Silence)
        self.silences += (replace(made, id=len(self.silences)),)

    @rule()
    def tick(self) -> None:
        """What the engine does without a sample: deadlines, and pages that are owed."""
        if self.life.episode is not None:
            self.lapse(self.life.episode)
            self.tell(overdue_page(self.shown(self.life.episode), self.life.rule))
            shown = self.shown(self.life.episode)
            calls = (
                shown.episode.severity.is_paging and shown.episode.condition is AlertState.FIRING
            )
            quiet = shown.mutes or shown.acknowledgement
            assert quiet or not calls or shown.episode.paged_at is not None

    @invariant()
    def an_owner_has_what_is_open(self) -> None:
        """I6 and I7."""
        if self.live is not None:
            assert self.live.episode == self.life.open.id
            assert self.live.ended_at is None
            assert self.live.expires_at > self.live.at

    @invariant()
    def no_message_is_told_twice(self) -> None:
        keys = [message.dedup_key for message in self.sent]
        assert len(set(keys)) == len(keys)

    @invariant()
    def what_got_worse_is_seen(self) -> None:
        """I11: only a silence that names severities, or was made after the rise, still mutes it."""
        episode = self.life.episode
        if episode is not None and episode.worse_at is not None:
            for mute in self.mutes(episode):
                one = self.silences[int(mute.by)]
                assert one.has_severity_matcher or one.starts_at > episode.worse_at

    def keep(
        self,
        episode: Episode | None,
        steps: tuple[Transition, ...],
        *,
        entitled: bool = False,
    ) -> None:
        before, number = self.life.episode, len(self.life.steps)
        self.life.keep(episode, steps)
        if before is not None and self.life.episode is not None:
            assert self.life.episode.id == before.id  # I1
        for one in self.life.steps[number:]:
            assert entitled or one.episode.is_open  # I2
            self.follow(one)

    def follow(self, one: Transition) -> None:
        """What follows from a step: who keeps it, who is told, whose time is over."""
        if one.verb is AlertEvent.REOPENED and self.last and self.last.episode == one.episode.id:
            self.live = renewed_acknowledgement(self.last, one.episode, one.at)
        shown = self.shown(one.episode)
        told = messages_for(one, shown, self.life.rule)
        if one.verb is AlertEvent.FIRED:
            assert bool(told) is not bool(shown.mutes)  # I3 and I8
        self.tell(told)
        self.lapse(one.episode)

    def tell(self, told: tuple[Message, ...]) -> None:
        self.sent += told
        self.paged.update(message.episode for message in told if message.severity.is_paging)

    def lapse(self, episode: Episode) -> None:
        ended = (
            None
            if self.live is None
            else expired_acknowledgement(self.live, episode, self.life.now)
        )
        if ended is not None:
            self.live, self.last = None, ended

    def shown(self, episode: Episode) -> ActiveAlert:
        paged_at = START if episode.id in self.paged else None
        return raised(replace(episode, paged_at=paged_at), self.live, self.mutes(episode))

    def mutes(self, episode: Episode) -> tuple[Mute, ...]:
        return mute_reasons(ALERT, episode, MuteContext(self.silences), self.life.now)


TestAlerting = Alerting.TestCase
TestAlerting.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
