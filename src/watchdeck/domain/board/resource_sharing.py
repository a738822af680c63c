"""Which models share a machine or device, by the configuration of the fleet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

from watchdeck.domain.settings.endpoint import EndpointFacts, Resource


class SharedResource(Struct, frozen=True):
    """A resource of a model, and the names of the other models that use the same part of it."""

    resource: Resource
    others: tuple[str, ...] = ()

    @property
    def endpoint(self) -> str:
        """The name of the endpoint whose page has its figures."""
        return self.resource.endpoint

    @property
    def text(self) -> str:
        """The endpoint and the part in words: `gpu-node (gpu=0)`."""
        part = ", ".join(f"{label}={value}" for label, value in self.resource.match.items())
        return f"{self.resource.endpoint} ({part})" if part else self.resource.endpoint


class ResourceUsers:
    """The models that use each resource; built once for the endpoints of a fleet."""

    def __init__(self, fleet: Iterable[EndpointFacts]) -> None:
        self._users: dict[str, list[tuple[str, Resource]]] = defaultdict(list)
        for facts in fleet:
            for resource in facts.resources:
                self._users[resource.endpoint].append((facts.name, resource))

    def shared_resources(self, facts: EndpointFacts) -> tuple[SharedResource, ...]:
        """The resources of a model, in the order of its configuration."""
        return tuple(SharedResource(one, self._others(facts.name, one)) for one in facts.resources)

    def _others(self, model: str, resource: Resource) -> tuple[str, ...]:
        users = self._users[resource.endpoint]
        return tuple(
            sorted({name for name, one in users if name != model and resource.overlaps(one)})
        )
