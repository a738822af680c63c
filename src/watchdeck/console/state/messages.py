"""Messages that are posted to the application."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message
from textual.message_pump import MessagePump

from watchdeck.console.state.board_source import BoardSnapshot, BoardSource


class BoardUpdated(Message, bubble=False):
    """A newer snapshot of the store; the newest replaces those that were not handled yet."""

    def __init__(self, snapshot: BoardSnapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Only the newest counts."""
        return isinstance(message, BoardUpdated)


class QueryRequested(Message):
    """A screen asks the store something.

    `read` runs on a thread; the function that it returns is called on the `asker`, unless that
    screen has gone. Of one `kind` only the newest is read.
    """

    def __init__(
        self, asker: MessagePump, kind: str, read: Callable[[BoardSource], Callable[[], None]]
    ) -> None:
        super().__init__()
        self.asker = asker
        self.kind = kind
        self.read = read


class RowReached(Message):
    """The cursor of a list came to another row."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class PagerRequested(Message):
    """A person wants to read a text in a pager of their own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class EditRequested(Message):
    """A person wants to edit the configuration."""


class ModelOpened(Message):
    """A model was opened from a list."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class AlertOpened(Message):
    """An alert was opened from a list, by the number of its episode."""

    def __init__(self, episode: int) -> None:
        super().__init__()
        self.episode = episode
