"""How a person wants the console: what a configuration says under [console]."""

from __future__ import annotations

from msgspec import Struct, field


class ConsoleSettings(Struct, frozen=True):
    """Colours, shapes, keys, columns and filters; what is not set is the console's own choice.

    `keys` maps the id of a binding to the keys it has instead; `filters` gives filters names.
    `slow_link` is measured where it is None. For a new page `bell` rings, and `notices` says how
    the terminal is asked to tell its desktop.
    """

    theme: str = "dark"
    glyphs: str = "auto"
    layout: str = ""
    columns: tuple[str, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    slow_link: bool | None = None
    bell: bool = False
    notices: str = ""


NOTICES = ("", "osc9", "osc777")
"""How a terminal can be asked to tell its desktop of something."""

GLYPHS = ("auto", "braille", "block", "ascii")
"""What charts may be drawn with."""
