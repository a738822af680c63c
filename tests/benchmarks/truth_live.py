"""Ten minutes of a real collector on one kind of server, beside Prometheus with the same samples.

`PYTHONPATH=tests python tests/benchmarks/truth_live.py [KIND] [SECONDS]`: a server on loopback
serves the page of a kind under made-up traffic and is restarted once; `watchdeck collect` scrapes
it every five seconds. The series that the collector stored are then written into a Prometheus with
their own times, and every signal that it stored is compared with PromQL over the same two samples.
"""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from array import array
from collections import Counter
from pathlib import Path

from msgspec import Struct

from benchmarks.truth import TOLERANCE, PromQl, Traffic, ask, on_page, prometheus
from domain.kinds.captured_pages import BY_NAME, PAIRS, sheet
from servers.loopback import Asked, answer, listening
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.series import Series
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow, window_length
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.metrics.frames import Stream
from watchdeck.store.reader import Reader

EVERY = 5_000


class Stored(Struct):
    """What the collector stored: rows of series and of signals, each with its time (ms UTC)."""

    series: list[tuple[int, dict[str, float]]]
    signals: list[tuple[int, dict[str, float]]]


async def collect(kind: Kind, plan: Plan, seconds: int, folder: Path) -> None:
    """Serve the page of a kind, and run a collector on it."""
    traffic = Traffic(plan, sheet(PAIRS[kind.name][1])[1], kind.name)
    traffic.restart(round(time.time() * 1_000) - 60_000)

    async def respond(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.target.rstrip("/") != "/metrics":
            writer.write(answer(status="404 Not Found"))
            return
        rows = zip(plan.layout.series, traffic.page, strict=True)
        lines = "".join(f"{series} {value!r}\n" for series, value in rows)
        writer.write(answer(lines.encode(), "Content-Type: text/plain; version=0.0.4"))

    async with listening(respond) as port:
        written = folder / "watchdeck.toml"
        written.write_text(
            f'store = "{folder}/store"\n[[endpoint]]\nname = "m"\nkind = "{kind.name}"\n'
            f'url = "http://127.0.0.1:{port}"\nmetrics_url = "http://127.0.0.1:{port}/metrics"\n'
            f'every = "{EVERY // 1_000}s"\nkeep = "all"\n'
        )
        command = [sys.executable, "-m", "watchdeck", "--config", str(written), "collect"]
        process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
        for number in range(seconds):
            if number == seconds // 2:
                traffic.restart(round(time.time() * 1_000))
            traffic.step(number * 2)
            await asyncio.sleep(1)
        process.send_signal(signal.SIGTERM)
        await process.wait()


def read_stored(folder: Path) -> Stored:
    """All rows of the endpoint, from the store."""
    reader = Reader(StoreDirectory(folder / "store"))
    found = {
        stream: [
            (at, dict(zip(block.columns, row.tolist(), strict=True)))
            for block in reader.blocks("m", stream, 0, 1 << 60)
            for at, row in zip(block.times, block.values, strict=True)
        ]
        for stream in (Stream.SERIES, Stream.SIGNALS)
    }
    reader.close()
    return Stored(found[Stream.SERIES], found[Stream.SIGNALS])


def write_openmetrics(file: Path, kind: str, plan: Plan, stored: Stored) -> None:
    """Write the counters of all rows with their own times."""
    with file.open("w", encoding="utf-8") as out:
        for place in sorted(set(plan.counters)):
            series = plan.layout.series[place]
            full = Series(series.name, (*series.labels, ("tested_kind", kind)), series.type)
            rows = ((at, row.get(str(series), math.nan)) for at, row in stored.series)
            out.writelines(f"{full} {value!r} {at / 1_000:.3f}\n" for at, value in rows)
        out.write("# EOF\n")


def usual_windows(plan: Plan, stored: Stored) -> dict[int, float]:
    """The length (s) of the usual window at each scrape (ms UTC) that had one."""
    window, found = CounterWindow(window_length(EVERY)), {}
    for at, row in stored.series:
        page = array("d", [row.get(str(series), math.nan) for series in plan.layout.series])
        window.push(plan, at, page, 0)
        recent = window.recent()
        if recent is not None:
            found[at] = recent.seconds
    return found


def contradictions(plan: Plan, stored: Stored) -> set[int]:
    """The scrapes (ms UTC) at which the counter of requests stood at 0, so that another counts."""
    places = {place for fallback in plan.fallbacks for place in fallback.positions}
    names = [str(plan.layout.series[place]) for place in places]
    return {at for at, row in stored.series if not any(row.get(name) for name in names)}


def grown_window(span: float, at: int, times: list[int]) -> float | None:
    """The seconds between the two samples of a window that is `span` whole seconds long."""
    return next(((at - one) / 1_000 for one in times if round((at - one) / 1_000) == span), None)


def compare(address: str, kind: Kind, plan: Plan, stored: Stored) -> Counter[str]:
    """Count the figures that are equal, unknown or different; lists the different."""
    found: Counter[str] = Counter()
    queries, times = PromQl(kind), [at for at, _ in stored.series]
    usual, doubtful = usual_windows(plan, stored), contradictions(plan, stored)
    for at, signals in stored.signals[:: max(1, len(stored.signals) // 60)]:
        for name in plan.increase_signals:
            span = signals.get(f"{name}.window")
            seconds = usual.get(at) if span is None else grown_window(span, at, times)
            is_doubtful = at in doubtful and name == "request_rate"
            if math.isnan(signals.get(name, math.nan)) or seconds is None or is_doubtful:
                found["unknown"] += 1
                continue
            spec = on_page([one for one in kind.signals if one.signal == name], plan)
            wanted = ask(address, queries.expression(spec, seconds), at)
            same = math.isclose(signals[name], wanted, rel_tol=TOLERANCE, abs_tol=1e-12)
            found["equal" if same else "different"] += 1
            if not same:
                print(f"  {name} at {at} over {seconds} s: {signals[name]!r}, {wanted!r}")
    return found


def main(name: str, seconds: int) -> int:
    """Collect, compare, and print one line; returns 1 when a figure differs."""
    kind, folder = BY_NAME[name], Path(tempfile.mkdtemp(prefix="truth-live-"))
    plan = build_plan(kind, Endpoint("m", "http://m"), sheet(PAIRS[name][1])[0])
    try:
        asyncio.run(collect(kind, plan, seconds, folder))
        stored = read_stored(folder)
        write_openmetrics(folder / "live.om", name, plan, stored)
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
        files = [str(folder / "live.om"), str(folder / "blocks")]
        subprocess.run([*command, *files], check=True, stdout=subprocess.DEVNULL)
        with prometheus(folder) as address:
            found = compare(address, kind, plan, stored)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{name}, {seconds} s live, {len(stored.signals)} scrapes: {found['equal']} equal,"
          f" {found['unknown']} unknown, {found['different']} different")  # fmt: skip
    return 1 if found["different"] else 0


if __name__ == "__main__":
    os.environ.pop("WATCHDECK_CONFIG", None)
    given = sys.argv[1:]
    raise SystemExit(main(given[0] if given else "vllm", int(given[1]) if given[1:] else 600))
