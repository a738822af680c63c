"""What the console hands down to the screen in view: what it sees, when, and how it is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING

from watchdeck.console.input.keys import KEYS, Key
from watchdeck.console.input.time_cursor import Past
from watchdeck.console.lines.glyphs import Dots
from watchdeck.console.state.board_source import Sight
from watchdeck.console.state.trends import Trend
from watchdeck.console.theme.styles import Brush
from watchdeck.domain.board.presence import Presence
from watchdeck.domain.settings.console import View

if TYPE_CHECKING:
    from watchdeck.domain.kinds.kind import Kind


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays as it is from tick to tick: colours, shapes, clock, and which store this is.

    `problem` is what of the view could not be had, in words; `environ` tells where a person's own
    themes are.
    """

    brush: Brush
    dots: Dots = Dots.BRAILLE
    zone: tzinfo | None = None
    store: str = ""
    read_only: bool = False
    view: View = field(default_factory=View)
    problem: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[Key, ...] = KEYS


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a screen shows: the sight, drawn for the moment `now`; `notice` is said once.

    `kinds` are the kinds of server by name, once they are read; `trends` is the last hour of each
    model; `others` are the other consoles on this store; `past` tells how
    far away the moment shown is, None when it is now; `typed` is what was typed after each sign.
    """

    setting: Setting
    sight: Sight = field(default_factory=Sight)
    now: int = 0
    notice: str = ""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    trends: Mapping[str, Trend] = field(default_factory=dict)
    others: tuple[Presence, ...] = ()
    past: Past | None = None
    typed: dict[str, list[str]] = field(default_factory=dict)
