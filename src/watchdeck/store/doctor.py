"""The self-check of a store: each check passes, fails or is unknown, and names the remedy."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from watchdeck.domain.board.board import CollectorState, CollectorStatus
from watchdeck.domain.settings.configuration import Retention
from watchdeck.domain.values.format import format_duration, format_value
from watchdeck.domain.values.units import Unit
from watchdeck.errors import StoreError, StoreMissing
from watchdeck.store.board import current_collector
from watchdeck.store.files.connection import (
    Connection,
    corruption_as_error,
    open_readonly,
    open_unchecked,
    read_version,
)
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.files.filesystem import (
    bytes_in,
    filesystem_type,
    is_network_filesystem,
    permission_problems,
)
from watchdeck.store.metrics.latest import read_heartbeat
from watchdeck.store.state.audit import missing_guards, read_last_of_action, verify


class CheckStatus(StrEnum):
    """The result of a check; one that could not be made is unknown, not passed."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


class StoreCheckResult(Struct, frozen=True):
    """The result of one check; the text of a failure names the remedy."""

    name: str
    state: CheckStatus
    text: str


class _CheckContext(Struct, frozen=True):
    directory: StoreDirectory
    now: int
    budget: int

    @property
    def files(self) -> tuple[Path, Path]:
        return self.directory.metrics, self.directory.state


_Outcome = tuple[CheckStatus, str]


def examine(
    directory: StoreDirectory, now: int, budget: int = Retention().budget
) -> tuple[StoreCheckResult, ...]:
    """Run every check of a store, the cheap ones first; reads both database files in full.

    `now` is in ms UTC, `budget` in bytes. Raises nothing: a check that cannot be made is unknown,
    and its text says why.
    """
    case = _CheckContext(directory, now, budget)
    return tuple(
        StoreCheckResult(name, *_run_check(check, case)) for name, check in _CHECKS.items()
    )


def _run_check(check: Callable[[_CheckContext], _Outcome], case: _CheckContext) -> _Outcome:
    try:
        return check(case)
    except StoreMissing as error:
        return CheckStatus.UNKNOWN, str(error)
    except StoreError as error:
        return CheckStatus.FAIL, str(error)
    except OSError as error:
        return CheckStatus.UNKNOWN, f"the check could not be made: {error}"


def _check_directory(case: _CheckContext) -> _Outcome:
    try:
        case.directory.check()
    except StoreMissing as error:
        return CheckStatus.FAIL, str(error)
    return CheckStatus.PASS, f"the store is {case.directory.path}"


def _check_permissions(case: _CheckContext) -> _Outcome:
    case.directory.check()
    faults = list(permission_problems(case.directory.path))
    if faults:
        return CheckStatus.FAIL, "; ".join(faults)
    return CheckStatus.PASS, "directory 0700, files 0600, one owner, no links"


def _check_disk(case: _CheckContext) -> _Outcome:
    case.directory.check()
    return _check_filesystem(filesystem_type(case.directory.path))


def _check_filesystem(kind: str | None) -> _Outcome:
    if kind is None:
        return (
            CheckStatus.UNKNOWN,
            "the type of the disk is not known; it must not be a network one",
        )
    if is_network_filesystem(kind):
        return (
            CheckStatus.FAIL,
            f"the store is on {kind}, where a crash may damage it: move it to a local disk",
        )
    return CheckStatus.PASS, f"the store is on {kind}"


def _check_room(case: _CheckContext) -> _Outcome:
    case.directory.check()
    left = max(0, case.budget - bytes_in(case.directory.path))
    free = shutil.disk_usage(case.directory.path).free
    if free < max(left, _LEAST_FREE):
        return CheckStatus.FAIL, (
            f"the disk has {_format_size(free)} free, and the store may grow by"
            f" {_format_size(left)}: free some space, or lower `retention.budget`"
        )
    return CheckStatus.PASS, f"the disk has {_format_size(free)} free"


_LEAST_FREE = 64 << 20


def _check_size(case: _CheckContext) -> _Outcome:
    case.directory.check()
    used = bytes_in(case.directory.path)
    text = f"{_format_size(used)} of {_format_size(case.budget)}"
    if used > case.budget:
        return (
            CheckStatus.FAIL,
            f"{text}: the collector deletes the oldest data; or raise `retention.budget`",
        )
    return CheckStatus.PASS, text


def _check_logs(case: _CheckContext) -> _Outcome:
    case.directory.check()
    logs = [path.with_name(f"{path.name}-wal") for path in case.files]
    largest = max((path.stat().st_size for path in logs if path.exists()), default=0)
    if largest > _LARGEST_LOG:
        return CheckStatus.FAIL, (
            f"a write-ahead log has {_format_size(largest)}: some process still reads an old state;"
            " end consoles that hang"
        )
    return CheckStatus.PASS, f"the write-ahead logs have at most {_format_size(largest)}"


_LARGEST_LOG = 80 << 20
"""Bytes; more than the limit that writers set for themselves."""


def _is_without_log(path: Path) -> bool:
    """Whether a file has no write-ahead log: nobody writes it, and it can be opened immutable."""
    return not os.path.lexists(path.with_name(f"{path.name}-wal"))


@contextmanager
def _open(path: Path) -> Iterator[Connection]:
    with closing(open_readonly(path, still=_is_without_log(path))) as db, corruption_as_error(path):
        yield db


def _check_versions(case: _CheckContext) -> _Outcome:
    versions = []
    for path in case.files:
        with (
            closing(open_readonly(path, still=_is_without_log(path))) as db,
            corruption_as_error(path),
        ):
            versions.append(f"{path.name} {read_version(db)[1]}")
    return CheckStatus.PASS, ", ".join(versions)


def _integrity_check(name: str) -> Callable[[_CheckContext], _Outcome]:
    def check(case: _CheckContext) -> _Outcome:
        path = case.directory.path / name
        mode = "ro&immutable=1" if _is_without_log(path) else "ro"
        with closing(open_unchecked(path, mode=mode)) as db, corruption_as_error(path):
            found = [row[0] for row in db.execute("pragma quick_check(3)")]
        if found != ["ok"]:
            return CheckStatus.FAIL, (
                f"{name} is damaged ({'; '.join(found)}): move it away and start the collector,"
                " or put a backup in its place"
            )
        return CheckStatus.PASS, f"{name} is sound (quick check; `watchdeck backup` checks in full)"

    return check


def _check_audit(case: _CheckContext) -> _Outcome:
    path = case.directory.state
    with _open(path) as db:
        found, gone = verify(db), missing_guards(db)
    if found.first_bad is not None:
        return CheckStatus.FAIL, f"{found.why}; the {found.rows} rows before it are sound"
    if gone:
        return (
            CheckStatus.FAIL,
            f"the rows are sound, but guards were taken away: {', '.join(gone)}",
        )
    return CheckStatus.PASS, f"{found.rows} rows, head {found.head}"


def _check_collector(case: _CheckContext) -> _Outcome:
    heartbeat = _read_heartbeat(case)
    collector = current_collector(case.directory, heartbeat, case.now)
    if collector.state is CollectorState.STOPPED:
        return CheckStatus.FAIL, "no collector is running: `watchdeck collect` starts one"
    pid = case.directory.lock_holder()
    if collector.state is CollectorState.STALLED:
        return (
            CheckStatus.FAIL,
            collector.disk
            or f"process {pid} holds the lock and does not tick: end it and start anew",
        )
    return CheckStatus.PASS, f"process {pid} collects"


def _check_lag(case: _CheckContext) -> _Outcome:
    heartbeat = _read_heartbeat(case)
    if heartbeat is None:
        return CheckStatus.UNKNOWN, "no collector has sent a heartbeat yet"
    age, late = format_duration(case.now - heartbeat.at), heartbeat.lag * 1_000
    text = f"last tick {age} ago, {late:.0f} ms late"
    problems = [
        one
        for one in (heartbeat.blind, heartbeat.storing, heartbeat.outside, heartbeat.faults)
        if one
    ]
    if problems:
        return CheckStatus.FAIL, "; ".join([text, *problems])
    if heartbeat.dropped:
        return (
            CheckStatus.FAIL,
            f"{text}; {heartbeat.dropped} scrapes were dropped: the disk is too slow",
        )
    if heartbeat.lag > _LONGEST_LAG:
        return CheckStatus.FAIL, f"{text}: this machine is too busy for so many endpoints"
    return CheckStatus.PASS, text


_LONGEST_LAG = 1.0
"""Seconds that a tick may be late."""


def _read_heartbeat(case: _CheckContext) -> CollectorStatus | None:
    path = case.directory.metrics
    with _open(path) as db:
        return read_heartbeat(db)


def _check_backups(case: _CheckContext) -> _Outcome:
    path = case.directory.state
    with _open(path) as db:
        found = read_last_of_action(db, "backup")
    if found is None:
        return CheckStatus.UNKNOWN, "no backup is known: `watchdeck backup DIRECTORY` makes one"
    place, at = found
    text = f"the last known one is {format_duration(case.now - at)} old, in {place}"
    if not Path(place).is_dir():
        return CheckStatus.UNKNOWN, f"{text}, and is not there now"
    if case.now - at > _OLDEST_BACKUP:
        return CheckStatus.UNKNOWN, f"{text}: `watchdeck backup DIRECTORY` makes a new one"
    return CheckStatus.PASS, text


_OLDEST_BACKUP = 8 * 86_400_000


def _format_size(size: int) -> str:
    return format_value(size, Unit.BYTES)


_CHECKS: dict[str, Callable[[_CheckContext], _Outcome]] = {
    "directory": _check_directory,
    "permissions": _check_permissions,
    "disk": _check_disk,
    "room": _check_room,
    "size": _check_size,
    "log": _check_logs,
    "versions": _check_versions,
    "collector": _check_collector,
    "lag": _check_lag,
    "backups": _check_backups,
    "audit": _check_audit,
    "state.db": _integrity_check("state.db"),
    "metrics.db": _integrity_check("metrics.db"),
}
