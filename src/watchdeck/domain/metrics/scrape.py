"""Scrapes: one attempt to read an endpoint and its result, failed attempts included."""

from __future__ import annotations

from array import array
from enum import StrEnum

from msgspec import Struct, field

from watchdeck.domain.metrics.series import Layout


class Outcome(StrEnum):
    """How a scrape ended. The store saves members by position: add new ones only at the end."""

    OK = "ok"
    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    RESET = "reset"
    DNS = "dns"
    TLS = "tls"
    HTTP_STATUS = "http_status"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    REDIRECTED = "redirected"
    NOT_METRICS = "not_metrics"
    UNREACHABLE = "unreachable"
    WRONG_ANSWER = "wrong_answer"


OUTCOME_CODES = {outcome: float(code) for code, outcome in enumerate(Outcome)}
"""The number of each outcome in a signal frame."""

OUTCOMES = tuple(Outcome)
"""The outcomes by code."""


class ModelState(StrEnum):
    """The state that a server reports of its model; `unknown` when it reports none."""

    READY = "ready"
    NOT_READY = "not_ready"
    LOADING = "loading"
    SLEEPING = "sleeping"
    SCALED_TO_ZERO = "scaled_to_zero"
    UNKNOWN = "unknown"


NOT_A_MODEL_SERVER = "the page of a machine or device, not a model server"
"""The detail of the state of a model where there is none."""


class Frame(Struct, frozen=True):
    """One value for each series of a layout, at one moment; a missing value is NaN."""

    layout: Layout
    values: array[float]


class Truncation(Struct, frozen=True):
    """How many samples of one page were left out, by the reason: a limit exceeded or a fault."""

    series: int = 0
    labels: int = 0
    duplicates: int = 0
    malformed: int = 0
    stale: int = 0
    """Samples whose own timestamp is too old."""
    out_of_range: int = 0
    """Values that a measurement in their unit cannot have."""

    @property
    def total(self) -> int:
        """The number of samples left out."""
        limits = self.series + self.labels + self.duplicates + self.malformed
        return limits + self.stale + self.out_of_range


class Identity(Struct, frozen=True):
    """The identity of a server process; a difference between two scrapes becomes a change marker.

    `started_at` is in ms UTC; `resets` counts the counter resets that this collector saw.
    """

    version: str | None = None
    """The version of the model, else that of the server."""
    started_at: int | None = None
    replicas: int | None = None
    resets: int = 0
    server_version: str | None = None
    """The version of the server program, where the model has a version of its own."""
    certificate: str | None = None
    """A short fingerprint of the certificate that the server showed."""
    host: str | None = None
    """The network address that answered."""


class Scrape(Struct, frozen=True):
    """The result of one scrape; `detail` and `model_detail` are clean text for people."""

    endpoint: str
    at: int
    """When the scrape began, in ms UTC."""
    duration: float
    """Seconds."""
    outcome: Outcome
    signals: Frame
    """At least the outcome and the signals of the scrape itself."""
    detail: str = ""
    failures: int = 0
    """Failed scrapes in a row, this one included."""
    kind: str | None = None
    model_state: ModelState = ModelState.UNKNOWN
    model_detail: str = ""
    series: Frame | None = None
    """The stored series; None when the page could not be read."""
    identity: Identity = field(default_factory=Identity)
    truncation: Truncation = field(default_factory=Truncation)
    not_measurable: tuple[str, ...] = ()
    remarks: dict[str, str] = field(default_factory=dict)
    """Why a signal is unknown, or to be doubted, although its kind of server has it; by signal."""
    server_wide: tuple[str, ...] = ()
    """Signals that are figures of the whole server, which serves other models too."""
    resources: dict[str, str] = field(default_factory=dict)
    """The endpoint of the resource that gave a signal, by signal; its own signals are absent."""
    expected: tuple[str, ...] = ()
    """Signals that the page gave at some time; those that it lacks now count as missing."""
    exchanges: tuple[ResponseRecord, ...] = ()
    """The last raw responses, on some scrapes only."""


class ResponseRecord(Struct, frozen=True):
    """The response to a GET of the path `asked` at `at` (ms UTC), cleaned and cut.

    `status` is None without a response; `body` then says why.
    """

    asked: str
    at: int
    status: int | None
    headers: str
    body: str
