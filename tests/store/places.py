"""Stores made by hand, and other processes that use them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from watchdeck.domain.operator import Operator
from watchdeck.store.audit import append
from watchdeck.store.connect import Connection, transaction, writing
from watchdeck.store.directory import StoreDirectory
from watchdeck.store.migrations import create_file
from watchdeck.store.schema import schema_of

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
    with closing(writing(state_only(path).state)) as db:
        yield db


def act(db: Connection, times: int) -> None:
    """Deeds for the audit, each of its own."""
    with transaction(db):
        for number in range(1, times + 1):
            before = None if number % 2 else {"rev": number}
            append(db, NOW + number, ANNA, "silence", f"model-{number}", before, {"rev": number})


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
from watchdeck.store.directory import StoreDirectory
with StoreDirectory(Path(sys.argv[1])).hold_lock():
    print("held", flush=True)
    sys.stdin.readline()
"""
"""A collector that does nothing but hold its lock until a line comes."""
