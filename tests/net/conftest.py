"""The two schemes over which a server may be asked, and the bodies that are costly to make."""

import ssl
from dataclasses import dataclass

import pytest

from servers.certificates import Certificates
from servers.hostile import HUGE, bomb
from watchdeck.domain.values.secret import Tls


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    """A bomb takes a second to make: longer than the deadlines of the tests that meet it."""
    bomb(HUGE)


@dataclass(frozen=True)
class Wire:
    """What the server needs to speak over a scheme, and what the client trusts."""

    context: ssl.SSLContext | None
    tls: Tls


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["http", "https"], ids=["over http", "over https"])
def wire(request: pytest.FixtureRequest, certificates: Certificates) -> Wire:
    """The two schemes: what a server does must have the same name over both."""
    if request.param == "http":
        return Wire(None, Tls())
    return Wire(certificates.good(), Tls(ca=certificates.ca))
