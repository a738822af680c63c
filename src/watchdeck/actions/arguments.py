"""Parsers of the text typed after the name of an action; each returns a request."""

import re

from msgspec import Struct

from watchdeck.actions.requests import (
    AcknowledgeRequest,
    ChangeRequest,
    EscalateRequest,
    FeedbackRequest,
    NoteRequest,
    PinRequest,
    ResolveRequest,
    SilenceRequest,
    TakeOverRequest,
    UnacknowledgeRequest,
    UndoRequest,
    UnpinRequest,
    UnsilenceRequest,
)
from watchdeck.domain.alerts.alert import Feedback
from watchdeck.domain.board.change import REPORTED_KINDS, ChangeKind
from watchdeck.domain.values.matcher import Matcher, MatcherError, read_matcher
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Milliseconds
from watchdeck.errors import WatchdeckError

_OPTION = re.compile(r"--(\S*?)(?:[= ]\s*(\S*)\s*(.*))?")


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
    """Labels, a length of time (ms) and words, in this order."""

    matchers: tuple[Matcher, ...] = ()
    length: int | None = None
    words: str = ""


def parse_arguments(text: str) -> TypedArguments:
    """Read text such as `model=fraud 2h a deploy`: matchers and one length of time, then words."""
    matchers: list[Matcher] = []
    length: int | None = None
    rest = text.split()
    while rest:
        if length is None and (found := _read_length(rest[0])) is not None:
            length = found
        elif (matcher := _read_matcher(rest[0])) is not None:
            matchers.append(matcher)
        else:
            break
        rest.pop(0)
    return TypedArguments(tuple(matchers), length, " ".join(rest))


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


def parse_acknowledge(text: str, about: Selection) -> AcknowledgeRequest:
    """Parse `[LENGTH] [NOTE]` into a request to acknowledge the selected episodes."""
    typed = parse_arguments(text)
    return AcknowledgeRequest(about.episodes, typed.length, typed.words)


def parse_take_over(text: str, about: Selection) -> TakeOverRequest:
    """Parse an optional note into a request to take over the selected episodes."""
    return TakeOverRequest(about.episodes, text)


def parse_unacknowledge(_text: str, about: Selection) -> UnacknowledgeRequest:
    """Return a request to end the acknowledgements of the selected episodes; ignore the text."""
    return UnacknowledgeRequest(about.episodes)


def parse_escalate(_text: str, about: Selection) -> EscalateRequest:
    """Return a request to escalate the selected episodes; ignore the text."""
    return EscalateRequest(about.episodes)


def parse_resolve(text: str, about: Selection) -> ResolveRequest:
    """Parse a note into a request to resolve the selected episodes."""
    return ResolveRequest(about.episodes, text)


def parse_note(text: str, about: Selection) -> NoteRequest:
    """Return a request to write the text as a note on the selected episodes."""
    return NoteRequest(about.episodes, text)


def parse_feedback(text: str, about: Selection) -> FeedbackRequest:
    """Parse `useful`, `noise` or `late` as feedback on the selected episodes. Raises ValueError."""
    return FeedbackRequest(about.episodes, Feedback(text))


def parse_silence(text: str, _about: Selection) -> SilenceRequest:
    """Parse `MATCHER... LENGTH REASON`, such as `model=fraud 2h a deploy`."""
    typed = parse_arguments(text)
    return SilenceRequest(typed.matchers, typed.length, typed.words)


def parse_unsilence(text: str, _about: Selection) -> UnsilenceRequest:
    """Parse the number of a silence to end. Raises ArgumentError."""
    return UnsilenceRequest(_read_number(text, "silence"))


def parse_pin(text: str, _about: Selection) -> PinRequest:
    """Parse `model=NAME 1d TEXT`, `rule=NAME 1d TEXT`, or both labels. Raises ArgumentError."""
    typed = parse_arguments(text)
    labels = {one.label: one.wanted for one in typed.matchers if not one.pattern}
    if typed.length is None:
        raise ArgumentError("a known issue needs an end: pin model=NAME 1d WHAT IS KNOWN")
    model, rule = labels.get("model", ""), labels.get("rule", "")
    return PinRequest(typed.words, typed.length, model, rule)


def parse_unpin(text: str, _about: Selection) -> UnpinRequest:
    """Parse the number of a known issue to remove. Raises ArgumentError."""
    return UnpinRequest(_read_number(text, "known issue"))


def parse_change(text: str, about: Selection) -> ChangeRequest:
    """Parse TEXT (a note) or `--what KIND TEXT`, as in `--what deploy v2`. Raises ArgumentError."""
    match = _OPTION.fullmatch(text)
    if match is None:
        return ChangeRequest(about.model, ChangeKind.NOTE, text, about.at)
    option, kind, words = match.groups(default="")
    if option != "what" or kind not in REPORTED_KINDS:
        said = clean(text, 40)
        raise ArgumentError(
            f"{said!r} is no change; write TEXT, or --what {'|'.join(REPORTED_KINDS)} TEXT"
        )
    return ChangeRequest(about.model, ChangeKind(kind), words, about.at)


def parse_undo(_text: str, _about: Selection) -> UndoRequest:
    """Return a request without audit rows, which the console fills in; ignore the text."""
    return UndoRequest(())


def _read_number(text: str, what: str) -> int:
    if not text.strip().isdecimal() or len(text) > 18:
        raise ArgumentError(f"write the number of the {what}")
    return int(text)
