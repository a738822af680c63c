"""Worker processes, each of which makes the past of one endpoint after another."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection, wait

from msgspec import Struct

from watchdeck.demo.fleet.endpoints import CAST
from watchdeck.demo.fleet.processes import first_message, process
from watchdeck.demo.fleet.traffic import Counts
from watchdeck.demo.history.alerts import PastEpisode
from watchdeck.domain.board.health import HealthChange
from watchdeck.store.metrics.backfill import Encoded

_MOST = 4
_PATIENCE = 60
"""Seconds that one endpoint may take on a slow machine: it takes one here."""

_HEAVIEST_FIRST = sorted(CAST, key=lambda part: part.name != "support-chat")
"""The page with the most series first, so that nobody waits for it at the end."""


class BackfillResult(Struct, frozen=True):
    """One endpoint's past, ready to be written."""

    name: str
    frames: tuple[Encoded, ...]
    health: tuple[HealthChange, ...]
    alarms: tuple[PastEpisode, ...]
    counts: Counts[int]


def build_histories(seed: int, now: int) -> Iterator[BackfillResult]:
    """The pasts of all endpoints until `now` (ms UTC), each as soon as it is ready.

    Raises WatchdeckError when a process does not deliver.
    """
    names = [part.name for part in _HEAVIEST_FIRST]
    with ExitStack() as stack:
        busy = []
        for _ in range(min(_MOST, os.cpu_count() or 1)):
            pipe = stack.enter_context(process("maker", _make, seed, now))
            pipe.send(names.pop(0))
            busy.append(pipe)
        while busy:
            ready = wait(busy, _PATIENCE) or busy
            for pipe in [one for one in busy if one in ready]:
                past: BackfillResult = first_message(pipe, "the history", 0)
                if names:
                    pipe.send(names.pop(0))
                else:
                    busy.remove(pipe)
                yield past


def _make(seed: int, now: int, parent: Connection) -> None:
    """Answer each name with its past, until the parent lets go of its end of the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent alone decides when it is over
    from watchdeck.demo.history.endpoint import history
    from watchdeck.store.metrics.backfill import encode

    parts = {part.name: part for part in CAST}
    try:
        while True:
            past = history(parts[parent.recv()], seed, now)
            frames = (encode(past.series), encode(past.signals))
            parent.send(
                BackfillResult(past.signals.endpoint, frames, past.health, past.alarms, past.counts)
            )
    except (EOFError, OSError):
        return
