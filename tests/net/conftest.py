"""The two ways of the HTTP client, and the bodies that are costly to make."""

import pytest

from net.clients import over_httpx
from servers.hostile import HUGE, bomb
from watchdeck.net.client import ConnectionFactory, default_connection


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    """A bomb takes a second to make: longer than the deadlines of the tests that meet it."""
    bomb(HUGE)


@pytest.fixture(params=[default_connection, over_httpx], ids=["over our own sockets", "over httpx"])
def carry(request: pytest.FixtureRequest) -> ConnectionFactory:
    """The two ways a question may be carried: they must not differ."""
    chosen: ConnectionFactory = request.param
    return chosen
