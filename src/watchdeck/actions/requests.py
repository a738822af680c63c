"""The arguments of actions, as plain values that any transport can carry."""

from msgspec import Struct

from watchdeck.domain.alerts.alert import Feedback
from watchdeck.domain.board.change import ChangeKind
from watchdeck.domain.values.matcher import Matcher


class ActionRequest(Struct, frozen=True, tag_field="action"):
    """Base of all requests. Lengths of time are in ms and count from when the action runs."""


class AcknowledgeRequest(ActionRequest, frozen=True, tag="ack"):
    """Acknowledge episodes; when `length` is None, for the default time of their severity."""

    episodes: tuple[int, ...]
    length: int | None = None
    note: str = ""


class TakeOverRequest(ActionRequest, frozen=True, tag="takeover"):
    """Acknowledge episodes that somebody else has acknowledged."""

    episodes: tuple[int, ...]
    note: str = ""


class UnacknowledgeRequest(ActionRequest, frozen=True, tag="unack"):
    """End the acknowledgements of episodes."""

    episodes: tuple[int, ...]


class EscalateRequest(ActionRequest, frozen=True, tag="escalate"):
    """Notify the next escalation step of episodes at once."""

    episodes: tuple[int, ...]


class ResolveRequest(ActionRequest, frozen=True, tag="resolve"):
    """End episodes by hand; the note says why they are over."""

    episodes: tuple[int, ...]
    note: str


class NoteRequest(ActionRequest, frozen=True, tag="note"):
    """Write a note on episodes, open or ended."""

    episodes: tuple[int, ...]
    text: str


class FeedbackRequest(ActionRequest, frozen=True, tag="opinion"):
    """Rate ended episodes as useful, noise or late."""

    episodes: tuple[int, ...]
    opinion: Feedback


class SilenceRequest(ActionRequest, frozen=True, tag="silence"):
    """Silence alerts whose labels match all matchers; refused when `length` is None."""

    matchers: tuple[Matcher, ...]
    length: int | None
    reason: str
    until_resolved: bool = False


class UnsilenceRequest(ActionRequest, frozen=True, tag="unsilence"):
    """End a silence before its time."""

    number: int


class PinRequest(ActionRequest, frozen=True, tag="pin"):
    """Show a known issue first on the alerts of a model, a rule or both."""

    text: str
    length: int
    model: str = ""
    rule: str = ""


class UnpinRequest(ActionRequest, frozen=True, tag="unpin"):
    """Stop showing a known issue."""

    number: int


class ChangeRequest(ActionRequest, frozen=True, tag="change"):
    """Mark a change of a model at `at` (ms UTC); None means now."""

    model: str
    what: ChangeKind
    text: str
    at: int | None = None


class UndoRequest(ActionRequest, frozen=True, tag="undo"):
    """Undo an action, named by the numbers of its audit rows."""

    rows: tuple[int, ...]
