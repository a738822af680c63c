"""Screen updates of the Textual compositor: the one module that knows its private names."""

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
    """A strip to show in row `y` from column `x` on."""

    x: int
    y: int
    strip: Strip


class ScreenUpdate(NamedTuple):
    """The strips of one update; `size` (cells, rows) is None unless they cover the whole screen."""

    pieces: Iterable[StripUpdate]
    size: tuple[int, int] | None


def read_update(update: object) -> ScreenUpdate | None:
    """The strips of an update by Textual's compositor; None for any other renderable."""
    from textual._compositor import ChopsUpdate, LayoutUpdate

    if isinstance(update, LayoutUpdate):
        return ScreenUpdate(_layout_pieces(update), (update.region.width, update.region.height))
    if isinstance(update, ChopsUpdate):
        return ScreenUpdate(_chop_pieces(update), None)
    return None


def _layout_pieces(update: LayoutUpdate) -> Iterator[StripUpdate]:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            yield StripUpdate(x, y, strip)
            x += strip.cell_length


def _chop_pieces(update: ChopsUpdate) -> Iterator[StripUpdate]:
    """Whole strips, even where only a part changed: cropped, a wide glyph could lose a half."""
    for y, first, last in update.spans:
        for x, strip in update.chops[y].items():
            if strip is not None and x < last and x + strip.cell_length > first:
                yield StripUpdate(x, y, strip)


def mismatch_reason(app: App[None]) -> str:
    """Why updates of this Textual release cannot be read; empty when they can.

    Reads two hand-made updates, because private names may change with any release.
    """
    strips = [Strip([Segment("ab")], 2), Strip([Segment("c")], 1)]
    try:
        from textual._compositor import ChopsUpdate, LayoutUpdate

        whole = read_update(LayoutUpdate([strips], Region(0, 0, 3, 1)))
        part = read_update(ChopsUpdate([{0: strips[0], 2: strips[1]}], [(0, 1, 2)], [[2, 3]]))
        hooks = app._display, app._batch_count, app._sync_available  # noqa: SLF001
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        return str(error)
    if whole is None or part is None or not hooks:
        return "its updates are of another kind"
    first, second = StripUpdate(0, 0, strips[0]), StripUpdate(2, 0, strips[1])
    if [*whole.pieces] != [first, second] or [*part.pieces] != [first] or whole.size != (3, 1):
        return "its updates have another shape"
    return ""
