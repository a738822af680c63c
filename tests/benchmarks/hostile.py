"""What thousands of hostile texts make the console send, do and suffer.

`python tests/benchmarks/hostile.py [TEXTS]` prints a table. Every text of a board is hostile, as if
nothing had cleaned it; each console is walked through on a real pseudo terminal: every screen is
opened, for every model, and all is clicked on.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from console import hostile
from console.pty_console import Terminal

MODELS = 16
"""As many as are in view at once on 120x40."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One console: what it was shown, what it sent, and how it ended; None is by the key."""

    texts: int
    sent: int
    raw: list[str]
    ended: int | None


def walk(seed: int) -> Walk:
    terminal = Terminal(str(hostile.__file__), str(seed), str(MODELS), cells=120, rows=40)
    output, ended = b"", None
    try:
        terminal.wait_for(b"collector")
        output += terminal.output + terminal.quiet(0.5)
        for part in hostile.walk(terminal, MODELS):
            output += part
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            ended, terminal.pid = os.waitstatus_to_exitcode(status), 0
    except OSError:
        ended = terminal.ended()
    finally:
        terminal.close()
    return Walk(hostile.Source(seed, MODELS).made, len(output), hostile.raw(output), ended)


def report(texts: int) -> None:
    walks: list[Walk] = []
    while sum(one.texts for one in walks) < texts:
        walks.append(walk(len(walks)))
    raw = [char for one in walks for char in one.raw]
    print(f"{sum(one.texts for one in walks):,} hostile texts on {len(walks)} consoles")
    print(f"{'bytes sent':34}{sum(one.sent for one in walks):>12,}")
    for name, found in (
        ("raw control characters", len(raw)),
        ("consoles that crashed", sum(1 for one in walks if one.ended)),
        ("consoles that a text made to leave", sum(1 for one in walks if one.ended == 0)),
        ("bells that a text rang", raw.count("\x07")),
    ):
        print(f"{name:34}{found:>12}  to reach: 0")


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
