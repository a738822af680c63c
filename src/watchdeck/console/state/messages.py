"""Everything that is posted in the console."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from textual.message import Message
from textual.message_pump import MessagePump

from watchdeck.console.input.commands import ParsedCommand
from watchdeck.console.state.board_source import BoardSnapshot
from watchdeck.domain.board.alert_detail import AlertHistory
from watchdeck.domain.board.board import Change, History
from watchdeck.domain.board.health import HealthChange


class BoardUpdated(Message, bubble=False):
    """A newer sight of the store; the newest replaces those that were not handled yet."""

    def __init__(self, sight: BoardSnapshot) -> None:
        super().__init__()
        self.sight = sight

    def can_replace(self, message: Message) -> bool:
        """Only the newest counts."""
        return isinstance(message, BoardUpdated)


class HistoryQuery(Struct, frozen=True):
    """A stretch of some signals that a chart would like to draw; times in ms UTC.

    The first column is also wanted so many milliseconds `earlier`, unless that is 0.
    """

    endpoint: str
    columns: tuple[str, ...]
    start: int
    end: int
    points: int
    earlier: int = 0


class HistoryResult(Struct, frozen=True):
    """The columns in their order, the first one earlier, and what changed within the window."""

    histories: tuple[History, ...]
    before: History | None = None
    changes: tuple[Change, ...] = ()


class HistoryRequested(Message):
    """A screen asks for history; the answer is a `HistoryRead` posted to it."""

    def __init__(self, asked: MessagePump, wanted: HistoryQuery) -> None:
        super().__init__()
        self.asked = asked
        self.wanted = wanted


class HistoryRead(Message, bubble=False):
    """The answer to a `HistoryRequested`; `problem` says why there is no history."""

    def __init__(
        self, wanted: HistoryQuery, found: HistoryResult | None, problem: str = ""
    ) -> None:
        super().__init__()
        self.wanted = wanted
        self.found = found
        self.problem = problem


class ChangesRequested(Message):
    """A screen asks what changed in the fleet; the answer is an `EventsRead` posted to it."""

    def __init__(self, asked: MessagePump, names: tuple[str, ...], start: int, end: int) -> None:
        super().__init__()
        self.asked = asked
        self.names = names
        self.start = start
        self.end = end


class EventsRead(Message, bubble=False):
    """Change markers, and the healths of each model; `problem` says why there are none."""

    def __init__(
        self,
        changes: tuple[Change, ...],
        healths: Mapping[str, tuple[HealthChange, ...]],
        problem: str = "",
    ) -> None:
        super().__init__()
        self.changes = changes
        self.healths = healths
        self.problem = problem


class RowReached(Message):
    """The cursor of a list came to another row."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class ResponsesRequested(Message):
    """A person wants to see what a model's server last answered."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


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


class AlertHistoryRequested(Message):
    """A screen asks for an episode's story; the answer is a `AlertHistoryRead` posted to it."""

    def __init__(self, asked: MessagePump, episode: int, at: int) -> None:
        super().__init__()
        self.asked = asked
        self.episode = episode
        self.at = at


class AlertHistoryRead(Message, bubble=False):
    """The story of an episode; `problem` says why there is none."""

    def __init__(self, story: AlertHistory | None, problem: str = "") -> None:
        super().__init__()
        self.story = story
        self.problem = problem


class ActionRequested(Message):
    """A person wants something done to episodes: a verb, and what is typed after it."""

    def __init__(self, verb: str, episodes: tuple[int, ...], text: str = "") -> None:
        super().__init__()
        self.verb = verb
        self.episodes = episodes
        self.text = text


class FilterRequested(Message):
    """A person wants to filter the list."""


class CommandLineRequested(Message, bubble=False):
    """A person wants to type a command on this screen, or the rest of one that is begun."""

    def __init__(self, begun: str = "") -> None:
        super().__init__()
        self.begun = begun


class SeekRequested(Message, bubble=False):
    """A person wants to type a time to go to on this screen."""


class CommandEntered(Message):
    """A command was typed, or chosen in the palette."""

    def __init__(self, given: ParsedCommand) -> None:
        super().__init__()
        self.given = given
