"""The figures of every kind of server beside those of a real Prometheus with the same samples.

`PYTHONPATH=tests python tests/benchmarks/truth.py [KIND ...]`: for every kind with a page in
tests/pages, 24 hours of made-up traffic, with restarts and hours of little traffic, are derived as
the collector derives them, and written into a Prometheus by `promtool tsdb create-blocks-from
openmetrics`. Rates, ratios, means and quantiles are then compared at many moments, over the window
that each was taken of. A figure is equal to 1e-9, or unknown; anything else is listed, and ends the
report with 1. Needs Debian's prometheus (promtool, prometheus); takes three minutes.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from domain.kinds.captured_pages import BY_NAME, PAIRS, sheet
from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.selector import LabelMatcher, SeriesIndex, read_selector
from watchdeck.domain.metrics.series import Series
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow, window_length
from watchdeck.domain.signals.derive import derive_signals
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.signals.probe_window import ProbeWindow
from watchdeck.domain.values.units import Unit

EVERY = 30_000
STEPS = 24 * 120
START = 1_795_500_000_000
COMPARE_EVERY = 23
"""Steps between two moments that are compared: 125 moments a kind."""

RESTARTS = (700, 1_500, 2_200)
TOLERANCE = 1e-9


class Moment(Struct):
    """The signals at one moment, by column, and the length of the usual window (s)."""

    at: int
    values: dict[str, float]
    usual: float | None
    doubtful: frozenset[str]
    """Signals with a remark: of two counters that contradict each other, one was taken."""


class Traffic:
    """Counts for every counter of a page: as they grow, and as they begin again at a restart."""

    def __init__(self, plan: Plan, values: Sequence[float], seed: str) -> None:
        self._rng = random.Random(seed)
        self._series = plan.layout.series
        self._plan = plan
        self.page = array("d", values)
        self._counters = self._groups(plan)
        self.restart(START)

    def _groups(self, plan: Plan) -> list[list[int]]:
        """The counters that count the same events: the rows of one histogram, or one counter."""
        found: dict[object, list[int]] = {}
        for place in plan.counters:
            series = self._series[place]
            base = series.name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
            labels = tuple(pair for pair in series.labels if pair[0] != "le")
            found.setdefault((base, labels), []).append(place)
        return list(found.values())

    def restart(self, at: int) -> None:
        """Begin every counter at 0, in a process that started at `at` (ms UTC)."""
        for group in self._counters:
            for place in group:
                self.page[place] = 0.0
        for place in self._plan.started:
            self.page[place] = at / 1_000

    def step(self, number: int) -> array[float]:
        """The next page; the traffic has its hours, and some in which next to nothing comes."""
        busy = (3.0, 0.0, 0.02, 10.0, 0.3)[number // 240 % 5]
        for group in self._counters:
            events = sum(self._rng.random() < 0.5 for _ in range(int(2 * busy * 4))) + (
                self._rng.random() < busy
            )
            self._count(group, events)
        return self.page[:]

    def _count(self, group: list[int], events: int) -> None:
        took = [self._rng.expovariate(4.0) for _ in range(events)]
        for place in group:
            name, bound = self._series[place].name, self._series[place].label("le")
            if name.endswith("_bucket") and bound is not None:
                self.page[place] += sum(one <= float(bound) for one in took)
            elif name.endswith("_sum"):
                self.page[place] += sum(took)
            else:
                self.page[place] += events


def derive_day(kind: Kind) -> tuple[Plan, list[Moment], list[tuple[int, array[float]]]]:
    """The plan of a kind, the moments to compare, and all pages of a day with their times."""
    layout, values = sheet(PAIRS[kind.name][1])
    endpoint = Endpoint(kind.name, "http://model")
    plan = build_plan(kind, endpoint, layout)
    traffic = Traffic(plan, values, kind.name)
    window, probes = CounterWindow(window_length(EVERY)), ProbeWindow()
    columns = [series.name for series in plan.signal_layout.series]
    moments, pages = [], []
    for number in range(STEPS):
        at = START + (number + 1) * EVERY
        if number in RESTARTS:
            traffic.restart(at - EVERY // 2)
        page = traffic.step(number)
        pages.append((at, page))
        derived = derive_signals(plan, window, probes, at, page)
        if number % COMPARE_EVERY == 0:
            recent = window.recent()
            usual = None if recent is None else recent.seconds
            found = dict(zip(columns, derived.values, strict=True))
            moments.append(Moment(at, found, usual, frozenset(derived.remarks)))
    return plan, moments, pages


def write_openmetrics(
    file: Path, kind: str, plan: Plan, pages: Sequence[tuple[int, array[float]]]
) -> int:
    """Write the counters of all pages as OpenMetrics with timestamps; returns the samples."""
    places = sorted(set(plan.counters))
    with file.open("a", encoding="utf-8") as out:
        for place in places:
            series = plan.layout.series[place]
            full = Series(series.name, (*series.labels, ("tested_kind", kind)), series.type)
            out.writelines(f"{full} {page[place]!r} {at / 1_000:.3f}\n" for at, page in pages)
    return len(places) * len(pages)


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """A Prometheus on the blocks in a folder; yields its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    (folder / "empty.yml").write_text("scrape_configs: []\n")
    server = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'empty.yml'}",
            f"--storage.tsdb.path={folder / 'blocks'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address={address}",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(f"http://{address}/-/ready")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def _wait_until_ready(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=1)  # noqa: S310 - an address on loopback
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("prometheus did not start")


def ask(address: str, query: str, at: int) -> float:
    """The value of a PromQL expression at a moment (ms UTC); NaN without one."""
    fields = urllib.parse.urlencode({"query": query, "time": f"{at / 1_000:.3f}"})
    url = f"{address}/api/v1/query?{fields}"
    with urllib.request.urlopen(url) as answered:  # noqa: S310 - an address on loopback
        found = json.load(answered)["data"]["result"]
    return float(found[0]["value"][1]) if found else math.nan


class PromQl:
    """The PromQL of the signals of one kind, on the names that its page has."""

    def __init__(self, kind: Kind) -> None:
        layout, self._values = sheet(PAIRS[kind.name][1])
        self._kind = kind
        self._names = {series.name for series in layout.series}
        self._index = SeriesIndex(layout, older_names=kind.older_names)

    def expression(self, spec: SignalSpec, seconds: float) -> str:
        """The expression of a rate, a ratio, a mean or a quantile over a window of `seconds`."""
        if spec.rate:
            divisor = seconds * self._divisor(spec)
            return f"({self._sum(spec.rate, seconds)}) * {spec.scale!r} / {divisor!r}"
        if spec.histogram:
            inner = self._increase(spec.histogram[0], seconds, "_bucket")
            quantile = f"histogram_quantile({spec.quantile}, sum by (le) ({inner}))"
            return f"{quantile} * {spec.scale!r}"
        if spec.mean:
            parts = (self._sum(spec.mean, seconds, end) for end in ("_sum", "_count"))
            return f"{' / '.join(parts)} * {spec.scale!r}"
        top = self._sum(spec.increase, seconds)
        if spec.minus:
            top = f"clamp_min({top} - {self._sum(spec.minus, seconds)}, 0)"
        ratio = f"({top}) / {self._sum(spec.over, seconds)} * {spec.scale!r}"
        is_share = SIGNALS[spec.signal].unit is Unit.RATIO
        return f"clamp_max({ratio}, 1)" if is_share else ratio

    def _divisor(self, spec: SignalSpec) -> float:
        """What a rate is divided by besides the seconds: its parts, or gauges that never change."""
        if spec.aggregate == "mean":
            return float(len(self._index.find_counters(spec.rate)))
        wholes, units = (
            [self._values[place] for text in texts for place in self._index.find(text)]
            for texts in (spec.over, spec.over_unit)
        )
        return sum(wholes) / (sum(units) / len(units) if units else 1.0) if wholes else 1.0

    def _sum(self, selectors: Sequence[str], seconds: float, suffix: str = "") -> str:
        found = (f"sum({self._increase(text, seconds, suffix)})" for text in selectors)
        return f"({' + '.join(f'({one} or vector(0))' for one in found)})"

    def _increase(self, text: str, seconds: float, suffix: str) -> str:
        query = read_selector(text)
        names = (query.name, *self._kind.older_names(query.name))
        ends = (suffix,) if suffix else ("", "_total", "_count")
        name = next(
            (one + end for one in names for end in ends if one + end in self._names), query.name
        )
        matchers = [_matcher_text(one) for one in query.matchers]
        matchers += [
            f'{label}!~"{"|".join(self._kind.probe_paths)}"'
            for label in self._kind.probe_labels
            if self._kind.probe_paths
        ]
        matchers.append(f'tested_kind="{self._kind.name}"')
        return f"increase({name}{{{','.join(matchers)}}}[{round(seconds * 1_000)}ms])"


def _matcher_text(matcher: LabelMatcher) -> str:
    signs = ("=~", "!~") if matcher.pattern else ("=", "!=")
    sign = signs[matcher.negated]
    return f"{matcher.label}{sign}{json.dumps(matcher.value)}"


def compare(address: str, kind: Kind, plan: Plan, moments: Sequence[Moment]) -> Counter[str]:
    """Count the figures of a kind that are equal, unknown or different; lists the different."""
    found: Counter[str] = Counter()
    queries = PromQl(kind)
    for signal in plan.increase_signals:
        specs = [spec for spec in kind.signals if spec.signal == signal]
        for moment in moments:
            value = moment.values[signal]
            seconds = moment.values.get(f"{signal}.window", moment.usual or math.nan)
            if math.isnan(value) or math.isnan(seconds) or signal in moment.doubtful:
                found["unknown"] += 1
                continue
            wanted = ask(address, queries.expression(on_page(specs, plan), seconds), moment.at)
            if math.isclose(value, wanted, rel_tol=TOLERANCE, abs_tol=1e-12):
                found["equal"] += 1
            else:
                found["different"] += 1
                print(f"  {kind.name} {signal} at {moment.at}: {value!r}, Prometheus {wanted!r}")
    return found


def on_page(specs: Sequence[SignalSpec], plan: Plan) -> SignalSpec:
    """The first spec whose series the page has, as the plan chooses it."""
    names = {series.name for series in plan.layout.series}
    for spec in specs:
        texts = (*spec.rate, *spec.over, *spec.histogram, *spec.mean)
        known = [read_selector(text).name for text in texts]
        if any(name.startswith(one) for one in known for name in names):
            return spec
    return specs[0]


def main(wanted: Sequence[str]) -> int:
    """Print the comparison of every kind; returns 1 when a figure differs."""
    folder = Path(tempfile.mkdtemp(prefix="truth-"))
    began, samples = time.monotonic(), 0
    days: dict[str, tuple[Plan, list[Moment]]] = {}
    try:
        for name in wanted or PAIRS:
            plan, moments, pages = derive_day(BY_NAME[name])
            samples += write_openmetrics(folder / "day.om", name, plan, pages)
            days[name] = plan, moments
        with (folder / "day.om").open("a") as out:
            out.write("# EOF\n")
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
        subprocess.run(
            [*command, str(folder / "day.om"), str(folder / "blocks")],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        total: Counter[str] = Counter()
        with prometheus(folder) as address:
            print(f"{'kind':<14}{'signals':>8}{'equal':>8}{'unknown':>9}{'different':>10}")
            for name, (plan, moments) in days.items():
                found = compare(address, BY_NAME[name], plan, moments)
                total += found
                counts = (found["equal"], found["unknown"], found["different"])
                print(f"{name:<14}{len(plan.increase_signals):>8}{counts[0]:>8}"
                      f"{counts[1]:>9}{counts[2]:>10}")  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{samples:,} samples of 24 h, {total['equal']:,} figures equal to {TOLERANCE:g}, "
          f"{total['unknown']:,} unknown, {total['different']:,} different, "
          f"{time.monotonic() - began:.0f} s")  # fmt: skip
    return 1 if total["different"] else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
