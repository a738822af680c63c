"""What `check` found, in words and as JSON: one finding an endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from msgspec import Struct

from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import ModelState, Outcome, Scrape
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.plan_builder import reason_not_measurable
from watchdeck.domain.values.text import clean

_WIDTH = 98

_STATES = {
    ModelState.READY: "the model is ready",
    ModelState.NOT_READY: "the model is not ready",
    ModelState.LOADING: "the model is loading",
    ModelState.SLEEPING: "the model sleeps",
    ModelState.SCALED_TO_ZERO: "the model is scaled to zero",
    ModelState.UNKNOWN: "nothing tells whether the model is ready",
}

_OUTCOMES = {
    Outcome.OK: "answered",
    Outcome.TIMED_OUT: "no answer in time",
    Outcome.REFUSED: "refused",
    Outcome.RESET: "reset",
    Outcome.DNS: "no such host",
    Outcome.TLS: "not trusted",
    Outcome.HTTP_STATUS: "answered with an error",
    Outcome.TOO_LARGE: "too large",
    Outcome.UNREADABLE: "unreadable",
    Outcome.REDIRECTED: "redirected away",
    Outcome.NOT_METRICS: "no metrics",
    Outcome.UNREACHABLE: "not reached",
    Outcome.WRONG_ANSWER: "the canary's answer is wrong",
}


class EndpointCheckResult(Struct, frozen=True):
    """One endpoint and what one scrape of it brought; `url` is without user and password."""

    endpoint: Endpoint
    url: str
    scrape: Scrape
    kind: Kind | None

    @property
    def good(self) -> bool:
        """Whether all that was asked was answered as it should be."""
        return self.scrape.outcome is Outcome.OK

    def measurable(self) -> tuple[str, ...]:
        """The signals that this endpoint gives, or will give once it has traffic."""
        if self.scrape.series is None and not self.good:
            return ()
        columns = {series.name for series in self.scrape.signals.layout.series}
        missing = {*self.scrape.not_measurable, *(() if self._has_tls() else ("tls_days_left",))}
        return tuple(name for name in SIGNALS if name in columns and name not in missing)

    def _has_tls(self) -> bool:
        urls = (self.endpoint.url, self.endpoint.metrics_url or "")
        return any(url.startswith("https:") for url in urls)

    def reasons(self) -> dict[str, str]:
        """What cannot be measured here, and why."""
        if self.kind is None:
            return {}
        return {name: reason_not_measurable(self.kind, name) for name in self.scrape.not_measurable}


def as_text(findings: Sequence[EndpointCheckResult]) -> str:
    """A paragraph for each endpoint, and the count of those that failed."""
    failed = sum(not finding.good for finding in findings)
    said = f"{failed} of {len(findings)} endpoints failed." if failed else "All were reached."
    return "\n\n".join(["\n".join(_lines(finding)) for finding in findings] + [said])


def _lines(finding: EndpointCheckResult) -> Iterator[str]:
    scrape = finding.scrape
    yield f"{clean(finding.endpoint.name)}  {finding.url}"
    outcome = _OUTCOMES[scrape.outcome]
    took = f"in {scrape.took * 1_000:.0f} ms" if finding.good else clean(scrape.detail)
    yield f"  {outcome} {took}" if finding.good else f"  {outcome}: {took}"
    kind = finding.kind.title if finding.kind else "of no known kind"
    version = f" {clean(scrape.identity.version)}" if scrape.identity.version else ""
    yield f"  {kind}; {_state(scrape)}{f'; version{version}' if version else ''}"
    if finding.endpoint.tls.insecure:
        yield "  its certificate is not checked (tls.insecure)"
    if scrape.cut.total:
        yield f"  {scrape.cut.total} lines of its page were left out: it passes the bounds"
    if measurable := finding.measurable():
        yield "  measurable:"
        yield from _wrapped(", ".join(measurable))
    if reasons := finding.reasons():
        yield "  not measurable:"
        for why, names in _by_reason(reasons).items():
            yield from _wrapped(f"{', '.join(names)}: {why}")


def _state(scrape: Scrape) -> str:
    why = f" ({clean(scrape.model_detail)})" if scrape.model_detail else ""
    return f"{_STATES[scrape.model_state]}{why}"


def _by_reason(reasons: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, why in reasons.items():
        found.setdefault(why, []).append(name)
    return found


def _wrapped(text: str) -> list[str]:
    return wrap(clean(text, 4_000), _WIDTH, initial_indent="    ", subsequent_indent="      ")


def as_json(finding: EndpointCheckResult) -> dict[str, Any]:
    """One finding for scripts."""
    scrape = finding.scrape
    return {
        "name": finding.endpoint.name,
        "url": finding.url,
        "kind": scrape.kind,
        "outcome": scrape.outcome,
        "detail": scrape.detail,
        "took_s": round(scrape.took, 4),
        "model_state": scrape.model_state,
        "model_detail": scrape.model_detail,
        "version": scrape.identity.version,
        "cut": scrape.cut.total,
        "measurable": finding.measurable(),
        "not_measurable": finding.reasons(),
    }
