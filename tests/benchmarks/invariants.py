"""What holds of every alert, tried on many made-up lives: `invariants.py [SEQUENCES] [SEED]`.

Each line is one property of the tests, how many sequences it was tried on, and how long that took.
A property that does not hold ends the report with the shortest sequence that breaks it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.alerts import test_invariants
from domain.external import test_any_order
from engine.alerts.last_words import AlertLives
from store.stores import state_only
from watchdeck.store.files.connection import open_writable

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)


def properties() -> dict[str, Callable[[], None]]:
    found = vars(test_invariants)
    return {name: found[name] for name in sorted(found) if name.startswith("test_")}


def main() -> None:
    sequences = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    many = settings(
        max_examples=sequences, deadline=None, database=None, suppress_health_check=SLOW
    )
    print(f"seed {chosen}, {sequences} sequences each")
    for name, prove in properties().items():
        report(name.removeprefix("test_").replace("_", " "), many(seed(chosen)(prove)))
    machine = settings(many, stateful_step_count=40)
    report(
        "everything in any order",
        lambda: run_state_machine_as_test(test_any_order.Alerting, settings=machine),
    )
    report("the last message of every receiver says what is so", lambda: live(sequences, chosen))


def live(sequences: int, first: int) -> None:
    for number in range(first, first + sequences):
        with TemporaryDirectory(prefix="watchdeck-invariants-") as place:
            directory = state_only(Path(place) / "store")
            with closing(open_writable(directory.state, synchronous="OFF")) as db:
                lives = AlertLives(directory, db, Random(number))
                for _ in range(40):
                    lives.step()
                    assert not lives.lies(), f"seed {number}: {lives.done}"


def report(name: str, prove: Callable[[], None]) -> None:
    begun = time.perf_counter()
    prove()
    print(f"{time.perf_counter() - begun:8.1f} s  {name}", flush=True)


if __name__ == "__main__":
    main()
