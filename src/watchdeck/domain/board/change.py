"""Changes of endpoints: detected on scrapes, or written in the configuration by people."""

from enum import StrEnum

from msgspec import Struct

from watchdeck.errors import WatchdeckError

MAX_CHANGE_TEXT = 200
"""Maximum number of characters of the text of a change, which is shown on one line."""


class ChangeError(WatchdeckError):
    """A change that cannot be stored; the text says why."""

    exit_code = 2


class ManyChangesError(ChangeError):
    """A change that is not stored because too many of its model were reported lately."""


class ChangeKind(StrEnum):
    """The kind of a change of an endpoint; people report those of `REPORTED_KINDS`."""

    DEPLOY = "deploy"
    RESTART = "restart"
    SCALE = "scale"
    CONFIGURATION = "config"
    RETRAIN = "retrain"
    NOTE = "note"


REPORTED_KINDS = tuple(
    kind.value
    for kind in (ChangeKind.DEPLOY, ChangeKind.CONFIGURATION, ChangeKind.RETRAIN, ChangeKind.NOTE)
)
"""The kinds that people report; the other kinds are detected."""


class Marker(Struct, frozen=True):
    """A change before it is stored: its kind and its text."""

    what: ChangeKind
    text: str
    at: int | None = None
    """When it happened (ms UTC); None for when it was seen."""


def read_change(text: str) -> Marker:
    """Parse a change in a configuration, such as `retrain: on October's data`.

    A text without a known kind is a change of configuration.
    """
    word, colon, rest = text.partition(":")
    if colon and word.strip() in REPORTED_KINDS and rest.strip():
        return Marker(ChangeKind(word.strip()), rest.strip())
    return Marker(ChangeKind.CONFIGURATION, text.strip())
