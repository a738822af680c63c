"""What the store knows of an endpoint from the configuration."""

from __future__ import annotations

from msgspec import Struct, field

from watchdeck.domain.values.slo import Slo


class EndpointFacts(Struct, frozen=True):
    """What the store knows of an endpoint from the configuration: no header, no secret.

    `url` has no user and password in it.
    """

    name: str
    url: str
    every: int
    model: str | None = None
    owner: str | None = None
    tier: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    serves: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    slo: Slo = field(default_factory=Slo)
    insecure: bool = False
    change: str = ""
    map: dict[str, str] = field(default_factory=dict)
