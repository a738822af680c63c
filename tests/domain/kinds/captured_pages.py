"""Pages and answers of the servers in tests/pages, read plainly: what a kind is tried on."""

import re
from array import array
from functools import cache
from pathlib import Path

from watchdeck.config.reading.kinds import load_kinds
from watchdeck.domain.kinds.kind import Kind, ProbeResponse
from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.counter_window import CounterWindow
from watchdeck.domain.signals.derive import derive_signals
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan
from watchdeck.domain.signals.probe_window import ProbeWindow

PAGES = Path(__file__).parents[2] / "pages"
MINUTE = 60_000
START = 1_795_500_000_000

KINDS = load_kinds()
BY_NAME = {kind.name: kind for kind in KINDS}

_LINE = re.compile(r"([^{\s]+)(?:\{(.*)\})?\s+(\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_SUFFIXES = ("_bucket", "_sum", "_count", "_total", "")

Sheet = tuple[Layout, "array[float]"]


def read(text: str) -> Sheet:
    """The series and values of a page that is known to be well written."""
    types: dict[str, SeriesType] = {}
    series: list[Series] = []
    values = array("d")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            types[name] = SeriesType(kind)
        elif line and not line.startswith("#"):
            match = _LINE.fullmatch(line)
            assert match is not None, line
            labels = tuple(sorted(_LABEL.findall(match[2] or "")))
            series.append(Series(match[1], labels, _type(match[1], types)))
            values.append(float(match[3]))
    return Layout(tuple(series)), values


def _type(name: str, types: dict[str, SeriesType]) -> SeriesType:
    families = (name.removesuffix(suffix) for suffix in _SUFFIXES)
    return next((types[one] for one in (name, *families) if one in types), SeriesType.UNTYPED)


@cache
def sheet(path: str) -> Sheet:
    """A page of tests/pages, by its path there."""
    return read((PAGES / path).read_text())


_CAPTURED = {
    "mlserver": "mlserver-1.7.1/{}-18082_metrics.body",
    "bentoml": "bentoml-1.4.39/{}-18100_metrics.body",
    "triton": "triton-pytriton-0.7.0/{}-18122_metrics.body",
    "litserve": "litserve-0.2.19/{}-18090_metrics_.body",
}
_PUT_TOGETHER = (
    "vllm", "llamacpp", "dcgm", "kserve", "ray_serve", "litellm", "sglang", "tgi", "tf_serving",
    "node_exporter", "cadvisor",
)  # fmt: skip

PAIRS = {
    **{name: (path.format("before"), path.format("after")) for name, path in _CAPTURED.items()},
    **{name: (f"{name}/scrape1.prom", f"{name}/scrape2.prom") for name in _PUT_TOGETHER},
    "torchserve": ("torchserve-0.12.0/before-18152_metrics.body",) * 2,
}
"""Two pages of each kind that has one: before and after its traffic."""

GENERIC = ("python_only/scrape1.prom",)
"""Pages that belong to no known program."""


def answer(folder: str, name: str) -> ProbeResponse:
    """An answer as it was captured: status, headers and body."""
    lines = (PAGES / folder / f"{name}.headers").read_text().splitlines()
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    body = (PAGES / folder / f"{name}.body").read_bytes()
    lower = {key.lower(): value for key, value in headers.items()}
    return ProbeResponse(int(lines[0].split()[1]), body, lower)


class Played:
    """Pages played to one endpoint, a minute apart, and the signals that followed.

    The first page comes twice: counters without a start time are compared from the third page on.
    """

    def __init__(self, kind: Kind, endpoint: Endpoint, every: int = MINUTE) -> None:
        self.kind = kind
        self.endpoint = endpoint
        self.every = every
        self.at = START
        self.window = CounterWindow(60_000)
        self.probes = ProbeWindow()
        self.plan: Plan = build_plan(kind, endpoint, Layout())

    def play(self, page: Sheet, *, canaries_sent: int = 0) -> dict[str, float]:
        """The signals after this page, by their column."""
        layout, values = page
        self.plan = build_plan(self.kind, self.endpoint, layout)
        if self.at == START:
            self.window.push(self.plan, self.at, values, 0)
        self.at += self.every
        self.derived = derive_signals(
            *(self.plan, self.window, self.probes, self.at, values), canaries_sent=canaries_sent
        )
        columns = [series.name for series in self.plan.signal_layout.series]
        return dict(zip(columns, self.derived.values, strict=True))


def played(
    name: str, endpoint: Endpoint | None = None, *, canaries_sent: int = 0
) -> dict[str, float]:
    """The signals between the two pages of a kind, taken a minute apart."""
    run = Played(BY_NAME[name], endpoint or Endpoint(name, "http://model"))
    first, second = PAIRS[name]
    run.play(sheet(first))
    return run.play(sheet(second), canaries_sent=canaries_sent)
