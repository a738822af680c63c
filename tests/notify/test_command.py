import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from notify.notifications import notification
from notify.outbox import SOURCE
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.units import Milliseconds
from watchdeck.notify.command import CommandNotifier
from watchdeck.notify.result import DeliveryResult, Sent, TryAgain

ENVIRON = {"PATH": os.environ["PATH"], "TOKEN": "hush-hush", "OTHER": "private"}


async def run(*command: str, within: int = 5_000) -> DeliveryResult:
    channel = Channel(
        "c", "command", command=command, environment=("TOKEN",), timeout=Milliseconds(within)
    )
    return await CommandNotifier(channel, ENVIRON, SOURCE)(notification())


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *arguments)


async def test_a_command_gets_the_event_the_id_and_no_more_of_our_environment(
    tmp_path: Path,
) -> None:
    written = tmp_path / "written"
    code = (
        "import json, os, sys; json.dump([json.load(sys.stdin), dict(os.environ), os.getcwd()],"
        " open(sys.argv[1], 'w'))"
    )
    assert await run(*python(code, str(written))) == Sent()
    event, environ, cwd = json.loads(written.read_text())
    assert event["id"] == notification().id
    assert event["data"]["alerts"][0]["model"] == "fraud"
    assert environ["WATCHDECK_ID"] == notification().id
    assert (environ["TOKEN"], cwd) == ("hush-hush", "/")
    assert "OTHER" not in environ


async def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    evil = f"$(touch {tmp_path}/a); touch {tmp_path}/b"
    code = "import os, sys; sys.exit(os.listdir(sys.argv[1]) != [] or len(sys.argv) != 3)"
    assert await run("echo", evil) == Sent()
    assert await run(*python(code, str(tmp_path), evil)) == Sent()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        pytest.param(
            python("import sys; sys.exit('no \\x1b[2Jluck with hush-hush')"),
            "exit status 1: no ^[[2Jluck with (secret)",
            id="says why",
        ),
        pytest.param(python("import sys; sys.exit(3)"), "exit status 3", id="says nothing"),
        pytest.param(
            python("import os; os.kill(os.getpid(), 9)"), "signal 9", id="killed by a signal"
        ),
        pytest.param(
            ("/nowhere/to/be/found",),
            "the command cannot be run: No such file or directory",
            id="not there",
        ),
        pytest.param(
            ("a\0b",), "the command cannot be run: an argument cannot be passed", id="with a NUL"
        ),
    ],
)
async def test_a_command_that_fails_is_tried_again(command: tuple[str, ...], why: str) -> None:
    assert await run(*command) == TryAgain(why)


async def test_a_command_need_not_read_and_may_say_much() -> None:
    code = "import sys; sys.stdin.close(); sys.stderr.write('x' * 10_000_000)"
    assert await run(*python(code)) == Sent()


async def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(
    tmp_path: Path,
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    stubborn = f"trap '' TERM; (echo here; exec sleep 600) > {pipe} & wait"
    assert await run("sh", "-c", stubborn, within=500) == TryAgain(
        "the command took longer than 500ms"
    )
    assert await asyncio.wait_for(asyncio.to_thread(_to_the_end, reader), 5) == b"here\n"


def _to_the_end(reader: int) -> bytes:
    """All of a pipe; it ends when the last who could write has gone."""
    os.set_blocking(reader, True)
    with os.fdopen(reader, "rb") as told:
        return told.read()
