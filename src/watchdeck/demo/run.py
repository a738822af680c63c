"""The demo's stage: a fleet, a collector and a store, gone when the demo is over."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

from msgspec import Struct

from watchdeck.demo.fleet.endpoints import settings
from watchdeck.demo.fleet.processes import first_message, process
from watchdeck.demo.fleet.server import InitialCounters, serve
from watchdeck.demo.history.backfill import backfill
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.values.operator import Operator
from watchdeck.store.files.directory import StoreDirectory

_START = 20
"""Seconds that the fleet and the collector each have to come up."""

_WARM = 600
"""Seconds of traffic that servers have behind them where the store has a past of its own."""


class Demo(Struct, frozen=True):
    """A running demo."""

    directory: StoreDirectory
    settings: Settings


@contextmanager
def run_demo(
    place: Path | None, seed: int, who: Operator, clock: Callable[[], int]
) -> Iterator[Demo]:
    """Set the stage in `place`, or in a temporary directory that goes with it.

    `clock` must be importable by name: the collector runs in a process of its own. Raises
    WatchdeckError when a process does not come up.
    """
    temporary = place or Path(tempfile.mkdtemp(prefix="watchdeck-demo-"))
    directory = StoreDirectory(temporary / "store")
    try:
        opening = _past(directory, who, seed, clock())
        with process("fleet", serve, seed, opening) as fleet:
            made = Demo(directory, settings(first_message(fleet, "the fleet", _START)))
            with process("collector", _collect, made, who, clock) as collector:
                first_message(collector, "the collector", _START)
                yield made
    finally:
        if place is None:
            shutil.rmtree(temporary, ignore_errors=True)


def _past(directory: StoreDirectory, who: Operator, seed: int, now: int) -> InitialCounters:
    """Fill a new store; the live servers go on from where its past ends."""
    counts = backfill(directory, who, seed, now)
    return InitialCounters(now / 1_000 - (0 if counts else _WARM), counts)


def _collect(made: Demo, who: Operator, clock: Callable[[], int], parent: Connection) -> None:
    from watchdeck.service.collector import collect

    Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()
    collect(made.settings, made.directory, who, clock=clock, started=lambda: parent.send({}))


def _end_with(parent: Connection) -> None:
    """End the collector when its parent has gone, even where that was killed."""
    with suppress(EOFError, OSError):
        parent.recv()
    os.kill(os.getpid(), signal.SIGTERM)
