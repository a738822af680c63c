"""What a person does to alerts from here: each verb with what is typed after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from watchdeck.domain.values.matcher import Matcher, MatcherError, read_matcher
from watchdeck.domain.values.units import Milliseconds

if TYPE_CHECKING:
    from watchdeck.actions.transaction import ActionResult
    from watchdeck.domain.notifications.routing import Routing
    from watchdeck.domain.values.operator import Operator
    from watchdeck.store.files.directory import StoreDirectory


class ArgumentError(ValueError):
    """What was typed after a verb does not say what to do; the text says what would."""


class VerbArguments(Struct, frozen=True):
    """What is typed after a verb: labels, a length of time (ms), and words, in any order."""

    matchers: tuple[Matcher, ...] = ()
    length: int | None = None
    words: str = ""


def parse_arguments(text: str) -> VerbArguments:
    """Read `model=fraud 2h a deploy`: matchers and a time come before the words."""
    matchers: list[Matcher] = []
    length: int | None = None
    rest = text.split()
    while rest:
        if length is None and (found := _length(rest[0])) is not None:
            length = found
        elif (matcher := _matcher(rest[0])) is not None:
            matchers.append(matcher)
        else:
            break
        rest.pop(0)
    return VerbArguments(tuple(matchers), length, " ".join(rest))


def _length(word: str) -> int | None:
    try:
        return int(Milliseconds.parse(word))
    except ValueError:
        return None


def _matcher(word: str) -> Matcher | None:
    try:
        return read_matcher(word)
    except MatcherError:
        return None


class Operations(Struct, frozen=True):
    """The hands of whoever sits here: what they do goes into the store in their name."""

    directory: StoreDirectory
    who: Operator
    routing: Routing | None = None

    def do(self, verb: str, episodes: Sequence[int], text: str, now: int) -> ActionResult:
        """Do what a verb says at `now` (ms UTC). Raises DeedError, and WatchdeckError."""
        return _VERBS[verb](self, episodes, text, now)

    def undo(self, numbers: Sequence[int], now: int) -> ActionResult:
        """Take a deed back."""
        from watchdeck.actions.alerts.undo import undo

        return undo(self.directory, numbers, self.who, now)


def _acknowledge(hands: Operations, episodes: Sequence[int], text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.acknowledge import acknowledge

    said = parse_arguments(text)
    until = None if said.length is None else now + said.length
    return acknowledge(
        hands.directory,
        episodes,
        hands.who,
        now,
        expires_at=until,
        note=said.words,
        routing=hands.routing,
    )


def _take_over(hands: Operations, episodes: Sequence[int], text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.acknowledge import take_over

    return take_over(hands.directory, episodes, hands.who, now, note=text, routing=hands.routing)


def _unacknowledge(
    hands: Operations, episodes: Sequence[int], _text: str, now: int
) -> ActionResult:
    from watchdeck.actions.alerts.acknowledge import unacknowledge

    return unacknowledge(hands.directory, episodes, hands.who, now, routing=hands.routing)


def _escalate(hands: Operations, episodes: Sequence[int], _text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.escalate import escalate

    return escalate(hands.directory, episodes, hands.who, now, routing=hands.routing)


def _resolve(hands: Operations, episodes: Sequence[int], text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.resolve import resolve

    return resolve(hands.directory, episodes, hands.who, now, note=text, routing=hands.routing)


def _note(hands: Operations, episodes: Sequence[int], text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.resolve import note

    return note(hands.directory, episodes, hands.who, now, text=text)


def _opine(hands: Operations, episodes: Sequence[int], text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.resolve import give_feedback
    from watchdeck.domain.alerts.alert import Feedback

    return give_feedback(hands.directory, episodes, hands.who, now, opinion=Feedback(text))


def _silence(hands: Operations, _episodes: Sequence[int], text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.silence import silence

    said = parse_arguments(text)
    until = None if said.length is None else now + said.length
    return silence(hands.directory, said.matchers, hands.who, now, reason=said.words, ends_at=until)


def _unsilence(hands: Operations, _episodes: Sequence[int], text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.silence import unsilence

    return unsilence(hands.directory, _number(text, "silence"), hands.who, now)


def _pin(hands: Operations, _episodes: Sequence[int], text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.silence import pin

    said = parse_arguments(text)
    named = {one.label: one.wanted for one in said.matchers if not one.pattern}
    if said.length is None:
        raise ArgumentError("a known issue needs an end: pin model=NAME 1d WHAT IS KNOWN")
    about = named.get("model", ""), named.get("rule", "")
    return pin(
        hands.directory, about, hands.who, now, text=said.words, expires_at=now + said.length
    )


def _unpin(hands: Operations, _episodes: Sequence[int], text: str, now: int) -> ActionResult:
    from watchdeck.actions.alerts.silence import unpin

    return unpin(hands.directory, _number(text, "known issue"), hands.who, now)


Verb = Callable[[Operations, Sequence[int], str, int], "ActionResult"]

_VERBS: dict[str, Verb] = {
    "ack": _acknowledge,
    "takeover": _take_over,
    "unack": _unacknowledge,
    "escalate": _escalate,
    "resolve": _resolve,
    "note": _note,
    "opinion": _opine,
    "silence": _silence,
    "unsilence": _unsilence,
    "pin": _pin,
    "unpin": _unpin,
}


def _number(text: str, what: str) -> int:
    if not text.strip().isdecimal() or len(text) > 18:
        raise ArgumentError(f"write the number of the {what}")
    return int(text)
