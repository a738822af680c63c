"""Panel layouts that the user can choose; the style sheet defines each under its CSS class."""

from __future__ import annotations

from msgspec import Struct

from watchdeck.config.reading.problems import did_you_mean
from watchdeck.domain.values.text import clean


class PanelLayout(Struct, frozen=True):
    """An arrangement of the console's panels: its name, and a description for the user."""

    name: str
    description: str

    @property
    def style(self) -> str:
        """The CSS class of a screen in this layout."""
        return f"-layout-{self.name}"


LAYOUTS = (
    PanelLayout("auto", "All panels, set by the size of the terminal"),
    PanelLayout("focus", "The fleet alone, and of a model the chart"),
    PanelLayout("signals", "The fleet alone, and of a model all its signals"),
    PanelLayout("stacked", "The chart over the signals, on any width"),
)
"""All layouts; the first is the default."""

LAYOUT_NAMES = tuple(layout.name for layout in LAYOUTS)


def layout_problem(name: str) -> str:
    """Error text for an unknown layout, with the known ones; empty for a known one."""
    if not name or name in LAYOUT_NAMES:
        return ""
    hint = did_you_mean(name, LAYOUT_NAMES, f"There are: {', '.join(LAYOUT_NAMES)}.")
    return f"there is no layout {clean(name, 40)!r}. {hint}"
