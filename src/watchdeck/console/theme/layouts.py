"""Layouts that a person chooses: which panels there are, whatever the size of the terminal.

What a layout does is in the style sheet, under the class that it has there.
"""

from __future__ import annotations

from msgspec import Struct

from watchdeck.config.reading.problems import did_you_mean
from watchdeck.domain.values.text import clean


class PanelLayout(Struct, frozen=True):
    """A name, and what one sees in words."""

    name: str
    words: str

    @property
    def style(self) -> str:
        """The class of a screen that is laid out so."""
        return f"-layout-{self.name}"


LAYOUTS = (
    PanelLayout("auto", "All panels, set by the size of the terminal"),
    PanelLayout("focus", "The fleet alone, and of a model the chart"),
    PanelLayout("signals", "The fleet alone, and of a model all its signals"),
    PanelLayout("stacked", "The chart over the signals, on any width"),
)
"""Every layout; the first is the usual one."""

NAMES = tuple(layout.name for layout in LAYOUTS)


def unknown(name: str) -> str:
    """Why there is no such layout, and which there are; empty when there is."""
    if not name or name in NAMES:
        return ""
    hint = did_you_mean(name, NAMES, f"There are: {', '.join(NAMES)}.")
    return f"there is no layout {clean(name, 40)!r}. {hint}"
