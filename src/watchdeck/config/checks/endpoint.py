"""What the types of an endpoint cannot refuse: values that are well written and still wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from watchdeck.config.reading.problems import Problem, did_you_mean, from_error
from watchdeck.domain.settings.console import GLYPHS, NOTICES, ConsoleSettings
from watchdeck.domain.settings.endpoint import Canary, Endpoint, Keep, Retention
from watchdeck.domain.values.units import Bytes, Milliseconds

_SECOND = 1_000
_DAY = 86_400_000

_BOUNDS: dict[str, tuple[Any, Any]] = {
    "every": (Milliseconds(_SECOND), Milliseconds(_DAY)),
    "timeout": (Milliseconds(100), Milliseconds(60 * _SECOND)),
    "max_body": (Bytes(1 << 10), Bytes(64 << 20)),
    "max_series": (1, 100_000),
    "tier": (0, 9),
}
_CANARY_BOUNDS: dict[str, tuple[Any, Any]] = {"every": (Milliseconds(_SECOND), Milliseconds(_DAY))}
_RETENTION_BOUNDS: dict[str, tuple[Any, Any]] = {
    "raw": (Milliseconds(3_600 * _SECOND), Milliseconds(3_660 * _DAY)),
    "rollups": (Milliseconds(_DAY), Milliseconds(36_600 * _DAY)),
    "budget": (Bytes(16 << 20), Bytes(1 << 50)),
}

_METHODS = ("POST", "GET", "PUT")


def wrong_bounds(endpoint: Endpoint) -> Iterator[Problem]:
    """Numbers that no server or screen can work with."""
    yield from outside(endpoint, _BOUNDS)


def wrong_slo(endpoint: Endpoint) -> Iterator[Problem]:
    """Promises that cannot be kept or broken."""
    slo = endpoint.slo
    if slo.availability is not None and not slo.availability:
        yield Problem("slo.availability", "is 0%, which promises nothing", "Leave it out.")
    if slo.latency_p95 is not None and not slo.latency_p95:
        yield Problem("slo.latency_p95", "is 0s, which no answer can keep")
    if slo.error_ratio is not None and slo.error_ratio >= 1:
        yield Problem("slo.error_ratio", "is 100%, which promises nothing", "Leave it out.")


def wrong_keep(endpoint: Endpoint) -> Iterator[Problem]:
    """A choice of series that is neither a word nor patterns."""
    if isinstance(endpoint.keep, str):
        if endpoint.keep not in tuple(Keep):
            hint = did_you_mean(endpoint.keep, Keep, 'Patterns are a list: ["requests_*"].')
            yield Problem("keep", "is neither 'needed' nor 'all'", hint)
    elif not all(pattern.strip() for pattern in endpoint.keep):
        yield Problem("keep", "has an empty pattern", 'Write "*" or "all" to keep every series.')


def wrong_paths(endpoint: Endpoint) -> Iterator[Problem]:
    """Paths to leave out that no request can have."""
    for number, path in enumerate(endpoint.exclude_paths):
        if not path.startswith(("/", "*")):
            yield Problem(f"exclude_paths[{number}]", "does not begin with /")


def wrong_tls(endpoint: Endpoint) -> Iterator[Problem]:
    """Half a client certificate."""
    if endpoint.tls.key is not None and endpoint.tls.certificate is None:
        yield Problem("tls", "has a key and no certificate")


def wrong_canary(endpoint: Endpoint) -> Iterator[Problem]:
    """An inference that cannot be sent, or whose answer cannot be checked."""
    if endpoint.canary is None:
        return
    for problem in (*_wrong_request(endpoint.canary), *outside(endpoint.canary, _CANARY_BOUNDS)):
        yield Problem(f"canary.{problem.key}", problem.text, problem.hint)
    if endpoint.canary.expect is not None:
        yield from _wrong_expectation(endpoint.canary.expect)


def wrong_view(view: ConsoleSettings) -> Iterator[Problem]:
    """A console that cannot be drawn so."""
    if view.glyphs not in GLYPHS:
        hint = did_you_mean(view.glyphs, GLYPHS, f"There are: {', '.join(GLYPHS)}.")
        yield Problem("console.glyphs", "is not a way to draw", hint)
    if view.notices not in NOTICES:
        hint = did_you_mean(view.notices, NOTICES[1:], 'There are "osc9" and "osc777".')
        yield Problem("console.notices", "is not a way to tell a desktop", hint)


def wrong_retention(retention: Retention) -> Iterator[Problem]:
    """Times and sizes that a store cannot keep to."""
    for problem in outside(retention, _RETENTION_BOUNDS):
        yield Problem(f"retention.{problem.key}", problem.text, problem.hint)
    if retention.rollups < retention.raw:
        text = f"is {retention.rollups}, shorter than raw ({retention.raw})"
        yield Problem("retention.rollups", text, "Rollups are what is left after raw.")


def _wrong_request(canary: Canary) -> Iterator[Problem]:
    if not canary.path.startswith("/"):
        yield Problem("path", "does not begin with /", "It is asked on the endpoint's own address.")
    if canary.method not in _METHODS:
        hint = did_you_mean(canary.method, _METHODS, f"Write {', '.join(_METHODS)}.")
        yield Problem("method", "is not a way to send an inference", hint)
    if canary.body is not None and canary.body_file is not None:
        yield Problem("body", "stands beside body_file", "Keep one of the two.")
    if canary.method != "GET" and canary.body is None and canary.body_file is None:
        yield Problem("body", "is missing", "Write body or body_file: what the model is asked.")


def _wrong_expectation(text: str) -> Iterator[Problem]:
    from watchdeck.domain.values.json_assertion import ExpectError, read_expectation

    try:
        read_expectation(text)
    except ExpectError as error:
        yield from_error("canary.expect", error)


def outside(holder: object, bounds: dict[str, tuple[Any, Any]]) -> Iterator[Problem]:
    """Settings that are less or more than their bounds."""
    for name, (least, most) in bounds.items():
        value = getattr(holder, name)
        if value is not None and not least <= value <= most:
            said = f"is {value}, {'less than' if value < least else 'more than'}"
            yield Problem(name, f"{said} {least if value < least else most}")


RULES: tuple[Callable[[Endpoint], Iterator[Problem]], ...] = (
    wrong_bounds,
    wrong_slo,
    wrong_keep,
    wrong_paths,
    wrong_tls,
    wrong_canary,
)
"""What is asked of every endpoint by itself."""
