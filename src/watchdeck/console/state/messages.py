"""Messages that are posted to the application."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message
from textual.message_pump import MessagePump

from watchdeck.console.state.board_source import BoardSnapshot, BoardSource


class BoardUpdated(Message, bubble=False):
    """A newer snapshot was read.

    The message replaces older ones of its class that still wait to be handled.
    """

    def __init__(self, snapshot: BoardSnapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Whether this may replace `message`, which waits: only if it is a BoardUpdated too."""
        return isinstance(message, BoardUpdated)


class QueryRequested(Message):
    """A screen asks for a query of the store.

    `read` runs on a thread. The function that it returns is then called on `asker`, unless that
    screen was closed. A newer request cancels one of the same `kind` that has not begun.
    """

    def __init__(
        self, asker: MessagePump, kind: str, read: Callable[[BoardSource], Callable[[], None]]
    ) -> None:
        super().__init__()
        self.asker = asker
        self.kind = kind
        self.read = read


class RowReached(Message):
    """The cursor of a list moved to the row with this key."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class PagerRequested(Message):
    """The operator wants to read a text in the pager ($PAGER)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class EditRequested(Message):
    """The operator wants to edit the configuration file."""


class ModelOpened(Message):
    """The operator opened the model called `name` from a list or an alert."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class AlertOpened(Message):
    """The operator opened an alert from a list; `episode` is the id of its episode."""

    def __init__(self, episode: int) -> None:
        super().__init__()
        self.episode = episode
