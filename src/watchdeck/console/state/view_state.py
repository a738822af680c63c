"""The view state: all that screens show, namely board, moment, notice, trends and settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct, field

from watchdeck.console.input.keys import KEYS, Key
from watchdeck.console.input.time_cursor import PastOffset
from watchdeck.console.lines.line import DotStyle
from watchdeck.console.state.board_source import BoardSnapshot, stale_reason
from watchdeck.console.state.queries import Sparkline
from watchdeck.console.theme.styles import StyleSheet
from watchdeck.domain.alerts.alert import ActiveAlert
from watchdeck.domain.board.board import Board, Change, Collector, Model, Presence
from watchdeck.domain.external.source import ExternalSource
from watchdeck.domain.settings.configuration import ConsoleSettings

if TYPE_CHECKING:
    from watchdeck.domain.kinds.kind import Kind


class ViewSettings(Struct, frozen=True):
    """Settings of the console: configuration, terminal, theme and keys.

    Attributes:
        styles: Colours of the theme.
        dots: Kind of dots that charts are drawn with on this terminal.
        zone: Time zone of the reader; None is the machine's own.
        store: Path of the store, for the top line.
        read_only: Whether this console refuses all actions.
        view: Settings as configured.
        problem: Configured settings that could not be used, in words; empty when there are none.
        environ: Environment variables, by which themes, editor and pager are found.
        keys: Table of keys, with the configured ones in it.
    """

    styles: StyleSheet
    dots: DotStyle = DotStyle.BRAILLE
    zone: tzinfo | None = None
    store: str = ""
    read_only: bool = False
    view: ConsoleSettings = field(default_factory=ConsoleSettings)
    problem: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[Key, ...] = KEYS


class ViewState(Struct, frozen=True):
    """Everything that a screen shows.

    Attributes:
        now: Moment that is shown (ms UTC): the present, rounded down, or a past board's moment.
        notice: Message under the top line; empty when there is none.
        kinds: Kinds of server by name, once they are read.
        trends: Sparklines of the last hour, by the name of the model.
        others: Other consoles on this store.
        past: How long ago the moment shown is; None when it is now.
        typed: Texts typed on prompts, by the prompt's sign (`:` or `/`), the newest last.
    """

    settings: ViewSettings
    snapshot: BoardSnapshot = field(default_factory=BoardSnapshot)
    now: int = 0
    notice: str = ""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    trends: Mapping[str, Sparkline] = field(default_factory=dict)
    others: tuple[Presence, ...] = ()
    past: PastOffset | None = None
    typed: dict[str, list[str]] = field(default_factory=dict)

    @property
    def board(self) -> Board | None:
        """The newest board; None until the first is read."""
        return self.snapshot.board

    @property
    def stale(self) -> str:
        """The reason why the board may be out of date; empty for a current board."""
        return stale_reason(self.snapshot)

    @property
    def models(self) -> tuple[Model, ...]:
        """The models of the board; empty before the first board."""
        return self.board.models if self.board else ()

    @property
    def alerts(self) -> tuple[ActiveAlert, ...]:
        """The alerts of the board; empty before the first board."""
        return self.board.alerts if self.board else ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """The change markers of the board; empty before the first board."""
        return self.board.changes if self.board else ()

    @property
    def sources(self) -> tuple[ExternalSource, ...]:
        """The external sources of the board; empty before the first board, and in the past."""
        return self.board.sources if self.board else ()

    @property
    def collector(self) -> Collector | None:
        """The collector's state as the board has it; None before the first board."""
        return self.board.collector if self.board else None

    @property
    def metrics_at(self) -> int | None:
        """The time (ms UTC) of the newest metrics on the board; None when there are none."""
        return self.board.metrics_at if self.board else None

    @property
    def board_time(self) -> int:
        """The moment of the board when it is of the past, else now (ms UTC)."""
        return self.now if self.board is None or self.board.live else self.board.at

    def model(self, name: str) -> Model | None:
        """The model called `name`; None when it is not on the board."""
        return next((one for one in self.models if one.facts.name == name), None)

    def alert(self, episode: int) -> ActiveAlert | None:
        """The alert with this episode id; None when it is not on the board."""
        return next((one for one in self.alerts if one.episode.id == episode), None)

    def kind_of(self, model: Model | None) -> Kind | None:
        """The kind of a model's server; None until it is known."""
        return self.kinds.get(model.latest.kind or "") if model and model.latest else None
