"""The requests of actions: their arguments as plain values, and the parsers of what is typed."""

import re
from typing import Self

from msgspec import Struct

from watchdeck.domain.alerts.alert import Feedback
from watchdeck.domain.board.change import REPORTED_KINDS, ChangeKind
from watchdeck.domain.values.matcher import WORD, Matcher, MatcherError, read_matcher
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Milliseconds
from watchdeck.errors import WatchdeckError

_OPTION = re.compile(r"--([^\s=]*+)(?:[= ]\s*+(\S*+)\s*+(.*))?", re.DOTALL)


class ArgumentError(WatchdeckError):
    """What was typed after an action's name cannot be read; the text says what works."""


class Selection(Struct, frozen=True):
    """The alerts, model and time on a screen to which a typed action applies."""

    episodes: tuple[int, ...] = ()
    """The numbers of the episodes of the selected alerts."""
    model: str = ""
    """The model in focus; empty without one."""
    at: int | None = None
    """The time under the chart's cursor (ms UTC); None for now."""


class TypedArguments(Struct, frozen=True):
    """The parts of a typed text: matchers of labels, one length of time (ms), and other words."""

    matchers: tuple[Matcher, ...] = ()
    length: int | None = None
    words: str = ""


def parse_arguments(text: str) -> TypedArguments:
    """Split text such as `model=fraud 2h a deploy` into matchers, a length of time and words.

    Matchers and the length come first, in any order; the rest are words. Any part may be absent.
    """
    matchers: list[Matcher] = []
    length: int | None = None
    at = 0
    while (word := WORD.match(text, at)) is not None:
        if length is None and (found := _read_length(word[1])) is not None:
            length = found
        elif (matcher := _read_matcher(word[1])) is not None:
            matchers.append(matcher)
        else:
            break
        at = word.end()
    return TypedArguments(tuple(matchers), length, " ".join(text[at:].split()))


def _read_length(word: str) -> int | None:
    try:
        return int(Milliseconds.parse(word))
    except ValueError:
        return None


def _read_matcher(word: str) -> Matcher | None:
    try:
        return read_matcher(word)
    except MatcherError:
        return None


def _read_number(text: str, what: str) -> int:
    if not text.strip().isdecimal() or len(text) > 18:
        raise ArgumentError(f"write the number of the {what}")
    return int(text)


class ActionRequest(Struct, frozen=True, tag_field="action"):
    """Base of all requests. Lengths of time are in ms and count from when the action runs."""

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse what is typed after the action's name, for a selection. Raises ArgumentError."""
        return cls()


class AcknowledgeRequest(ActionRequest, frozen=True, tag="ack"):
    """Acknowledge episodes; when `length` is None, for the default time of their severity."""

    episodes: tuple[int, ...]
    length: int | None = None
    note: str = ""

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse `[LENGTH] [NOTE]` into a request to acknowledge the selected episodes."""
        typed = parse_arguments(text)
        return cls(about.episodes, typed.length, typed.words)


class TakeOverRequest(ActionRequest, frozen=True, tag="takeover"):
    """Acknowledge episodes that somebody else has acknowledged."""

    episodes: tuple[int, ...]
    note: str = ""

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse an optional note into a request to take over the selected episodes."""
        return cls(about.episodes, text)


class UnacknowledgeRequest(ActionRequest, frozen=True, tag="unack"):
    """End the acknowledgements of episodes."""

    episodes: tuple[int, ...]

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Return a request to unacknowledge the selected episodes; ignore the text."""
        return cls(about.episodes)


class EscalateRequest(ActionRequest, frozen=True, tag="escalate"):
    """Notify the channels of the next escalation step of episodes at once."""

    episodes: tuple[int, ...]

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Return a request to escalate the selected episodes; ignore the text."""
        return cls(about.episodes)


class ResolveRequest(ActionRequest, frozen=True, tag="resolve"):
    """End episodes by hand; the note says why they are over."""

    episodes: tuple[int, ...]
    note: str

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse a note into a request to resolve the selected episodes."""
        return cls(about.episodes, text)


class NoteRequest(ActionRequest, frozen=True, tag="note"):
    """Write a note on episodes, open or ended."""

    episodes: tuple[int, ...]
    text: str

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Return a request to write the text as a note on the selected episodes."""
        return cls(about.episodes, text)


class FeedbackRequest(ActionRequest, frozen=True, tag="opinion"):
    """Rate ended episodes as useful, noise or late."""

    episodes: tuple[int, ...]
    opinion: Feedback

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse `useful`, `noise` or `late`, for the selected episodes. Raises ArgumentError."""
        if text not in [one.value for one in Feedback]:
            raise ArgumentError(f"write one of {', '.join(one.value for one in Feedback)}")
        return cls(about.episodes, Feedback(text))


class SilenceRequest(ActionRequest, frozen=True, tag="silence"):
    """Silence alerts whose labels match all matchers; refused when `length` is None."""

    matchers: tuple[Matcher, ...]
    length: int | None
    reason: str
    until_resolved: bool = False

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse `model=fraud 2h a deploy`: matchers, a length of time, and the reason."""
        typed = parse_arguments(text)
        return cls(typed.matchers, typed.length, typed.words)


class UnsilenceRequest(ActionRequest, frozen=True, tag="unsilence"):
    """End a silence before its time."""

    number: int

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse the number of a silence to end. Raises ArgumentError."""
        return cls(_read_number(text, "silence"))


class PinRequest(ActionRequest, frozen=True, tag="pin"):
    """Show a known issue first on the alerts of a model, a rule or both."""

    text: str
    length: int
    model: str = ""
    rule: str = ""

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse `model=NAME 1d TEXT`, `rule=NAME 1d TEXT`, or both labels. Raises ArgumentError."""
        typed = parse_arguments(text)
        labels = {one.label: one.wanted for one in typed.matchers if not one.pattern}
        if typed.length is None:
            raise ArgumentError("a known issue needs an end: pin model=NAME 1d WHAT IS KNOWN")
        model, rule = labels.get("model", ""), labels.get("rule", "")
        return cls(typed.words, typed.length, model, rule)


class UnpinRequest(ActionRequest, frozen=True, tag="unpin"):
    """Stop showing a known issue."""

    number: int

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse the number of a known issue to remove. Raises ArgumentError."""
        return cls(_read_number(text, "known issue"))


class ChangeRequest(ActionRequest, frozen=True, tag="change"):
    """Mark a change of a model at `at` (ms UTC); None means now."""

    model: str
    what: ChangeKind
    text: str
    at: int | None = None

    @classmethod
    def parse(cls, text: str, about: Selection) -> Self:
        """Parse a note, or `--what KIND TEXT` as in `--what deploy v2`. Raises ArgumentError."""
        match = _OPTION.fullmatch(text)
        if match is None:
            return cls(about.model, ChangeKind.NOTE, text, about.at)
        option, kind, words = match.groups(default="")
        if option != "what" or kind not in REPORTED_KINDS:
            said = clean(text, 40)
            raise ArgumentError(
                f"{said!r} is no change; write TEXT, or --what {'|'.join(REPORTED_KINDS)} TEXT"
            )
        return cls(about.model, ChangeKind(kind), words, about.at)


class UndoRequest(ActionRequest, frozen=True, tag="undo"):
    """Undo an action, named by the numbers of its audit rows."""

    rows: tuple[int, ...] = ()
