import pytest

from servers.hostile import HUGE, bomb


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    """A bomb takes a second to make: longer than the deadlines of the tests that meet it."""
    bomb(HUGE)
