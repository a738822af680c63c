"""What the compositor of Textual hands over, read; the one place that knows its private names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip

if TYPE_CHECKING:
    from textual._compositor import ChopsUpdate, LayoutUpdate


class StripUpdate(NamedTuple):
    """A stretch of one row that the compositor wants on the screen."""

    x: int
    y: int
    strip: Strip


class Update(NamedTuple):
    """The pieces of one update; `size` is known when they are the whole screen."""

    pieces: Iterable[StripUpdate]
    size: tuple[int, int] | None


def read(update: object) -> Update | None:
    """An update of the compositor as pieces; None when it is nothing that we know."""
    from textual._compositor import ChopsUpdate, LayoutUpdate

    if isinstance(update, LayoutUpdate):
        return Update(_whole(update), (update.region.width, update.region.height))
    if isinstance(update, ChopsUpdate):
        return Update(_parts(update), None)
    return None


def _whole(update: LayoutUpdate) -> Iterator[StripUpdate]:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            yield StripUpdate(x, y, strip)
            x += strip.cell_length


def _parts(update: ChopsUpdate) -> Iterator[StripUpdate]:
    """Whole strips even where only a part is due: cut to it, wide glyphs would lose a half."""
    for y, first, last in update.spans:
        for x, strip in update.chops[y].items():
            if strip is not None and x < last and x + strip.cell_length > first:
                yield StripUpdate(x, y, strip)


def mismatch(app: App[None]) -> str:
    """Why the Textual of this application cannot be read; empty when it can.

    Tried on updates made by hand: its names are private and may change with any release.
    """
    strips = [Strip([Segment("ab")], 2), Strip([Segment("c")], 1)]
    try:
        from textual._compositor import ChopsUpdate, LayoutUpdate

        whole = read(LayoutUpdate([strips], Region(0, 0, 3, 1)))
        part = read(ChopsUpdate([{0: strips[0], 2: strips[1]}], [(0, 1, 2)], [[2, 3]]))
        hooks = app._display, app._batch_count, app._sync_available  # noqa: SLF001
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        return str(error)
    if whole is None or part is None or not hooks:
        return "its updates are of another kind"
    first, second = StripUpdate(0, 0, strips[0]), StripUpdate(2, 0, strips[1])
    if [*whole.pieces] != [first, second] or [*part.pieces] != [first] or whole.size != (3, 1):
        return "its updates have another shape"
    return ""
