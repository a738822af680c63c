"""The processes of the demo leave the terminal to the console."""

import asyncio
import gc
import os
import pty
import subprocess
import sys
import weakref
from pathlib import Path

from watchdeck.demo.fleet.server import _hang

SAYS = """
import sys
from watchdeck.demo.fleet.processes import child_process, receive_first
def speak(pipe):
    print("on the terminal", file=sys.stderr, flush=True)
    pipe.send(1)
if __name__ == "__main__":
    with child_process("speaker", speak) as pipe:
        receive_first(pipe, "the speaker", 20)
    print("the end", file=sys.stderr, flush=True)
"""


def test_a_process_of_the_demo_writes_nothing_on_the_terminal(tmp_path: Path) -> None:
    script = tmp_path / "says.py"
    script.write_text(SAYS)
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, str(script)], stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    said = os.read(ours, 10_000)
    os.close(ours)
    assert said.strip() == b"the end"


FAILS = """
from watchdeck.demo.fleet.processes import child_process, receive_first
from watchdeck.errors import WatchdeckError
def fail(pipe):
    raise WatchdeckError("the disk is full")
if __name__ == "__main__":
    with child_process("failing", fail) as pipe:
        try:
            receive_first(pipe, "the collector", 20)
        except WatchdeckError as error:
            print(error)
"""


def test_why_a_process_of_the_demo_did_not_start_is_told(tmp_path: Path) -> None:
    script = tmp_path / "fails.py"
    script.write_text(FAILS)
    command = [sys.executable, str(script)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "the collector of the demo did not start: the disk is full\n"


async def test_a_connection_that_hangs_is_not_collected() -> None:
    hanging = weakref.ref(asyncio.ensure_future(_hang()))
    await asyncio.sleep(0)
    gc.collect()
    task = hanging()
    assert task is not None
    task.cancel()
