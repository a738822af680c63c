"""The self-check: every finding passes, fails, or is unknown, and says what would work."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from watchdeck.domain.board.board import CollectorState, CollectorStatus
from watchdeck.domain.settings.endpoint import Retention
from watchdeck.domain.values.format import format_duration, format_value
from watchdeck.domain.values.units import Unit
from watchdeck.errors import StoreError, StoreMissing
from watchdeck.store.board import collector_now
from watchdeck.store.files.connection import corruption_as_error, open_unchecked, reading, version
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.files.filesystem import (
    bytes_in,
    faulty_permissions,
    is_networked,
    kind_of_disk,
)
from watchdeck.store.metrics.latest import read_heartbeat
from watchdeck.store.state.audit import last_of_action, missing_guards, verify


class CheckStatus(StrEnum):
    """Three results, not two: what could not be asked is not a pass."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


class StoreCheckResult(Struct, frozen=True):
    """What one check found, in words that say what would work."""

    name: str
    state: CheckStatus
    text: str


class _Case(Struct, frozen=True):
    directory: StoreDirectory
    now: int
    budget: int

    @property
    def files(self) -> tuple[Path, Path]:
        return self.directory.metrics, self.directory.state


_Said = tuple[CheckStatus, str]


def examine(
    directory: StoreDirectory, now: int, budget: int = Retention().budget
) -> tuple[StoreCheckResult, ...]:
    """Every check in turn, the cheap ones first; reads all of both files (`now` in ms UTC).

    Nothing is raised: what cannot be asked is unknown, and says why.
    """
    case = _Case(directory, now, budget)
    return tuple(StoreCheckResult(name, *_result(check, case)) for name, check in _CHECKS.items())


def _result(check: Callable[[_Case], _Said], case: _Case) -> _Said:
    try:
        return check(case)
    except StoreMissing as error:
        return CheckStatus.UNKNOWN, str(error)
    except StoreError as error:
        return CheckStatus.FAIL, str(error)
    except OSError as error:
        return CheckStatus.UNKNOWN, f"this could not be asked: {error}"


def _directory(case: _Case) -> _Said:
    try:
        case.directory.check()
    except StoreMissing as error:
        return CheckStatus.FAIL, str(error)
    return CheckStatus.PASS, f"the store is {case.directory.path}"


def _permissions(case: _Case) -> _Said:
    case.directory.check()
    faults = list(faulty_permissions(case.directory.path))
    if faults:
        return CheckStatus.FAIL, "; ".join(faults)
    return CheckStatus.PASS, "directory 0700, files 0600, one owner, no links"


def _disk(case: _Case) -> _Said:
    case.directory.check()
    return _judge_disk(kind_of_disk(case.directory.path))


def _judge_disk(kind: str | None) -> _Said:
    if kind is None:
        return (
            CheckStatus.UNKNOWN,
            "the type of the disk is not known; it must not be a network one",
        )
    if is_networked(kind):
        return (
            CheckStatus.FAIL,
            f"the store is on {kind}, where a crash may damage it: move it to a local disk",
        )
    return CheckStatus.PASS, f"the store is on {kind}"


def _room(case: _Case) -> _Said:
    case.directory.check()
    left = max(0, case.budget - bytes_in(case.directory.path))
    free = shutil.disk_usage(case.directory.path).free
    if free < max(left, _LEAST_FREE):
        return CheckStatus.FAIL, (
            f"the disk has {_size(free)} free, and the store may grow by {_size(left)}:"
            " free some space, or lower `retention.budget`"
        )
    return CheckStatus.PASS, f"the disk has {_size(free)} free"


_LEAST_FREE = 64 << 20


def _sizes(case: _Case) -> _Said:
    case.directory.check()
    used = bytes_in(case.directory.path)
    said = f"{_size(used)} of {_size(case.budget)}"
    if used > case.budget:
        return (
            CheckStatus.FAIL,
            f"{said}: the collector thins out the oldest; or raise `retention.budget`",
        )
    return CheckStatus.PASS, said


def _log_sizes(case: _Case) -> _Said:
    case.directory.check()
    logs = [path.with_name(f"{path.name}-wal") for path in case.files]
    largest = max((path.stat().st_size for path in logs if path.exists()), default=0)
    if largest > _LARGEST_LOG:
        return CheckStatus.FAIL, (
            f"a write-ahead log has {_size(largest)}: some process holds an old moment open;"
            " end consoles that hang"
        )
    return CheckStatus.PASS, f"the write-ahead logs have at most {_size(largest)}"


_LARGEST_LOG = 80 << 20
"""Above the limit that writers keep by themselves."""


def _stands_still(path: Path) -> bool:
    """Whether nobody writes a file: it has no log, and none is left behind by looking at it."""
    return not os.path.lexists(path.with_name(f"{path.name}-wal"))


def _versions(case: _Case) -> _Said:
    said = []
    for path in case.files:
        with closing(reading(path, still=_stands_still(path))) as db, corruption_as_error(path):
            said.append(f"{path.name} {version(db)[1]}")
    return CheckStatus.PASS, ", ".join(said)


def _integrity(name: str) -> Callable[[_Case], _Said]:
    def check(case: _Case) -> _Said:
        path = case.directory.path / name
        with (
            closing(
                open_unchecked(path, mode="ro&immutable=1" if _stands_still(path) else "ro")
            ) as db,
            corruption_as_error(path),
        ):
            found = [row[0] for row in db.execute("pragma quick_check(3)")]
        if found != ["ok"]:
            return CheckStatus.FAIL, (
                f"{name} is damaged ({'; '.join(found)}): move it away and start the collector,"
                " or put a backup in its place"
            )
        return CheckStatus.PASS, f"{name} is sound (quick check; `watchdeck backup` checks in full)"

    return check


def _audit(case: _Case) -> _Said:
    path = case.directory.state
    with closing(reading(path, still=_stands_still(path))) as db, corruption_as_error(path):
        found, gone = verify(db), missing_guards(db)
    if found.first_bad is not None:
        return CheckStatus.FAIL, f"{found.why}; the {found.rows} rows before it are sound"
    if gone:
        return (
            CheckStatus.FAIL,
            f"the rows are sound, but guards were taken away: {', '.join(gone)}",
        )
    return CheckStatus.PASS, f"{found.rows} rows, head {found.head}"


def _collector(case: _Case) -> _Said:
    beat = _heartbeat(case)
    collector = collector_now(case.directory, beat, case.now)
    if collector.state is CollectorState.STOPPED:
        return CheckStatus.FAIL, "no collector is running: `watchdeck collect` starts one"
    pid = case.directory.lock_holder()
    if collector.state is CollectorState.STALLED:
        return (
            CheckStatus.FAIL,
            f"process {pid} holds the lock and does not tick: end it and start anew",
        )
    return CheckStatus.PASS, f"process {pid} collects"


def _lag(case: _Case) -> _Said:
    beat = _heartbeat(case)
    if beat is None:
        return CheckStatus.UNKNOWN, "no collector has ticked yet"
    said = f"last tick {format_duration(case.now - beat.at)} ago, {beat.lag * 1_000:.0f} ms late"
    problems = [one for one in (beat.blind, beat.storing, beat.outside) if one]
    if problems:
        return CheckStatus.FAIL, "; ".join([said, *problems])
    if beat.dropped:
        return (
            CheckStatus.FAIL,
            f"{said}; {beat.dropped} scrapes were dropped: the disk is too slow",
        )
    if beat.lag > _LONGEST_LAG:
        return CheckStatus.FAIL, f"{said}: this machine is too busy for so many endpoints"
    return CheckStatus.PASS, said


_LONGEST_LAG = 1.0
"""Seconds that a tick may be late."""


def _heartbeat(case: _Case) -> CollectorStatus | None:
    path = case.directory.metrics
    with closing(reading(path, still=_stands_still(path))) as db, corruption_as_error(path):
        return read_heartbeat(db)


def _backups(case: _Case) -> _Said:
    path = case.directory.state
    with closing(reading(path, still=_stands_still(path))) as db, corruption_as_error(path):
        found = last_of_action(db, "backup")
    if found is None:
        return CheckStatus.UNKNOWN, "no backup is known: `watchdeck backup DIRECTORY` makes one"
    place, at = found
    said = f"the last known one is {format_duration(case.now - at)} old, in {place}"
    if not Path(place).is_dir():
        return CheckStatus.UNKNOWN, f"{said}, and is not there now"
    if case.now - at > _OLDEST_BACKUP:
        return CheckStatus.UNKNOWN, f"{said}: `watchdeck backup DIRECTORY` makes a new one"
    return CheckStatus.PASS, said


_OLDEST_BACKUP = 8 * 86_400_000


def _size(size: int) -> str:
    return format_value(size, Unit.BYTES)


_CHECKS: dict[str, Callable[[_Case], _Said]] = {
    "directory": _directory,
    "permissions": _permissions,
    "disk": _disk,
    "room": _room,
    "size": _sizes,
    "log": _log_sizes,
    "versions": _versions,
    "collector": _collector,
    "lag": _lag,
    "backups": _backups,
    "audit": _audit,
    "state.db": _integrity("state.db"),
    "metrics.db": _integrity("metrics.db"),
}
