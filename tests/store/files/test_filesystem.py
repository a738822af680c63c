"""The disk under a store, and who may touch its files."""

import os
import tempfile
from pathlib import Path

import pytest

from watchdeck.store.files.filesystem import (
    bytes_in,
    filesystem_type,
    full_disk_words,
    is_network_filesystem,
    permission_problems,
)

MOUNTS = """\
21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 21 0:26 / {place} rw shared:2 - tmpfs tmpfs rw
31 21 0:27 / {place}/with\\040blank rw - nfs4 server:/export rw
32 30 0:28 / {place}/twice rw - ext4 /dev/vdb rw
33 30 0:29 / {place}/twice rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    ("below", "kind"),
    [
        pytest.param("..", "ext4", id="the root"),
        pytest.param(".", "tmpfs", id="the mount itself"),
        pytest.param("deep/er", "tmpfs", id="below the mount"),
        pytest.param("with blank/store", "nfs4", id="a name with a blank"),
        pytest.param("twice", "cifs", id="a mount that hides another"),
    ],
)
def test_the_disk_of_a_path_is_the_closest_mount_above(
    tmp_path: Path, below: str, kind: str
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(place=tmp_path))
    assert filesystem_type(tmp_path / below, mounts) == kind


def test_a_system_that_does_not_tell_its_mounts_is_unknown(tmp_path: Path) -> None:
    assert filesystem_type(tmp_path, tmp_path / "none") is None
    (tmp_path / "empty").touch()
    assert filesystem_type(tmp_path, tmp_path / "empty") is None


def test_disks_that_other_machines_write_are_told_from_local_ones() -> None:
    assert is_network_filesystem("nfs4")
    assert not is_network_filesystem("ext4")


def test_a_store_for_its_owner_alone_has_no_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "state.db").touch(0o600)
    assert list(permission_problems(tmp_path)) == []


def test_every_fault_comes_with_its_cure(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    (tmp_path / "a").symlink_to("/dev/null")
    (tmp_path / "b").touch()
    (tmp_path / "b").chmod(0o644)
    (tmp_path / "c").mkdir()
    (tmp_path / "c").chmod(0o755)
    assert list(permission_problems(tmp_path)) == [
        f"{tmp_path} has mode 750: `chmod 700 {tmp_path}`",
        f"{tmp_path}/a is a symbolic link: put the file itself there",
        f"{tmp_path}/b has mode 644: `chmod 600 {tmp_path}/b`",
        f"{tmp_path}/c has mode 755: `chmod 700 {tmp_path}/c`",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_owner_is_a_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "b").touch(0o600)
    os.chown(tmp_path / "b", 12_345, 12_345)
    assert list(permission_problems(tmp_path)) == [
        f"{tmp_path}/b belongs to user 12345: `chown 0 {tmp_path}/b`"
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_store_of_another_user_is_a_fault() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        os.chown(folder, 12_345, 12_345)
        os.seteuid(12_346)
        try:
            found = list(permission_problems(Path(folder)))
        finally:
            os.seteuid(0)
    assert found[-1] == f"{folder} belongs to user 12345: use the store as that user"


def test_all_that_a_store_takes_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "b").write_bytes(b"123")
    assert bytes_in(tmp_path) == 8


def test_a_disk_with_room_and_one_that_cannot_be_asked_have_nothing_wrong(tmp_path: Path) -> None:
    assert full_disk_words(tmp_path) == ""
    assert full_disk_words(tmp_path / "nowhere") == ""
