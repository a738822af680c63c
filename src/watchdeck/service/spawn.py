"""Starts a collector for a console that finds none."""

import os
import subprocess
import sys
from pathlib import Path

from watchdeck.store.files.directory import FILE_MODE, StoreDirectory, os_errors_as_store_error


def ensure_collector(directory: StoreDirectory, config: Path) -> str:
    """Start a collector unless one runs; returns a notice for the user, empty when one ran.

    The collector outlives the console, in its own session, and logs to `collector.log` in the
    store's directory. Raises StoreError when that directory cannot be used.
    """
    directory.create()
    if directory.lock_holder() is not None:
        return ""
    log = directory.path / "collector.log"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    with os_errors_as_store_error(log):
        handle = os.open(log, flags, FILE_MODE)
    try:
        started = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", "watchdeck", "--config", str(config.absolute()), "collect"],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
        )
    finally:
        os.close(handle)
    return f"No collector was running: started one (process {started.pid}). It goes on after you."
