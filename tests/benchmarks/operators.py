"""Two operators on one store: `python tests/benchmarks/operators.py [ALERTS] [SEED]`.

Two processes try to take every alert while a third writes samples and transitions as a collector
does; then a fourth tells how long an acknowledgement takes until another console sees it.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from store.alerts.made import fire
from store.stores import ANNA, state_only, whole
from watchdeck.actions.actor import Actor
from watchdeck.actions.alerts.acknowledge import acknowledge
from watchdeck.actions.requests import AcknowledgeRequest
from watchdeck.store.alerts.acknowledgements import read_acknowledgements
from watchdeck.store.files.connection import open_readonly, open_writable
from watchdeck.store.files.directory import StoreDirectory

REACH = 250.0
"""Milliseconds until another console sees an acknowledgement, p99."""

LOOK = 0.1
"""Seconds between two looks of a console at the store."""

OPERATOR = """
import random, sys, time
from pathlib import Path
from watchdeck.actions.alerts.acknowledge import acknowledge
from watchdeck.domain.values.operator import Operator
from watchdeck.store.files.directory import StoreDirectory
store, name, count, seed = StoreDirectory(Path(sys.argv[1])), *sys.argv[2:5]
numbers = list(range(1, int(count) + 1))
random.Random(seed).shuffle(numbers)
print("ready", flush=True)
sys.stdin.readline()
for number in numbers:
    done = acknowledge(store, [number], Operator(name), time.time_ns() // 1_000_000)
    print(number, "taken" if done.affected else done.refusals[0], flush=True)
"""

WRITER = """
import sys, time
from contextlib import closing
from msgspec.structs import replace
from pathlib import Path
from watchdeck.store.files.connection import transaction, open_writable
from watchdeck.store.alerts.episodes import read_open_episodes, save_episode
with closing(open_writable(Path(sys.argv[1]))) as db:
    while True:
        with transaction(db):
            for episode, _ in read_open_episodes(db)[:50]:
                save_episode(db, replace(episode, samples=episode.samples + 1))
        time.sleep(0.05)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipes = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipes, stdout=pipes, text=True)


def race(store: StoreDirectory, alerts: int, seed: int) -> tuple[int, int, int]:
    """Attempts, double acknowledgements, and losers that were not told who has it."""
    now = time.time_ns() // 1_000_000
    with closing(open_writable(store.state)) as db:
        for number in range(alerts):
            fire(db, model=f"model-{number}", at=now)
    writer = start(WRITER, store.state)
    people = {
        name: start(OPERATOR, store.path, name, alerts, f"{seed}{name}")
        for name in ("anna", "boris")
    }
    for one in people.values():
        assert one.stdout is not None
        one.stdout.readline()
    for one in people.values():
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = {name: one.communicate()[0].splitlines() for name, one in people.items()}
    writer.kill()
    writer.communicate()
    won = {
        name: [line for line in lines if line.endswith(" taken")] for name, lines in said.items()
    }
    untold = sum(
        1
        for name, lines in said.items()
        for line in lines
        if not line.endswith(" taken") and ("boris" if name == "anna" else "anna") not in line
    )
    with closing(open_readonly(store.state)) as db:
        owners = read_acknowledgements(db)
    doubled = sum(len(lines) for lines in won.values()) - len(owners)
    return sum(len(lines) for lines in said.values()), doubled, untold


def seen(store: StoreDirectory, times: int, seed: int) -> list[float]:
    """Milliseconds from a key until another console's look finds who has it, in another process."""
    random.seed(seed)
    watcher = start(WATCHER, store.path, LOOK)
    assert watcher.stdout is not None
    watcher.stdout.readline()
    taken_at = {}
    with closing(open_writable(store.state)) as db:
        numbers = [fire(db, model=f"other-{number}").id for number in range(times)]
    for number in numbers:
        time.sleep(random.uniform(0.05, 0.25))
        taken_at[number] = time.monotonic()
        acknowledge(Actor(store, ANNA), AcknowledgeRequest((number,)), time.time_ns() // 1_000_000)
    delays: list[float] = []
    while len(delays) < times:
        episode, at = watcher.stdout.readline().split()
        if int(episode) in taken_at:
            delays.append(1_000 * (float(at) - taken_at[int(episode)]))
    watcher.kill()
    watcher.communicate()
    return delays


WATCHER = """
import sys, time
from pathlib import Path
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.reader import Reader
reader, known = Reader(StoreDirectory(Path(sys.argv[1]))), set()
print("ready", flush=True)
while True:
    if reader.has_changed():
        board = reader.board(time.time_ns() // 1_000_000)
        for one in board.alerts:
            if one.acknowledgement and one.episode.id not in known:
                known.add(one.episode.id)
                print(one.episode.id, time.monotonic(), flush=True)
    time.sleep(float(sys.argv[2]))
"""


def main() -> None:
    alerts = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        store = state_only(Path(folder) / "store")
        attempts, doubled, untold = race(store, alerts, seed)
    with tempfile.TemporaryDirectory() as folder:
        store = whole(Path(folder) / "store")
        delays = sorted(seen(store, 100, seed))
    print(f"two operators, {alerts} alerts, a writer beside them, seed {seed}")
    print(f"attempts                          {attempts}")
    print(f"double acknowledgements (0)       {doubled}")
    print(f"losers not told who has it (0)    {untold}")
    p50, p99 = statistics.median(delays), delays[min(98, len(delays) - 1)]
    print(f"key to another process, p50       {p50:.0f} ms")
    print(f"key to another process, p99 ({REACH:.0f})  {p99:.0f} ms")


if __name__ == "__main__":
    main()
