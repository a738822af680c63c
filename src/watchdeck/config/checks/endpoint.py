"""Checks of endpoints, beyond their types: each one alone, and against the whole fleet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.config.checks import fields
from watchdeck.config.checks.fields import Bounds
from watchdeck.config.reading.problems import Problem, child_key, did_you_mean, from_error
from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS
from watchdeck.domain.settings.endpoint import (
    Canary,
    Endpoint,
    Keep,
    Resource,
    Slo,
    to_resource,
)
from watchdeck.domain.values.units import Bytes, Milliseconds

if TYPE_CHECKING:
    from watchdeck.domain.kinds.kind import Kind

AUTO = "auto"

_SECOND = 1_000
_DAY = 86_400_000

BOUNDS: Bounds = {
    "every": (Milliseconds(_SECOND), Milliseconds(_DAY)),
    "timeout": (Milliseconds(100), Milliseconds(60 * _SECOND)),
    "max_body": (Bytes(1 << 10), Bytes(64 << 20)),
    "max_series": (1, 100_000),
    "tier": (0, 9),
}
CANARY_BOUNDS: Bounds = {"every": (Milliseconds(_SECOND), Milliseconds(_DAY))}

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_MOST_LABELS = 8
"""The most labels by which a part of a resource is chosen."""

METHODS = ("POST", "GET", "PUT")
_KINDS = Path(__file__).parents[2] / "kinds"
MAPPABLE = (
    "requests",
    "errors",
    "latency",
    "replicas",
    *(name for name in SIGNALS if name not in PROBE_SIGNALS),
)
"""The keys of an endpoint's map."""


class FleetNames(Struct, frozen=True, dict=True):
    """The names of all endpoints, valid or not, and the kinds that endpoints may have."""

    names: tuple[str, ...]

    @cached_property
    def known_names(self) -> frozenset[str]:
        """The names of all endpoints, to look one up."""
        return frozenset(self.names)

    @cached_property
    def kind_names(self) -> tuple[str, ...]:
        """The names of all kinds, taken from file names: loading the kinds would take 40 ms."""
        return tuple(sorted(path.stem for path in _KINDS.glob("*.toml")))

    @cached_property
    def helper_kinds(self) -> frozenset[str]:
        """The kinds of machines and devices, by the lines of their files: see `kind_names`."""
        files = _KINDS.glob("*.toml")
        return frozenset(
            path.stem for path in files if "helper = true" in path.read_text("utf-8").splitlines()
        )

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """All kinds by name, loaded at the first use."""
        from watchdeck.config.reading.kinds import load_kinds

        return {kind.name: kind for kind in load_kinds()}

    def kind_hint(self, name: str) -> str:
        """A hint for an unknown kind: the kind with this title or a similar name, or all names."""
        titles = {kind.title.lower(): kind.name for kind in self.kinds.values()}
        if near := titles.get(name.lower()):
            return f"Did you mean {near!r}?"
        names = (AUTO, *self.kind_names)
        return did_you_mean(name, names, f"Kinds are {', '.join(names)}.")


def endpoint_problems(endpoint: Endpoint, fleet: FleetNames, *, private: bool) -> Iterator[Problem]:
    """Every problem of one endpoint; secrets in a file that is not `private` are problems too."""
    for check in _CHECKS:
        yield from check(endpoint)
    yield from _kind_problems(endpoint, fleet)
    yield from _helper_problems(endpoint, fleet)
    yield from _map_problems(endpoint, fleet)
    yield from _reference_problems(endpoint, fleet)
    if not private:
        yield from fields.plain_secret_problems(endpoint)


def _number_problems(endpoint: Endpoint) -> Iterator[Problem]:
    yield from fields.bound_problems(endpoint, BOUNDS)


def _slo_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Problems of objectives that are met always, or never."""
    slo = endpoint.slo
    if slo.availability is not None and not slo.availability:
        yield Problem("slo.availability", "is 0%, which promises nothing", "Leave it out.")
    if slo.latency_p95 is not None and not slo.latency_p95:
        yield Problem("slo.latency_p95", "is 0s, which no answer can keep")
    if slo.error_ratio is not None and slo.error_ratio >= 1:
        yield Problem("slo.error_ratio", "is 100%, which promises nothing", "Leave it out.")


def _keep_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Problems of `keep`, if it is neither a known word nor a list of patterns."""
    if isinstance(endpoint.keep, str):
        if endpoint.keep not in tuple(Keep):
            hint = did_you_mean(endpoint.keep, Keep, 'Patterns are a list: ["requests_*"].')
            yield Problem("keep", "is neither 'needed' nor 'all'", hint)
    elif not all(pattern.strip() for pattern in endpoint.keep):
        yield Problem("keep", "has an empty pattern", 'Write "*" or "all" to keep every series.')


def _exclude_path_problems(endpoint: Endpoint) -> Iterator[Problem]:
    for number, path in enumerate(endpoint.exclude_paths):
        if not path.startswith(("/", "*")):
            yield Problem(f"exclude_paths[{number}]", "does not begin with /")


def tls_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """The problem of a client key without its certificate."""
    if endpoint.tls.key is not None and endpoint.tls.certificate is None:
        yield Problem("tls", "has a key and no certificate")


def _canary_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Problems of a canary that cannot be sent, or whose response cannot be checked."""
    canary = endpoint.canary
    if canary is None:
        return
    yield from fields.add_prefix("canary", _request_problems(canary))
    yield from fields.add_prefix("canary", fields.bound_problems(canary, CANARY_BOUNDS))
    if canary.expect is not None:
        from watchdeck.domain.values.json_assertion import read_assertion

        yield from fields.read_problems("canary.expect", read_assertion, canary.expect)


def _request_problems(canary: Canary) -> Iterator[Problem]:
    if not canary.path.startswith("/"):
        yield Problem("path", "does not begin with /", "It is below the endpoint's address.")
    if canary.method not in METHODS:
        hint = did_you_mean(canary.method, METHODS, f"Write {', '.join(METHODS)}.")
        yield Problem("method", "is not a way to send an inference", hint)
    if canary.body is not None and canary.body_file is not None:
        yield Problem("body", "stands beside body_file", "Keep one of the two.")
    if canary.method != "GET" and canary.body is None and canary.body_file is None:
        yield Problem("body", "is missing", "Write body or body_file: the request to the model.")


def _match_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Problems of the labels by which a part of a resource is chosen."""
    known: list[Resource] = []
    for number, resource in enumerate(map(to_resource, endpoint.resources)):
        at = f"resources[{number}]"
        if resource in known:
            yield Problem(at, "names the same resource again", "Leave it out.")
        known.append(resource)
        if len(resource.match) > _MOST_LABELS:
            text = f"has {len(resource.match)} entries; at most {_MOST_LABELS} are taken"
            yield Problem(f"{at}.match", text)
        for label, value in resource.match.items():
            if not _LABEL.fullmatch(label):
                yield Problem(child_key(f"{at}.match", label), "is not the name of a label")
            elif not value:
                hint = "Leave it out: series without the label count anyway."
                yield Problem(f"{at}.match.{label}", "is empty", hint)


_CHECKS: tuple[Callable[[Endpoint], Iterator[Problem]], ...] = (
    fields.endpoint_text_problems,
    fields.size_problems,
    fields.endpoint_url_problems,
    fields.header_problems,
    _number_problems,
    _slo_problems,
    _keep_problems,
    _exclude_path_problems,
    tls_problems,
    _canary_problems,
    _match_problems,
)
"""The checks that need only the endpoint, and not the fleet."""


def _kind_problems(endpoint: Endpoint, fleet: FleetNames) -> Iterator[Problem]:
    """Problems of a kind that does not exist, or of a JSON page without a map."""
    if endpoint.kind not in (AUTO, *fleet.kind_names):
        yield Problem("kind", "is no known kind of server", fleet.kind_hint(endpoint.kind))
    elif endpoint.kind == "json" and not endpoint.map:
        hint = "Say in [endpoint.map] which value of the page is which signal."
        yield Problem("map", "is missing, and a JSON page means nothing without it", hint)


def _helper_problems(endpoint: Endpoint, fleet: FleetNames) -> Iterator[Problem]:
    """Problems of settings that only a model can have, on the page of a machine or device."""
    settings = {"model": endpoint.model, "canary": endpoint.canary, "resources": endpoint.resources}
    found = [name for name, value in settings.items() if value]
    found += ["slo"] if endpoint.slo != Slo() else []
    if not found or endpoint.kind not in fleet.helper_kinds:
        return
    for name in found:
        text = f"is for models, and {endpoint.kind} is the page of a machine or device"
        yield Problem(name, text, "Name this endpoint in resources of the models that use it.")


def _map_problems(endpoint: Endpoint, fleet: FleetNames) -> Iterator[Problem]:
    """Problems of map entries that name no signal or no series."""
    if not endpoint.map:
        return
    from watchdeck.domain.signals.custom_mapping import mapping_problems

    kind = fleet.kinds.get(endpoint.kind)
    for text in mapping_problems(kind, endpoint.map):
        name = max((name for name in endpoint.map if text.startswith(name)), key=len, default="")
        error = ValueError(text.removeprefix(name).removeprefix(":").strip())
        problem = from_error(child_key("map", name) if name else "map", error)
        hint = "" if name in MAPPABLE else did_you_mean(name, MAPPABLE)
        yield replace(problem, hint=hint or problem.hint)


def _reference_problems(endpoint: Endpoint, fleet: FleetNames) -> Iterator[Problem]:
    """Problems of references to endpoints that do not exist, or to the endpoint itself."""
    resources = map(to_resource, endpoint.resources)
    names = {"depends_on": endpoint.depends_on, "resources": [one.endpoint for one in resources]}
    for key, found in names.items():
        for number, name in enumerate(found):
            at = f"{key}[{number}]"
            if name == endpoint.name:
                yield Problem(at, "is the endpoint itself")
            elif name not in fleet.known_names:
                yield Problem(at, "names no endpoint", did_you_mean(name, fleet.names))
