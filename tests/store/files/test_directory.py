"""The directory of a store: whose it is, and who collects into it."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from store.stores import HOLD, process, whole
from watchdeck.errors import CollectorRunning, StoreError, StoreMissing
from watchdeck.service.spawn import ensure_collector
from watchdeck.store.files.directory import (
    StoreDirectory,
    check_file,
    lock_directory,
    locking_process,
)
from watchdeck.store.migrations import prepare

UNWRITABLE = Path("/proc/sys")
"""A directory in which even root can make nothing."""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "deep" / "store")
    before = os.umask(0)
    try:
        directory.create()
        with directory.hold_lock():
            assert mode(directory.lock) == 0o600
    finally:
        os.umask(before)
    assert mode(directory.path) == 0o700


def test_an_existing_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    StoreDirectory(tmp_path).create()
    assert mode(tmp_path) == 0o750


def test_a_missing_store_is_said_with_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match=r"no store in .*watchdeck collect"):
        StoreDirectory(tmp_path / "none").check()


def test_a_directory_that_everybody_can_write_is_refused_with_the_cure(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(StoreError, match="chmod 700"):
        StoreDirectory(tmp_path).create()


def test_a_directory_behind_a_symbolic_link_is_refused_with_its_real_name(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    with pytest.raises(StoreError, match=f"directory itself: {real}"):
        StoreDirectory(link).create()


def test_a_link_that_leads_nowhere_is_refused_and_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="symbolic link"):
        StoreDirectory(link).create()
    assert not (tmp_path / "nowhere").exists()


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.write_text("")
    with pytest.raises(StoreError, match="not a directory"):
        StoreDirectory(path).create()
    with pytest.raises(StoreMissing, match="no store in"):
        StoreDirectory(path / "below").check()


def lock(directory: StoreDirectory) -> None:
    with directory.hold_lock():
        pass


@pytest.mark.skipif(not UNWRITABLE.is_dir(), reason="not a Linux")
@pytest.mark.parametrize(
    ("use", "below", "named"),
    [
        pytest.param(StoreDirectory.create, "store", "store", id="a directory to be made"),
        pytest.param(StoreDirectory.create, "s" * 300, "s" * 300, id="a name that is too long"),
        pytest.param(lock, ".", "collector.lock", id="the lock"),
        pytest.param(prepare, ".", "", id="files to be made"),
        pytest.param(
            lambda directory: ensure_collector(directory, Path("none")),
            ".",
            "collector.log",
            id="what a collector that is started says",
        ),
    ],
)
def test_what_the_system_refuses_is_said_with_the_place_and_what_would_work(
    use: Callable[[StoreDirectory], object], below: str, named: str
) -> None:
    with pytest.raises(StoreError, match=f"{UNWRITABLE / named} cannot be used: .*another dir"):
        use(StoreDirectory(UNWRITABLE / below))


def test_a_file_that_another_one_replaced_has_another_place(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    prepare(directory)
    first = directory.file_identities()
    assert first == directory.file_identities()
    assert first[2] is None
    prepare(StoreDirectory(tmp_path / "other"))
    (tmp_path / "other" / "state.db").rename(directory.state)
    assert [
        one == other for one, other in zip(first, directory.file_identities(), strict=True)
    ] == [
        True,
        False,
        True,
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files for another user")
@pytest.mark.parametrize("below", [".", "new/store"], ids=["its directory", "one to be made in it"])
def test_root_makes_no_files_at_another_users_place(tmp_path: Path, below: str) -> None:
    home = tmp_path / "home"
    home.mkdir(0o700)
    os.chown(home, 12_345, 12_345)
    with pytest.raises(StoreError, match="Run this as that user"):
        StoreDirectory(home / below).create()
    assert list(home.iterdir()) == []


def test_a_file_that_everybody_can_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(StoreError, match="chmod 600"):
        check_file(path)


def test_nobody_holds_the_lock_of_a_store_that_does_not_exist(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "none")
    assert directory.lock_holder() is None
    assert directory.locked_at() is None


def test_two_processes_cannot_collect_into_one_store(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    with process(HOLD, tmp_path) as first:
        assert directory.lock_holder() == first.pid
        with (
            pytest.raises(CollectorRunning, match=f"process {first.pid}"),
            directory.hold_lock(),
        ):
            pass
    assert directory.lock_holder() is None
    with directory.hold_lock():
        assert directory.lock_holder() == os.getpid()
    assert directory.lock_holder() is None


def test_a_killed_collector_leaves_no_lock(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    with process(HOLD, tmp_path) as first:
        first.kill()
        first.wait()
        with directory.hold_lock():
            assert directory.lock_holder() == os.getpid()


def test_asking_for_the_holder_never_keeps_a_collector_from_starting(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    directory.lock.touch(0o600)
    ask = """
import sys
from pathlib import Path
from watchdeck.store.files.directory import StoreDirectory
directory = StoreDirectory(Path(sys.argv[1]))
print("asking", flush=True)
while True:
    directory.lock_holder()
"""
    with process(ask, tmp_path):
        for _ in range(20):
            with directory.hold_lock():
                pass


def test_a_holder_that_said_no_number_is_still_a_holder(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    with directory.hold_lock():
        directory.lock.write_text("not a number")
        assert directory.lock_holder() == 0


def test_a_lock_behind_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path)
    directory.lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="symbolic link"), directory.hold_lock():
        pass
    assert directory.lock_holder() is None
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_store_of_another_user_is_refused_in_words(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    os.seteuid(12_345)
    try:
        with pytest.raises(StoreError, match="may not be looked at by this user"):
            StoreDirectory(tmp_path / "store").check()
    finally:
        os.seteuid(0)


FLOCK = """
import fcntl
import os
import sys
handle = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(handle, fcntl.LOCK_SH)
print("locked", flush=True)
sys.stdin.readline()
"""
"""Some other program that holds a lock on a file or directory until a line comes."""


def test_a_lock_on_the_directory_that_does_not_end_is_said_with_its_process(
    tmp_path: Path,
) -> None:
    with (
        process(FLOCK, tmp_path) as holder,
        pytest.raises(StoreError, match=rf"locked by process {holder.pid} \(python"),
    ):
        prepare(StoreDirectory(tmp_path))
    prepare(StoreDirectory(tmp_path))


def test_a_lock_file_that_another_program_locks_is_said_with_its_process(tmp_path: Path) -> None:
    directory = whole(tmp_path / "store")
    with directory.hold_lock():
        pass
    with (
        process(FLOCK, directory.lock) as holder,
        pytest.raises(CollectorRunning, match=f"process {holder.pid}, which is not known"),
        directory.hold_lock(),
    ):
        pass


def test_the_process_of_a_lock_is_unknown_where_the_system_does_not_tell_it(tmp_path: Path) -> None:
    with lock_directory(tmp_path):
        assert locking_process(tmp_path) == os.getpid()
        assert locking_process(tmp_path, tmp_path / "none") is None
        (tmp_path / "locks").write_text("1: FLOCK\n\n2: POSIX ADVISORY WRITE 1 00:00:1 0 EOF\n")
        assert locking_process(tmp_path, tmp_path / "locks") is None
    assert locking_process(tmp_path / "none") is None
