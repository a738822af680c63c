"""Commands as receivers: run without a shell, with the notification as JSON on stdin."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress

from watchdeck.domain.notifications.outbox import Notification
from watchdeck.domain.settings.receivers import Channel
from watchdeck.domain.values.text import clean
from watchdeck.notify.result import DeliveryResult, Sent, TryAgain
from watchdeck.notify.webhook import cloud_event
from watchdeck.redaction import SecretFilter, redact

_ALWAYS_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "LOGNAME", "TMPDIR")
"""Environment variables that every command gets; any other must be named in its channel."""

_MAX_STDERR = 4_096
"""Bytes of a command's standard error that are kept; the rest is read and dropped."""

_GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL."""


class CommandNotifier:
    """Runs a command for each notification, in a process group that is killed at the end.

    Exit status 0 is success. `WATCHDECK_ID` in its environment is the id of the notification.
    """

    def __init__(self, channel: Channel, environ: Mapping[str, str], source: str) -> None:
        self._channel = channel
        self._source = source
        self._named = {name: environ[name] for name in channel.environment if name in environ}
        self._hidden = SecretFilter(self._named.values())
        self._environ = {
            name: environ[name] for name in _ALWAYS_PASSED if name in environ
        } | self._named

    async def __call__(self, notification: Notification) -> DeliveryResult:
        """Run the command; a retry follows any exit status but 0, and a timeout."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._channel.command,
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=PIPE,
                env=self._environ | {"WATCHDECK_ID": notification.id},
                cwd="/",
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "an argument cannot be passed"
            return TryAgain(f"the command cannot be run: {clean(str(why), 120)}")
        try:
            return await self._outcome_of(
                process, json.dumps(cloud_event(notification, self._source)).encode()
            )
        finally:
            await _kill_group(process)

    async def _outcome_of(self, process: Process, content: bytes) -> DeliveryResult:
        try:
            async with asyncio.timeout(self._channel.timeout.seconds):
                errors, _ = await asyncio.gather(
                    _read_stderr(process), _write_stdin(process, content)
                )
                status = await process.wait()
        except TimeoutError:
            return TryAgain(f"the command took longer than {self._channel.timeout}")
        if status == 0:
            return Sent()
        how = f"exit status {status}" if status > 0 else f"signal {-status}"
        text = self._hidden.redact(redact(errors.decode("utf-8", "replace"))).strip()
        return TryAgain(clean(f"{how}: {text.splitlines()[0]}" if text else how, 200))


async def _write_stdin(process: Process, content: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with suppress(OSError):  # a command need not read its input
        process.stdin.write(content)
        await process.stdin.drain()
    process.stdin.close()


async def _read_stderr(process: Process) -> bytes:
    assert process.stderr is not None  # noqa: S101 - it is a pipe
    text = b""
    while piece := await process.stderr.read(_MAX_STDERR):
        text = (text + piece)[:_MAX_STDERR]
    return text


async def _kill_group(process: Process) -> None:
    """End the whole group, also after success: nothing that a command started may stay behind."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        if process.returncode is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await process.wait()
