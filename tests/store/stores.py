"""Stores made by hand, and other processes that use them."""

from __future__ import annotations

import math
import subprocess
import sys
from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from watchdeck.domain.board.board import CollectorStatus, Health, HealthChange
from watchdeck.domain.metrics.scrape import OUTCOME_CODES, Frame, ModelState, Outcome, Scrape
from watchdeck.domain.metrics.signal import signal_layout
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.settings.endpoint import EndpointFacts
from watchdeck.domain.values.operator import Operator
from watchdeck.store.files.connection import Connection, open_writable, transaction
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.writer import MetricsWriter
from watchdeck.store.migrations import create_file, prepare
from watchdeck.store.schema.registry import schema_of
from watchdeck.store.state.audit import append_audit
from watchdeck.store.state.changes import record_change
from watchdeck.store.state.health import record_health

NOW = 1_795_410_000_000
"""2026-11-23 05:00:00 UTC."""

ANNA = Operator("anna", "10.0.0.9")


def state_only(path: Path) -> StoreDirectory:
    """A store whose metrics nobody asked for."""
    directory = StoreDirectory(path)
    directory.create()
    create_file(directory.state, schema_of(directory.state))
    return directory


@contextmanager
def state(path: Path) -> Iterator[Connection]:
    """A connection that writes to the state of a new store."""
    with closing(open_writable(state_only(path).state)) as db:
        yield db


def act(db: Connection, times: int) -> None:
    """Deeds for the audit, each of its own."""
    with transaction(db):
        for number in range(1, times + 1):
            before = None if number % 2 else {"rev": number}
            append_audit(
                db, NOW + number, ANNA, "silence", f"model-{number}", before, {"rev": number}
            )


@contextmanager
def process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Another Python that runs `code`; it has said its first line when the block begins."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline()
            yield child
        finally:
            child.kill()


HOLD = """
import sys
from pathlib import Path
from watchdeck.store.files.directory import StoreDirectory
with StoreDirectory(Path(sys.argv[1])).hold_lock():
    print("held", flush=True)
    sys.stdin.readline()
"""
"""A collector that does nothing but hold its lock until a line comes."""


def every_ten_seconds(name: str) -> EndpointFacts:
    """An endpoint that is scraped every ten seconds."""
    return EndpointFacts(name, f"http://10.0.0.7:8080/{name}", 10_000, owner="risk")


def scrape(name: str, at: int, p95: float = 0.2) -> Scrape:
    """A good scrape with one signal that is known beside the scrape's own."""
    layout = signal_layout(("latency_p95", "error_ratio"))
    known = {"outcome": OUTCOME_CODES[Outcome.OK], "up": 1.0, "latency_p95": p95}
    values = array("d", (known.get(series.name, math.nan) for series in layout.series))
    return Scrape(
        name, at, 0.01, Outcome.OK, Frame(layout, values), kind="vllm", model_state=ModelState.READY
    )


def beat(at: int, pid: int = 1) -> CollectorStatus:
    """A collector's word that it lives."""
    return CollectorStatus(pid, "0", at - 60_000, at)


def write(directory: StoreDirectory, names: Sequence[str], scrapes: Sequence[Scrape]) -> None:
    """Let a writer keep what a collector would hand it, and end."""
    writer = MetricsWriter(directory, Retention(), clock=lambda: NOW)
    writer.start()
    writer.register([every_ten_seconds(name) for name in names])
    for one in scrapes:
        writer.submit(one)
    writer.submit_heartbeat(beat(NOW))
    writer.close()


def judged(directory: StoreDirectory, *changes: HealthChange) -> None:
    """Keep what an engine would decide."""
    with closing(open_writable(directory.state)) as db, transaction(db):
        record_health(db, changes)


NAMES = ("churn", "fraud", "vision")


def whole(path: Path) -> StoreDirectory:
    """A store of three models with a minute of scrapes, their health, a marker and an audit."""
    directory = StoreDirectory(path)
    prepare(directory)
    times = range(NOW - 50_000, NOW + 1, 10_000)
    write(directory, NAMES, [scrape(name, at) for at in times for name in NAMES])
    good = (HealthChange(name, NOW - 60_000, Health.OK, "good", "ready") for name in NAMES)
    judged(directory, *good, HealthChange("fraud", NOW - 20_000, Health.WARNING, "slow", "slow"))
    with closing(open_writable(directory.state)) as db, transaction(db):
        record_change(db, "fraud", NOW - 30_000, "deploy", "version 1 → 2", "collector")
        append_audit(db, NOW, ANNA, "create", "store", None, None)
    return directory
