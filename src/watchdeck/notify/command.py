"""A command: an argument list that no shell reads, with the letter as JSON on its input."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress

from watchdeck.domain.notifications.notification import Notification
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.text import clean
from watchdeck.notify.result import DeliveryResult, Sent, TryAgain, redact
from watchdeck.notify.webhook import event

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME", "TMPDIR")
"""What of our environment every command gets; anything more must be named."""

_READ = 4_096
"""Bytes of what it says on its standard error; the rest is read and thrown away."""

_GRACE = 1.0
"""Seconds between asking a command to end and ending it."""


class CommandNotifier:
    """Runs a command for each letter, in a process group of its own that never outlives its time.

    It succeeds with exit status 0. `WATCHDECK_ID` in its environment is the letter's id.
    """

    def __init__(self, channel: Channel, environ: Mapping[str, str], source: str) -> None:
        self._channel = channel
        self._source = source
        self._passed = {name: environ[name] for name in channel.environment if name in environ}
        self._environ = {name: environ[name] for name in _KEPT if name in environ} | self._passed

    async def __call__(self, letter: Notification) -> DeliveryResult:
        """Run it; whatever does not end with 0 in time is tried again."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._channel.command,
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=PIPE,
                env=self._environ | {"WATCHDECK_ID": letter.id},
                cwd="/",
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "an argument cannot be passed"
            return TryAgain(f"the command cannot be run: {clean(str(why), 120)}")
        try:
            return await self._ran(process, json.dumps(event(letter, self._source)).encode())
        finally:
            await _end(process)

    async def _ran(self, process: Process, content: bytes) -> DeliveryResult:
        try:
            async with asyncio.timeout(self._channel.timeout.seconds):
                said, _ = await asyncio.gather(_last_words(process), _feed(process, content))
                status = await process.wait()
        except TimeoutError:
            return TryAgain(f"the command took longer than {self._channel.timeout}")
        if status == 0:
            return Sent()
        how = f"exit status {status}" if status > 0 else f"signal {-status}"
        words = redact(said.decode("utf-8", "replace"), tuple(self._passed.values())).strip()
        return TryAgain(clean(f"{how}: {words.splitlines()[0]}" if words else how, 200))


async def _feed(process: Process, content: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - it was asked for
    with suppress(OSError):  # a command need not read what it is told
        process.stdin.write(content)
        await process.stdin.drain()
    process.stdin.close()


async def _last_words(process: Process) -> bytes:
    assert process.stderr is not None  # noqa: S101 - it was asked for
    said = b""
    while piece := await process.stderr.read(_READ):
        said = (said + piece)[:_READ]
    return said


async def _end(process: Process) -> None:
    """End the whole group: what a command started must not stay behind, also when it is done."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        if process.returncode is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await process.wait()
