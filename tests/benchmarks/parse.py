"""What it costs to read a page, at every level of our reader and by prometheus_client.

`python tests/benchmarks/parse.py [RUNS]` prints a table: the median of the runs, in microseconds a
page. Every run reads the next of some scrapes of the same server, so that values do change.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from prometheus_client.parser import text_string_to_metric_families

from benchmarks import poll
from watchdeck.collector.exposition import PageParser

CAPTURED = Path(__file__).parents[1] / "pages" / "vllm"

REACH = "to reach for 600 lines, positional: 180 µs, 40x prometheus_client"

SLOW = 20
"""A level above this many times the quickest is run so much less often."""

Read = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class Pages:
    """Scrapes of one server, one after the other; the levels that its pages can be read at."""

    name: str
    bodies: Sequence[bytes]
    levels: tuple[str, ...]

    @property
    def lines(self) -> int:
        """Lines that are no comments."""
        return sum(not line.startswith(b"#") for line in self.bodies[0].splitlines())


def stamped(body: bytes, at: int) -> bytes:
    """The page with a time on every sample, as federation and some exporters write it."""
    lines = body.splitlines()
    return b"\n".join(line if line.startswith(b"#") else b"%b %d" % (line, at) for line in lines)


def all_pages() -> tuple[Pages, ...]:
    made = poll.pages()
    timed = [stamped(body, 1_700_000_000_000 + 10_000 * turn) for turn, body in enumerate(made)]
    captured = [path.read_bytes() for path in sorted(CAPTURED.glob("*.prom"))]
    return (
        Pages("made, 600 lines", made, ("positional", "cached", "grammar")),
        Pages("a captured vLLM", captured, ("positional", "cached", "grammar")),
        Pages("made, with times", timed, ("again", "grammar")),
    )


def reading(level: str) -> Read:
    """A reader that has come to a level, and stays there."""
    shared, keys = PageParser(), count()
    ways: dict[str, Read] = {
        "positional": lambda body: shared.read("model", body).level,
        "cached": lambda body: shared.read(str(next(keys)), body).level,
        "grammar": lambda body: PageParser().read("model", body).level,
        "again": lambda body: shared.read("model", body).level,
    }
    return ways[level]


def theirs(body: bytes) -> str:
    for _family in text_string_to_metric_families(body.decode()):
        pass
    return "prometheus_client"


def spent(read: Read, bodies: Sequence[bytes], runs: int) -> tuple[float, str]:
    """Microseconds that a page takes once all were read, and the level it was read at."""
    for body in bodies:
        read(body)
    took, level = [], ""
    for body in _some(bodies, runs):
        began = time.perf_counter_ns()
        level = read(body)
        took.append(time.perf_counter_ns() - began)
    return statistics.median(took) / 1_000, level


def _some(bodies: Sequence[bytes], runs: int) -> Iterator[bytes]:
    return (body for body, _ in zip(cycle(bodies), range(runs), strict=False))


def report(runs: int) -> None:
    print(f"{'page':17}{'lines':>6}{'kB':>5}  {'read':19}{'a page':>11}{'a line':>9}{'':>8}")
    for pages in all_pages():
        seldom = max(1, runs // SLOW)
        reference, name = spent(theirs, pages.bodies, seldom)
        print(row(pages, name, reference, reference))
        for wanted in pages.levels:
            often = runs if wanted in ("positional", "cached") else seldom
            took, level = spent(reading(wanted), pages.bodies, often)
            said = "grammar, 2nd scrape" if wanted == "again" else level
            print(row(pages, said, took, reference), flush=True)
    print(REACH)


def row(pages: Pages, level: str, took: float, reference: float) -> str:
    size = len(pages.bodies[0]) / 1_000
    line = 1_000 * took / pages.lines
    return (
        f"{pages.name:17}{pages.lines:6}{size:5.0f}  {level:19}{took:8.0f} µs{line:6.0f} ns"
        f"{reference / took:7.1f}x"
    )


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
