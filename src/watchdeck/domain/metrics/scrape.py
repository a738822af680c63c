"""One attempt to read an endpoint, and all that came of it; a failed attempt is a Scrape too."""

from __future__ import annotations

from array import array
from enum import StrEnum

from msgspec import Struct, field

from watchdeck.domain.metrics.series import Layout


class Outcome(StrEnum):
    """How a scrape ended. The order is stored: add new words at the end only."""

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
"""The number that stands for an outcome in a signal frame."""

OUTCOMES = tuple(Outcome)
"""The outcome of each code."""


class ModelState(StrEnum):
    """What a server says of its model; `unknown` when it says nothing, or could not be asked."""

    READY = "ready"
    NOT_READY = "not_ready"
    LOADING = "loading"
    SLEEPING = "sleeping"
    SCALED_TO_ZERO = "scaled_to_zero"
    UNKNOWN = "unknown"


class Frame(Struct, frozen=True):
    """The values of one layout at one moment; an absent value is NaN."""

    layout: Layout
    values: array[float]


class Truncation(Struct, frozen=True):
    """What was left out of a page because it passed a bound or could not be read, by reason."""

    series: int = 0
    labels: int = 0
    duplicates: int = 0
    malformed: int = 0

    @property
    def total(self) -> int:
        """All that was left out."""
        return self.series + self.labels + self.duplicates + self.malformed


class Identity(Struct, frozen=True):
    """Who answered: what changes here becomes a change marker by itself.

    `started_at` is in milliseconds UTC; `resets` counts the counter resets seen by this collector.
    """

    version: str | None = None
    started_at: int | None = None
    replicas: int | None = None
    resets: int = 0


class Scrape(Struct, frozen=True):
    """What one scrape brought.

    `at` is when it began, in milliseconds UTC; `took` is in seconds. `failures` counts the failed
    scrapes in a row, this one included. `series` is None when the page could not be read, and
    `signals` always holds at least the outcome and the scrape's own signals. `detail` and
    `model_detail` are clean text for a person. `exchanges` are the last raw answers, now and then.
    """

    endpoint: str
    at: int
    took: float
    outcome: Outcome
    signals: Frame
    detail: str = ""
    failures: int = 0
    kind: str | None = None
    model_state: ModelState = ModelState.UNKNOWN
    model_detail: str = ""
    series: Frame | None = None
    identity: Identity = field(default_factory=Identity)
    cut: Truncation = field(default_factory=Truncation)
    not_measurable: tuple[str, ...] = ()
    exchanges: tuple[ResponseRecord, ...] = ()


class ResponseRecord(Struct, frozen=True):
    """One question, named by its path, and its answer of `at` (ms UTC), cleaned and cut.

    `status` is None when there was no answer; `body` then says why.
    """

    asked: str
    at: int
    status: int | None
    headers: str
    body: str
