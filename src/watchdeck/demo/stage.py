"""The demo's stage: a fleet, a collector and a store, gone when the demo is over."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from watchdeck.demo.cast import settings
from watchdeck.demo.fleet import Opening, serve
from watchdeck.domain.endpoint import Settings
from watchdeck.domain.operator import Operator
from watchdeck.errors import WatchdeckError
from watchdeck.store.directory import StoreDirectory

_START = 20
"""Seconds that the fleet and the collector each have to come up."""

_WARM = 600
"""Seconds of traffic that servers without a past have behind them."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running demo."""

    directory: StoreDirectory
    settings: Settings


@contextmanager
def stage(
    place: Path | None, seed: int, who: Operator, clock: Callable[[], int]
) -> Iterator[Stage]:
    """Set the stage in `place`, or in a temporary directory that goes with it.

    `clock` must be importable by name: the collector runs in a process of its own. Raises
    WatchdeckError when a process does not come up.
    """
    temporary = place or Path(tempfile.mkdtemp(prefix="watchdeck-demo-"))
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    fleet = spawn.Process(
        target=serve,
        args=(seed, Opening(clock() / 1_000 - _WARM, {}), theirs),
        name="fleet",
        daemon=True,
    )
    processes = [fleet]
    try:
        fleet.start()
        theirs.close()
        made = Stage(StoreDirectory(temporary / "store"), settings(_told(ours, "the fleet")))
        hears, tells = spawn.Pipe(duplex=False)
        collector = spawn.Process(
            target=_collect, args=(made, who, clock, tells), name="collector", daemon=True
        )
        processes.insert(0, collector)
        collector.start()
        tells.close()
        _told(hears, "the collector")
        yield made
    finally:
        ours.close()
        for process in processes:
            _ended(process)
        if place is None:
            shutil.rmtree(temporary, ignore_errors=True)


def _told(pipe: Connection, who: str) -> dict[str, int]:
    try:
        if pipe.poll(_START):
            told: dict[str, int] = pipe.recv()
            return told
    except EOFError:
        pass
    raise WatchdeckError(f"{who} of the demo did not start. Run `watchdeck demo` again.")


def _ended(process: multiprocessing.process.BaseProcess) -> None:
    if process.pid is None:
        return
    process.terminate()
    process.join(3)
    if process.is_alive():
        process.kill()
        process.join()


def _collect(made: Stage, who: Operator, clock: Callable[[], int], tells: Connection) -> None:
    from watchdeck.service.collect import collect

    collect(made.settings, made.directory, who, clock=clock, started=lambda: tells.send({}))
