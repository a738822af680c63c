"""Where a signal comes from, in words: the series that its kind of server reads it from."""

from __future__ import annotations

from collections.abc import Mapping

from watchdeck.domain.kinds.kind import Kind, SignalSpec
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.signals.custom_mapping import mapped_signals

_OWN = {
    "up": "the scrape itself",
    "ready": "what the server answers when it is asked whether it is ready",
    "availability": "up and ready, scrape by scrape",
    "tls_days_left": "the certificate that the server showed",
    "scrape_duration": "the scrape itself",
}


def sources(kind: Kind, user_map: Mapping[str, str]) -> dict[str, str]:
    """Every signal that has a source, and the source; what a user mapped goes before the kind's.

    Where a kind knows several, the first that is on the page is read.
    """
    mapped = {
        signal: f"map.{name} = {text}"
        for name, text in user_map.items()
        for signal in mapped_signals({name: text})
    }
    asked = {
        signal: f"{path} of GET {probe.path}"
        for probe in kind.probes
        for signal, path in probe.signals.items()
    }
    found = {name: _known(kind, name) for name in SIGNALS}
    told = {name: text for name, text in found.items() if text}
    return {**_OWN, **asked, **told, **mapped}


def _known(kind: Kind, signal: str) -> str:
    return ", or ".join(_words(spec) for spec in kind.signals if spec.signal == signal)


def _words(spec: SignalSpec) -> str:
    if spec.histogram or spec.summary:
        what = "histogram" if spec.histogram else "summary"
        share = f"{100 * (spec.quantile or 0):g} % quantile"
        return f"{share} of {what} {_sum(spec.histogram or spec.summary)}"
    if spec.mean:
        return f"mean of {_sum(spec.mean)} (its sum over its count)"
    if spec.rate:
        return f"rate of {_sum(spec.rate)}"
    top = _sum(spec.increase or spec.gauge)
    less = f" - {_sum(spec.minus)}" if spec.minus else ""
    over = f" / {_sum(spec.over)}" if spec.over else ""
    how = "increase of " if spec.increase else f"{spec.aggregate} of "
    return f"{how}{top}{less}{over}"


def _sum(selectors: tuple[str, ...]) -> str:
    joined = " + ".join(selectors)
    return f"({joined})" if len(selectors) > 1 else joined
