"""Kinds of server, as data: how to recognise one, ask for its health, and read its signals."""

from __future__ import annotations

from msgspec import Struct, field

from watchdeck.domain.metrics.scrape import ModelState


class ProbeResponse(Struct, frozen=True):
    """What a server answered to one GET: the status, clean headers and the bounded body.

    `status` is None when there was no answer at all. Header names are in lower case.
    """

    status: int | None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class MetricsLocation(Struct, frozen=True):
    """Where a metrics page may be: a path, and a port when it is not the serving one."""

    path: str = "/metrics"
    port: int | None = None


class ProbeMeaning(Struct, frozen=True):
    """What one answer means: the first meaning whose conditions all hold is taken.

    `status` lists HTTP statuses; `json` is an expectation (`PATH == VALUE`, `PATH in [A, B]`,
    `PATH exists`) that may hold `{model}`; `text` is the body, stripped; `matches` is a regular
    expression for the whole stripped body; `header` names a header that must be there. `why` is
    said to a person in place of the bare status.
    """

    state: ModelState = ModelState.UNKNOWN
    status: tuple[int, ...] = ()
    json: str | None = None
    text: str | None = None
    matches: str | None = None
    header: str | None = None
    why: str = ""


class ProbeSpec(Struct, frozen=True):
    """One question a scrape asks besides the page: a GET that must never wake a model.

    `path` may hold `{model}`: the probe is left out when the endpoint names no model. `port` is
    set where the answer is not on the serving port. `about` is "server", "model" or "identity".
    `version` is the JSON path of a version in the answer, or "text" for the whole body; `replicas`
    is a JSON path of a number, or an expectation whose matches are counted; `signals` maps signal
    names to JSON paths of numbers in the signal's unit. A probe that is not `every_scrape` is asked
    at the start and now and then.
    """

    path: str
    about: str = "server"
    means: tuple[ProbeMeaning, ...] = ()
    version: str | None = None
    replicas: str | None = None
    signals: dict[str, str] = field(default_factory=dict)
    port: int | None = None
    every_scrape: bool = True


class Evidence(Struct, frozen=True):
    """One answer that must be as `means` says before a kind is claimed."""

    path: str
    means: ProbeMeaning = field(default_factory=ProbeMeaning)


class DetectionRule(Struct, frozen=True):
    """One way to know a kind: all conditions given must hold, and at least one is given.

    Every name in `all_names` and one of `any_names` is on the page (a name that ends in `*` is a
    prefix), `label` is on one of the named series, and every one of `answers` came.
    """

    all_names: tuple[str, ...] = ()
    any_names: tuple[str, ...] = ()
    label: str | None = None
    answers: tuple[Evidence, ...] = ()


class StateSpec(Struct, frozen=True):
    """A state of the model that the page itself tells: a series holds one of `values`.

    One matching series is enough unless `every` asks for all of them.
    """

    series: str
    values: tuple[float, ...]
    state: ModelState
    why: str = ""
    every: bool = False


class SignalSpec(Struct, frozen=True):
    """How one signal is read from a page; exactly one of the forms is given.

    Every entry of a list is a selector (`name{label="x",other=~"re"}`) and all are summed:
    `rate` (increase a second), `increase` less `minus` over `over` (a ratio of increases), `gauge`
    (`aggregate` sum, max or mean), `gauge` over `over` (a ratio of gauges), `histogram` or
    `summary` at `quantile`, `mean` (the increase of NAME_sum over that of NAME_count). `scale`
    turns the page's unit into the signal's.

    A kind may list several specs for one signal: the first that finds its series is taken.
    `minimum` is the least number of events in the window. `optional` marks what depends on options
    or hardware: without its series it is not measurable, rather than not seen yet. `late` marks
    error series that the server creates with the first error: until then they count 0.
    `whole_server` marks series that carry no model label: they speak for one model only where the
    page shows no other.
    """

    signal: str
    rate: tuple[str, ...] = ()
    increase: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    gauge: tuple[str, ...] = ()
    aggregate: str = "sum"
    histogram: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    quantile: float | None = None
    mean: tuple[str, ...] = ()
    scale: float = 1.0
    minimum: int | None = None
    optional: bool = False
    late: bool = False
    whole_server: bool = False


class Kind(Struct, frozen=True):
    """One kind of server. `json_map` marks pages that are JSON and mapped by the configuration.

    `order` ranks kinds, the most specific (lowest) first. Series whose label in `probe_labels` is
    one of `probe_paths` count no traffic. `version` is a selector whose `version_label` holds the
    model's version; `started` is a gauge of the process's start in seconds, `started_header` a
    header of the page that says the same; `replicas` are gauges whose sum is the replica count.
    `models_path` and `models` (a JSON path) list the models of a server, for a person to choose.
    `unmeasurable` gives the reason for signals a person would look for and not find.
    """

    name: str
    title: str
    order: int = 50
    recognise: tuple[DetectionRule, ...] = ()
    places: tuple[MetricsLocation, ...] = ()
    probes: tuple[ProbeSpec, ...] = ()
    signals: tuple[SignalSpec, ...] = ()
    states: tuple[StateSpec, ...] = ()
    probe_paths: tuple[str, ...] = ()
    probe_labels: tuple[str, ...] = ()
    model_label: str | None = None
    version: str | None = None
    version_label: str | None = None
    started: str | None = "process_start_time_seconds"
    started_header: str | None = None
    replicas: tuple[str, ...] = ()
    models_path: str | None = None
    models: str | None = None
    json_map: bool = False
    unmeasurable: dict[str, str] = field(default_factory=dict)
