import pytest

from watchdeck.collector.scrape.statistics import ConnectivityCheck
from watchdeck.domain.metrics.scrape import Outcome
from watchdeck.domain.settings.endpoint import Endpoint

DNS, LATE, AWAY = Outcome.DNS, Outcome.TIMED_OUT, Outcome.UNREACHABLE


def blind(hosts: list[str], outcomes: list[Outcome | None]) -> str:
    endpoints = [Endpoint(name=str(n), url=f"http://{host}:80/") for n, host in enumerate(hosts)]
    seen = {str(n): outcome for n, outcome in enumerate(outcomes) if outcome is not None}
    return ConnectivityCheck(endpoints).reason(seen)


@pytest.mark.parametrize(
    ("hosts", "outcomes"),
    [
        pytest.param([], [], id="no endpoints"),
        pytest.param(["a"], [DNS], id="one endpoint may be down by itself"),
        pytest.param(["a", "a"], [DNS, DNS], id="one host may be down by itself"),
        pytest.param(["a", "b"], [DNS, None], id="not everything was tried yet"),
        pytest.param(["a", "b"], [DNS, Outcome.OK], id="something answers"),
        pytest.param(["a", "b"], [DNS, Outcome.REFUSED], id="a refusal is an answer"),
        pytest.param(["a", "b"], [DNS, Outcome.TLS], id="a bad certificate is an answer"),
        pytest.param(["a", "127.0.0.1"], [DNS, LATE], id="this machine is no network"),
        pytest.param(["a", "localhost"], [DNS, LATE], id="neither is localhost"),
    ],
)
def test_the_collector_is_not_blind(hosts: list[str], outcomes: list[Outcome | None]) -> None:
    assert blind(hosts, outcomes) == ""


def test_a_collector_that_reaches_nothing_at_all_is_blind_and_says_why() -> None:
    why = blind(["a", "b", "b"], [DNS, LATE, DNS])
    assert why == "none of 3 endpoints on 2 hosts can be reached (2 dns, 1 timed_out)"
    assert blind(["a", "b"], [AWAY, AWAY]) != ""
