"""What a person asks for, read on a thread of its own: the boards must not wait for it."""

from __future__ import annotations

from collections.abc import Mapping

from watchdeck.console.messages import HistoryRead, Wanted
from watchdeck.console.sight import OpenSource
from watchdeck.errors import StoreError


def read_history(open_source: OpenSource, wanted: Wanted) -> HistoryRead:
    """The points of a chart, through a connection that belongs to this thread alone."""
    source = open_source()
    try:
        columns = (wanted.column,)
        found = source.history(
            wanted.endpoint, columns, wanted.start, wanted.end, points=wanted.points
        )
    except StoreError as error:
        return HistoryRead(wanted, None, str(error))
    finally:
        source.close()
    return HistoryRead(wanted, found[0] if found else None)


def read_reasons() -> Mapping[str, Mapping[str, str]]:
    """Why a kind of server cannot give a signal, by kind and signal (20 ms: files are parsed)."""
    from watchdeck.config.kinds import load_kinds

    return {kind.name: kind.unmeasurable for kind in load_kinds()}
