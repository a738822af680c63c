from array import array

from watchdeck.collector.scrape.statistics import ScrapeStats
from watchdeck.domain.metrics.scrape import Frame, Outcome, Scrape, Truncation
from watchdeck.domain.metrics.series import Layout, Series

EMPTY = Frame(Layout(), array("d"))
TWO = Frame(Layout((Series("a"), Series("b"))), array("d", [1, 2]))


def scrape(took: float, outcome: Outcome = Outcome.OK, series: Frame | None = None) -> Scrape:
    return Scrape("a", 0, took, outcome, EMPTY, series=series, truncation=Truncation(malformed=3))


def test_nothing_counted_is_no_duration() -> None:
    nothing = ScrapeStats().statistics()
    assert (nothing.scrapes, nothing.scrape_p50, nothing.scrape_p95) == (0, None, None)
    assert nothing.lag == 0


def test_scrapes_samples_failures_and_cuts_are_counted() -> None:
    measure = ScrapeStats()
    measure.count(scrape(0.1, series=TWO), now=0, lag=0)
    measure.count(scrape(0.1, Outcome.RESET), now=1, lag=0)
    said = measure.statistics("why")
    assert (said.scrapes, said.failed, said.samples, said.cut) == (2, 1, 2, 6)
    assert said.blind == "why"


def test_durations_and_the_worst_lag_are_those_of_the_last_minute() -> None:
    measure = ScrapeStats()
    measure.count(scrape(9), now=0, lag=7)
    for n in range(100):
        measure.count(scrape(n / 100), now=61 + n / 10, lag=n / 1_000)
    said = measure.statistics()
    assert (said.scrape_p50, said.scrape_p95, said.lag) == (0.49, 0.94, 0.099)
    assert said.scrapes == 101
