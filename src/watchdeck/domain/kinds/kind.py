"""Kinds of server, as data: how to detect one, probe its health, and read its signals."""

from msgspec import Struct, field

from watchdeck.domain.metrics.scrape import ModelState


class ProbeResponse(Struct, frozen=True):
    """The response to one GET; header names are in lower case, and the body is cut to a limit.

    `status` is None when the server did not respond.
    """

    status: int | None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class MetricsLocation(Struct, frozen=True):
    """Where a metrics page may be: a path, and a port when it differs from the serving port."""

    path: str = "/metrics"
    port: int | None = None


class ProbeMeaning(Struct, frozen=True):
    """The model state that a response means; the first meaning whose conditions all hold counts."""

    state: ModelState = ModelState.UNKNOWN
    status: tuple[int, ...] = ()
    """HTTP statuses, one of which the response has."""
    json: str | None = None
    """JSON assertion: `PATH == VALUE`, `PATH in [A, B]` or `PATH exists`; may contain `{model}`."""
    text: str | None = None
    """The whole body, stripped."""
    matches: str | None = None
    """Regular expression that the whole stripped body matches."""
    header: str | None = None
    """Name of a header that the response has."""
    why: str = ""
    """Reason shown to people instead of the status."""
    absent: bool = False
    """Whether a list lacks the model: no proof against a metrics page that names it."""


class ProbeSpec(Struct, frozen=True):
    """A GET that a scrape sends besides the metrics page; must never wake an unloaded model."""

    path: str
    """May contain `{model}`: then the probe is skipped when the endpoint names no model."""
    about: str = "server"
    """What the response describes: "server", "model" or "identity"."""
    means: tuple[ProbeMeaning, ...] = ()
    version: str | None = None
    """JSON path of a version in the response, or "text" for the whole body."""
    replicas: str | None = None
    """JSON path of the number of replicas, or an assertion whose matches are counted."""
    signals: dict[str, str] = field(default_factory=dict)
    """JSON path or, as in `replicas`, assertion of each signal; the value is in its unit."""
    port: int | None = None
    """Port of the probe when it differs from the serving port."""
    every_scrape: bool = True
    """False for a probe that is sent at the start and then rarely."""


class Evidence(Struct, frozen=True):
    """A condition of a detection rule: the response to GET `path` must match `means`."""

    path: str
    means: ProbeMeaning = field(default_factory=ProbeMeaning)


class DetectionRule(Struct, frozen=True):
    """One way to detect a kind: every condition given must hold; at least one is given.

    All of `all_names` and one of `any_names` are on the page (a final `*` matches any ending), one
    of these series has `label`, and every response in `answers` matches.
    """

    all_names: tuple[str, ...] = ()
    any_names: tuple[str, ...] = ()
    label: str | None = None
    answers: tuple[Evidence, ...] = ()


class StateSpec(Struct, frozen=True):
    """A model state that a metrics page shows: it holds when the series has one of `values`.

    When the selector finds several series, one is enough, unless `every` requires all of them.
    """

    series: str
    values: tuple[float, ...]
    state: ModelState
    why: str = ""
    every: bool = False


class SignalSpec(Struct, frozen=True):
    """How one signal is read from a page, by exactly one form.

    The forms are `rate`, `increase`, `gauge`, `histogram`, `summary` and `mean`. Entries are
    selectors (`name{label="x",other=~"re"}`); those of a list are summed. When a kind has several
    specs for a signal, the first whose series are on the page is used.
    """

    signal: str
    rate: tuple[str, ...] = ()
    """Increase per second."""
    increase: tuple[str, ...] = ()
    """Increase, less that of `minus`, divided by that of `over`."""
    minus: tuple[str, ...] = ()
    """Subtracted from `increase`, or from a `gauge` that has `over`; a page needs its series."""
    over: tuple[str, ...] = ()
    """Denominator of `increase` or `gauge`; gauges by which a `rate` is divided."""
    over_unit: tuple[str, ...] = ()
    """Gauges whose mean is the unit of the `over` of a `rate`, such as the period of a quota."""
    gauge: tuple[str, ...] = ()
    """Value now, combined by `aggregate`; with `over`, a ratio of sums."""
    aggregate: str = "sum"
    """sum, max, min or mean of gauges; sum or mean of rates."""
    histogram: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    quantile: float | None = None
    """Quantile of `histogram` or `summary`."""
    mean: tuple[str, ...] = ()
    """Increase of NAME_sum divided by that of NAME_count."""
    scale: float = 1.0
    """Factor from the page's unit to the signal's unit."""
    minimum: int | None = None
    """Least number of events in the window, else the signal is unknown; None for the default."""
    optional: bool = False
    """Whether the series depend on options or hardware: a signal without them is not measurable."""
    late: bool = False
    """Whether the server creates the series of `increase` or `minus` at their first event."""
    needs: str | None = None
    """Selector of a series without which the page does not tell the signal, not even a 0."""
    one_model: bool = False
    """Whether the spec is only for a page that names no model but the watched one."""
    remark: str = ""
    """What makes the value doubtful, as text for people; empty for an exact one."""
    own: int = 0
    """Requests of our own that a `gauge` counts while it is read; subtracted from its sum."""


class Rename(Struct, frozen=True):
    """A series, or with a final `*` a prefix, that another version of the server names otherwise.

    `since` is the version that introduced `new`; empty when it is not known.
    """

    old: str
    new: str
    since: str = ""

    def older(self, name: str) -> str | None:
        """The older name of a series; None when this rename does not concern it."""
        if not self.new.endswith("*"):
            return self.old if name == self.new else None
        prefix = self.new[:-1]
        return self.old[:-1] + name.removeprefix(prefix) if name.startswith(prefix) else None


class Kind(Struct, frozen=True):
    """One kind of server: how to detect, probe and read it (one TOML file of `kinds/`)."""

    name: str
    title: str
    order: int = 50
    """Rank in detection, the most specific kind (lowest) first."""
    recognise: tuple[DetectionRule, ...] = ()
    places: tuple[MetricsLocation, ...] = ()
    probes: tuple[ProbeSpec, ...] = ()
    signals: tuple[SignalSpec, ...] = ()
    states: tuple[StateSpec, ...] = ()
    probe_paths: tuple[str, ...] = ()
    """Paths of health probes: series with one in a label of `probe_labels` are left out."""
    probe_labels: tuple[str, ...] = ()
    model_labels: tuple[str, ...] = ()
    """Labels that hold the name of the model; the first that a series has counts."""
    names_idle_models: bool = False
    """Whether the page names every model from its start, not only from its first request."""
    same_labels: tuple[str, ...] = ()
    """Labels of parts that all report the same requests, such as ranks; one of them counts."""
    renames: tuple[Rename, ...] = ()
    """Series that have another name in older versions; the kind's file uses the newest names."""
    helper: bool = False
    """Whether it is a page of a machine or device, never of a model server."""
    optional_page: bool = False
    """Whether the server has its page by choice: a server without one is read by its probes."""
    loading_limit: int = 600
    """Seconds after which a model that is still loading counts as not ready."""
    version: str | None = None
    """Selector of the series whose `version_label` holds the model's version."""
    version_label: str | None = None
    started: str | None = "process_start_time_seconds"
    """Gauge of the start of the process, in seconds UTC."""
    started_header: str | None = None
    """HTTP header of the metrics page with that time, also in seconds UTC."""
    replicas: tuple[str, ...] = ()
    """Gauges whose sum is the number of replicas."""
    models_path: str | None = None
    """Path whose response lists the server's models at the JSON path `models`."""
    models: str | None = None
    json_map: bool = False
    """Whether the page is JSON, which the configuration maps to signals."""
    unmeasurable: dict[str, str] = field(default_factory=dict)
    """Reason for each signal that people expect and this kind does not expose."""

    def older_names(self, name: str) -> tuple[str, ...]:
        """The names of a series in older versions of the server."""
        found = (rename.older(name) for rename in self.renames)
        return tuple(older for older in found if older is not None)
