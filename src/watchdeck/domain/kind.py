"""Kinds of server, as data: how to recognise one, ask for its health, and read its signals."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchdeck.domain.scrape import ModelState


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered to one GET: the status, clean headers and the bounded body.

    `status` is None when there was no answer at all.
    """

    status: int | None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a metrics page may be: a path, and a port when it is not the serving one."""

    path: str = "/metrics"
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one answer means: the first meaning whose conditions all hold is taken.

    `status` lists HTTP statuses; `json` is `PATH == VALUE` or `PATH exists`; `text` is the body,
    stripped; `header` names a header that must be there.
    """

    state: ModelState = ModelState.UNKNOWN
    status: tuple[int, ...] = ()
    json: str | None = None
    text: str | None = None
    header: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One question a scrape asks besides the page.

    `path` may hold `{model}`: the probe is left out when the endpoint names no model. `about` is
    "server", "model" or "identity". `version` is the JSON path of a version in the answer. A probe
    `when` "recognise" is only asked while the kind is unknown. A probe must never wake a model.
    """

    path: str
    about: str = "server"
    means: tuple[Meaning, ...] = ()
    version: str | None = None
    replicas: str | None = None
    every_scrape: bool = True


@dataclass(frozen=True, slots=True)
class Recognise:
    """How to know a kind: every name in `all_names` and one of `any_names` on the page.

    A name that ends in `*` is a prefix. `label` must be a label name on one of the named series.
    `answer` is a (path, Meaning) that must hold for kinds without a page of their own names.
    """

    all_names: tuple[str, ...] = ()
    any_names: tuple[str, ...] = ()
    label: str | None = None
    answer_path: str | None = None
    answer: Meaning | None = None


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """How one signal is read from a page; exactly one of the forms is given.

    Every entry of a list is a selector (`name{label="x",other=~"re"}`) and all are summed:
    `rate` (increase a second), `increase` over `over` (a ratio of increases), `gauge` (`aggregate`
    sum, max or mean), `gauge` over `over` (a ratio of gauges), `histogram` or `summary` at
    `quantile`, `mean` (increase of `_sum` over increase of `_count`). `scale` turns the page's unit
    into the signal's; `minimum` is the least number of events in the window.
    """

    signal: str
    rate: tuple[str, ...] = ()
    increase: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    gauge: tuple[str, ...] = ()
    aggregate: str = "sum"
    histogram: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    quantile: float | None = None
    mean: tuple[str, ...] = ()
    scale: float = 1.0
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of server. `json_map` marks pages that are JSON and mapped by the configuration.

    `version` and `started` are selectors: a label value or a gauge that identifies the server;
    `unmeasurable` gives the reason for signals a person would look for and not find.
    """

    name: str
    title: str
    recognise: Recognise = field(default_factory=Recognise)
    places: tuple[Place, ...] = ()
    probes: tuple[ProbeSpec, ...] = ()
    signals: tuple[SignalSpec, ...] = ()
    probe_paths: tuple[str, ...] = ()
    probe_label: str | None = None
    model_label: str | None = None
    version: str | None = None
    version_label: str | None = None
    started: str | None = "process_start_time_seconds"
    replicas: str | None = None
    json_map: bool = False
    unmeasurable: dict[str, str] = field(default_factory=dict)
