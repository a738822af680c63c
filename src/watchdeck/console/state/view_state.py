"""What the console hands down to the screen in view: what it sees, when, and how it is set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct, field

from watchdeck.console.input.keys import KEYS, Key
from watchdeck.console.input.time_cursor import PastOffset
from watchdeck.console.lines.glyphs import DotStyle
from watchdeck.console.state.board_source import BoardSnapshot
from watchdeck.console.state.trends import Sparkline
from watchdeck.console.theme.styles import StyleSheet
from watchdeck.domain.board.presence import Presence
from watchdeck.domain.settings.console import ConsoleSettings

if TYPE_CHECKING:
    from watchdeck.domain.kinds.kind import Kind


class ViewSettings(Struct, frozen=True):
    """What stays as it is from tick to tick: colours, shapes, clock, and which store this is.

    `problem` is what of the view could not be had, in words; `environ` tells where a person's own
    themes are.
    """

    brush: StyleSheet
    dots: DotStyle = DotStyle.BRAILLE
    zone: tzinfo | None = None
    store: str = ""
    read_only: bool = False
    view: ConsoleSettings = field(default_factory=ConsoleSettings)
    problem: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[Key, ...] = KEYS


class ViewState(Struct, frozen=True):
    """What a screen shows: the sight, drawn for the moment `now`; `notice` is said once.

    `kinds` are the kinds of server by name, once they are read; `trends` is the last hour of each
    model; `others` are the other consoles on this store; `past` tells how
    far away the moment shown is, None when it is now; `typed` is what was typed after each sign.
    """

    setting: ViewSettings
    sight: BoardSnapshot = field(default_factory=BoardSnapshot)
    now: int = 0
    notice: str = ""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    trends: Mapping[str, Sparkline] = field(default_factory=dict)
    others: tuple[Presence, ...] = ()
    past: PastOffset | None = None
    typed: dict[str, list[str]] = field(default_factory=dict)
