import resource

import pytest

from watchdeck.collector.scrape.manager import open_files_limit, raise_open_files_limit

ENDLESS = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("endpoints", "soft", "hard", "limit"),
    [
        pytest.param(10, 1_024, 4_096, 1_024, id="a small fleet fits"),
        pytest.param(1_000, 1_024, 4_096, 2_200, id="a large fleet gets more"),
        pytest.param(9_000, 1_024, 4_096, 4_096, id="the hard limit holds"),
        pytest.param(9_000, 1_024, ENDLESS, 18_200, id="no hard limit"),
        pytest.param(9_000, ENDLESS, ENDLESS, ENDLESS, id="no limit at all"),
    ],
)
def test_a_fleet_gets_the_open_files_that_it_needs(
    endpoints: int, soft: int, hard: int, limit: int
) -> None:
    assert open_files_limit(endpoints, soft, hard) == limit


def test_the_limit_of_this_process_is_never_lowered() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    raise_open_files_limit(1)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
