"""What only the whole fleet can tell: names given twice, names of nobody, kinds and their maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.config.reading.problems import Problem, below, did_you_mean, from_error
from watchdeck.domain.metrics.signal import PROBE_SIGNALS, SIGNALS
from watchdeck.domain.settings.endpoint import Endpoint

if TYPE_CHECKING:
    from watchdeck.domain.kinds.kind import Kind

AUTO = "auto"
_KINDS = Path(__file__).parents[2] / "kinds"
_MAPPABLE = (
    "requests",
    "errors",
    "latency",
    "replicas",
    *(name for name in SIGNALS if name not in PROBE_SIGNALS),
)


class FleetNames(Struct, frozen=True, dict=True):
    """What endpoints are checked against: the names written for all of them, good or bad."""

    names: tuple[str, ...]

    @cached_property
    def kind_names(self) -> tuple[str, ...]:
        """The kinds that there are; reading them whole costs 40 ms, their names nothing."""
        return tuple(sorted(path.stem for path in _KINDS.glob("*.toml")))

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """The kinds themselves, by name."""
        from watchdeck.config.reading.kinds import load_kinds

        return {kind.name: kind for kind in load_kinds()}

    def kind_meant(self, name: str) -> str:
        """A hint for a kind that does not exist: people write titles, and small mistakes."""
        titles = {kind.title.lower(): kind.name for kind in self.kinds.values()}
        near = titles.get(name.lower())
        otherwise = f"Kinds are {AUTO}, {', '.join(self.kind_names)}."
        return f"Did you mean {near!r}?" if near else self._near(name, otherwise)

    def _near(self, name: str, otherwise: str) -> str:
        return did_you_mean(name, (AUTO, *self.kind_names), otherwise)


def wrong_kind(endpoint: Endpoint, fleet: FleetNames) -> Iterator[Problem]:
    """A kind that nobody knows, or one that knows nothing without a map."""
    if endpoint.kind not in (AUTO, *fleet.kind_names):
        yield Problem("kind", "is no known kind of server", fleet.kind_meant(endpoint.kind))
    elif endpoint.kind == "json" and not endpoint.map:
        hint = "Say in [endpoint.map] which value of the page is which signal."
        yield Problem("map", "is missing, and a JSON page means nothing without it", hint)


def wrong_map(endpoint: Endpoint, fleet: FleetNames) -> Iterator[Problem]:
    """Entries of a map that are no signal, or no series."""
    if not endpoint.map:
        return
    from watchdeck.domain.signals.custom_mapping import problems

    kind = fleet.kinds.get(endpoint.kind)
    for text in problems(kind, endpoint.map):
        name = max((name for name in endpoint.map if text.startswith(name)), key=len, default="")
        said = ValueError(text.removeprefix(name).removeprefix(":").strip())
        problem = from_error(below("map", name) if name else "map", said)
        hint = "" if name in _MAPPABLE else did_you_mean(name, _MAPPABLE)
        yield replace(problem, hint=hint or problem.hint)


def wrong_references(endpoint: Endpoint, fleet: FleetNames) -> Iterator[Problem]:
    """Names of endpoints that are nobody's, or the endpoint's own."""
    for key in ("depends_on", "resources"):
        for number, name in enumerate(getattr(endpoint, key)):
            at = f"{key}[{number}]"
            if name == endpoint.name:
                yield Problem(at, "is the endpoint itself")
            elif name not in fleet.names:
                yield Problem(at, "names no endpoint", did_you_mean(name, fleet.names))


def same_names(names: Sequence[str | None]) -> Iterator[Problem]:
    """Names that two endpoints have; None stands for an endpoint without one."""
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if name is None:
            continue
        if name in first:
            text = f"is the name of endpoint[{first[name]}] too"
            yield Problem(f"endpoint[{number}].name", text, "Every endpoint has its own.")
        first.setdefault(name, number)
