"""Lives of alerts as text: T a true sample, F a false one, _ none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import (
    OURS,
    Acknowledgement,
    ActiveAlert,
    Alert,
    AlertState,
    Episode,
    Mute,
    Transition,
)
from watchdeck.domain.alerts.lifecycle import Evaluation, advance
from watchdeck.domain.rules.rule import Rule, Severity, Unsupported

EVERY = 10_000
START = 1_700_000_000_000
RULE = Rule("slow", "made up", Unsupported("made up", ()), Severity.HIGH, hold=30_000)
AT_ONCE = replace(RULE, hold=0)
ALERT = Alert(7, OURS, "slow/fraud", "slow", "fraud", {"owner": "risk"})

TRUTHS = {"T": True, "F": False, "_": None}


def found(letter: str, at: int, value: float | None = None, samples: int = 1) -> Evaluation:
    return Evaluation(TRUTHS[letter], value, 0.2, "p95 412 ms > 200 ms", at, samples)


@dataclass
class Life:
    """All episodes of one alert, and every step they took."""

    rule: Rule = RULE
    now: int = START
    every: int = EVERY
    episode: Episode | None = None
    previous: Episode | None = None
    steps: list[Transition] = field(default_factory=list)
    numbers: Iterable[int] = field(default_factory=lambda: iter(count(1)))

    def play(self, letters: str) -> Life:
        for letter in letters:
            self.see(found(letter, self.now))
            self.now += self.every
        return self

    def see(self, finding: Evaluation) -> None:
        self.keep(*advance(self.rule, self.every, self.episode, finding, self.previous))

    def keep(self, episode: Episode | None, steps: tuple[Transition, ...]) -> None:
        """What a store does: number what is new, and remember what is over."""
        if episode is not None and not episode.id:
            numbered = next(iter(self.numbers))
            episode = replace(episode, id=numbered, alert=ALERT.id)
            steps = tuple(
                replace(one, episode=replace(one.episode, id=numbered, alert=ALERT.id))
                for one in steps
            )
        self.steps += steps
        self.episode = episode
        if episode is not None and not episode.is_open:
            self.previous, self.episode = episode, None

    def wait(self, milliseconds: int) -> Life:
        self.now += milliseconds
        return self

    @property
    def open(self) -> Episode:
        assert self.episode is not None
        return self.episode

    @property
    def told(self) -> list[str]:
        """The steps as `WHICH SAMPLE verb`."""
        return [f"{(one.at - START) // self.every} {short(one)}" for one in self.steps]

    @property
    def verbs(self) -> list[str]:
        return [short(one) for one in self.steps]


def short(step: Transition) -> str:
    return step.verb.value.removeprefix("alert.")


def lived(letters: str, rule: Rule = RULE) -> Life:
    return Life(rule).play(letters)


def firing(severity: Severity = Severity.HIGH, **changed: object) -> Episode:
    """An episode that fires since the beginning, and was paged for."""
    begun = Episode(
        1, ALERT.id, START, AlertState.FIRING, severity, severity, fired_at=START, seen_at=START,
        paged_at=START, why="p95 412 ms > 200 ms", value=0.412, limit=0.2,
    )  # fmt: skip
    return replace(begun, **changed)


def raised(
    episode: Episode, ack: Acknowledgement | None = None, mutes: tuple[Mute, ...] = ()
) -> ActiveAlert:
    return ActiveAlert(ALERT, episode, ack, mutes)


def ack(
    by: str = "elena", severity: Severity = Severity.HIGH, lasts: int = 7_200_000
) -> Acknowledgement:
    return Acknowledgement(5, 1, by, START, START + lasts, severity)
