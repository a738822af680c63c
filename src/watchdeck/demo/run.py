"""The demo: a fleet, a collector and a store, which are removed when the demo ends."""

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
from watchdeck.demo.fleet.processes import child_process, receive_first
from watchdeck.demo.fleet.server import InitialCounters, serve
from watchdeck.demo.history.backfill import backfill
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.values.operator import Operator
from watchdeck.logs import discard
from watchdeck.store.files.directory import StoreDirectory

_START = 20
"""Seconds in which the fleet and the collector must each start."""

_WARM_UP = 600
"""Seconds of traffic before the demo, for the servers of a store that has a history already."""


class Demo(Struct, frozen=True):
    """A running demo: its store, and the configuration that watches its fleet."""

    directory: StoreDirectory
    settings: Settings


@contextmanager
def run_demo(
    place: Path | None, seed: int, who: Operator, clock: Callable[[], int]
) -> Iterator[Demo]:
    """Run the demo in the directory `place`, or in a temporary one that is removed at the end.

    `clock` must be importable by name: the collector runs in a process of its own. Raises
    WatchdeckError when a process does not start.
    """
    root = place or Path(tempfile.mkdtemp(prefix="watchdeck-demo-"))
    directory = StoreDirectory(root / "store")
    try:
        initial = _backfill_store(directory, who, seed, clock())
        with child_process("fleet", serve, seed, initial) as fleet:
            demo = Demo(directory, settings(receive_first(fleet, "the fleet", _START)))
            with child_process("collector", _collect, demo, who, clock) as collector:
                receive_first(collector, "the collector", _START)
                yield demo
    finally:
        if place is None:
            shutil.rmtree(root, ignore_errors=True)


def _backfill_store(
    directory: StoreDirectory, who: Operator, seed: int, now: int
) -> InitialCounters:
    """Fill a new store; returns the counts with which the live servers continue its history."""
    counts = backfill(directory, who, seed, now)
    return InitialCounters(now / 1_000 - (0 if counts else _WARM_UP), counts)


def _collect(demo: Demo, who: Operator, clock: Callable[[], int], parent: Connection) -> None:
    from watchdeck.service.collector import collect

    discard()
    Thread(target=_terminate_with_parent, args=(parent,), name="parent", daemon=True).start()
    collect(demo.settings, demo.directory, who, clock=clock, started=lambda: parent.send({}))


def _terminate_with_parent(parent: Connection) -> None:
    """End the collector when its parent ends, even when the parent was killed."""
    with suppress(EOFError, OSError):
        parent.recv()
    os.kill(os.getpid(), signal.SIGTERM)
