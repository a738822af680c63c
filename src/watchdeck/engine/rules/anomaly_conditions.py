"""The two conditions that compare with the past: anomalies, and the same time a week before."""

from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.anomaly import FINEST, NoveltyGate, anomaly_score
from watchdeck.domain.rules.rule import Anomaly, WeekBefore
from watchdeck.domain.values.format import format_comparison, format_duration, format_value
from watchdeck.domain.values.units import Unit
from watchdeck.engine.rules.baseline import (
    BUCKET_WIDTH,
    BaselineDeviation,
    SignalBaseline,
    WeekOverWeek,
)
from watchdeck.engine.rules.conditions import Measurement, ScrapeValues


def baseline_for(name: str, every: int, test: Anomaly) -> SignalBaseline:
    """An empty baseline for a test on an endpoint that is scraped every `every` ms.

    The buckets of each endpoint are shifted, so that not all of a fleet end in one tick.
    """
    width = bucket_width(every)
    finest = FINEST[SIGNALS[test.signal].unit]
    return SignalBaseline(
        test.signal, finest, width, _phase_shift(name, width), seasonal=test.seasonal
    )


def week_over_week_for(name: str, every: int, test: WeekBefore) -> WeekOverWeek:
    """An empty week-over-week comparison, for an endpoint that is scraped every `every` ms."""
    width = bucket_width(every)
    return WeekOverWeek(test.signal, test.window, width, _phase_shift(name, width))


def bucket_width(every: int) -> int:
    """The width (ms) of a bucket for an endpoint that is scraped every `every` ms."""
    return max(BUCKET_WIDTH, every)


def _phase_shift(name: str, width: int) -> int:
    return crc32(name.encode()) % width


class AnomalyCondition:
    """True when a signal is far from its baseline, and was not as far off in the last days.

    The novelty gate remembers how far off it was when it was last reported.
    """

    novelty: NoveltyGate

    def __init__(self, test: Anomaly, baseline: SignalBaseline) -> None:
        self.test = test
        self.baseline = baseline
        self.replay_past()

    def replay_past(self) -> None:
        """Begin `novelty` again with the last three days, so that their anomalies are not news."""
        self.novelty = NoveltyGate(self.baseline.gap_limit)
        for deviation in self.baseline.past(self.test.low):
            self._is_anomaly(deviation)

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether the newest bucket is an anomaly and `novelty` takes it as news; None: unknown."""
        latest, value = self.baseline.latest, sample.value(self.test.signal)
        if latest is None or value != value:  # noqa: PLR0124 - NaN
            return None
        return self._is_anomaly(latest)

    def _is_anomaly(self, deviation: BaselineDeviation) -> bool:
        far = anomaly_score(deviation.deviation, self.test)
        return far > 1 and self.novelty.is_news(far, deviation.end)

    def measure(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The value that deviates most: `latency_p95 412 ms > 180 ms (usually 95 ms)`."""
        test, latest = self.test, self.baseline.latest
        if latest is None:
            return Measurement(None, None, f"{test.signal}: too little data to tell what is usual")
        sides = (True, False) if test.above is None else (test.above,)
        above = max(
            sides, key=lambda side: anomaly_score(latest.deviation, replace(test, above=side))
        )
        sign = 1 if above else -1
        point, quarter, hour = (sign * one for one in latest.deviation)
        by_point = point / test.high >= min(quarter, hour) / test.low
        value = latest.bucket if by_point else latest.hour
        limit = latest.baseline.value(sign * (test.high if by_point else test.low))
        unit = SIGNALS[test.signal].unit
        words = format_comparison(test.signal, value, limit, unit, above=value > limit)
        mean = "" if by_point else "for an hour, "
        words += f" ({mean}usually {format_value(latest.baseline.centre, unit)})"
        return Measurement(value, limit, words)


class WeekOverWeekCondition(Struct, frozen=True):
    """True when the mean of a window is above (or below) a multiple of last week's mean."""

    test: WeekBefore
    comparison: WeekOverWeek

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether this week's mean is past the limit; None when either week has no mean.

        When the mean of the week before is 0, `below` is false and `above` is unknown (None).
        """
        current, limit, value = self.comparison.latest, self._limit, sample.value(self.test.signal)
        if current is None or limit is None or value != value:  # noqa: PLR0124 - NaN
            return None
        if self.test.above:
            return current > limit if limit > 0 else None
        return current < limit

    @property
    def _limit(self) -> float | None:
        """The strictest limit by the three means of the week before; None without any."""
        before = self.comparison.week_before
        if not before:
            return None
        return self.test.ratio * (max(before) if self.test.above else min(before))

    def measure(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """Both weeks: `request_rate 9/s < 20/s (50 % of the week before, over 1h)`."""
        test, current, limit = self.test, self.comparison.latest, self._limit
        if current is None or limit is None:
            return Measurement(None, None, f"{test.signal}: too little data, now or a week before")
        words = format_comparison(
            test.signal, current, limit, SIGNALS[test.signal].unit, above=current > limit
        )
        share = format_value(test.ratio, Unit.RATIO)
        return Measurement(
            current,
            limit,
            f"{words} ({share} of the week before, over {format_duration(test.window)})",
        )
