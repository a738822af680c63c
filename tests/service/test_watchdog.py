import logging
import socket
from pathlib import Path

import pytest

from log_lines import lines_of
from watchdeck.service.watchdog import BLOCKED_AFTER, END_AFTER, LoopWatchdog, SystemdNotifier


def test_systemd_is_fed_only_by_committed_ticks(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        systemd = SystemdNotifier(str(tmp_path / "notify"))
        assert systemd.send("READY=1")
        for stored, evaluated in ((1, 1), (2, 1), (2, 1), (2, 2), (2, 3), (3, 3)):
            systemd.feed(stored, evaluated)
        states = [heard.recv(100).decode() for _ in range(4)]
        with pytest.raises(BlockingIOError):
            heard.recv(100)
    assert states == ["READY=1", *["WATCHDOG=1"] * 3]


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_without_systemd_nothing_is_sent(address: str) -> None:
    assert not SystemdNotifier(address).send("READY=1")


def test_a_blocked_loop_is_logged_once_with_its_place_and_then_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    now, ended = [0.0], []
    watchdog = LoopWatchdog(lambda: ended.append(now[0]), lambda: now[0])
    while not ended:
        now[0] += 1.0
        watchdog.check()
    assert ended == [END_AFTER]
    first, last = lines_of(caplog)
    assert first.startswith(f"<3>event loop blocked seconds={BLOCKED_AFTER:.0f} place=")
    assert last.startswith("<3>collector ends: its event loop is blocked")


def test_a_loop_that_turns_and_a_process_that_was_suspended_are_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now, ended = [0.0], []
    watchdog = LoopWatchdog(lambda: ended.append(now[0]), lambda: now[0])
    for _ in range(400):
        now[0] += 1.0
        watchdog.turn()
        watchdog.check()
    now[0] += 2 * END_AFTER
    watchdog.check()
    assert not ended
    assert not lines_of(caplog)
