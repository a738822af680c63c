"""The two tests that need the past: is it as it usually is, and as it was a week before?"""

from __future__ import annotations

from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.anomaly import FINEST, NoveltyGate, deviation_of
from watchdeck.domain.rules.rule import Anomaly, WeekBefore
from watchdeck.domain.values.format import format_comparison, format_duration, format_value
from watchdeck.domain.values.units import Unit
from watchdeck.engine.rules.baseline import STRETCH, BaselineDeviation, SignalBaseline, WeekOverWeek
from watchdeck.engine.rules.conditions import Measurement, ScrapeValues


def baseline_for(name: str, every: int, test: Anomaly) -> SignalBaseline:
    """What a test must know of an endpoint that is scraped every so many ms.

    Its points end at a moment of its own: not all of a fleet in one tick.
    """
    width = bucket_width(every)
    finest = FINEST[SIGNALS[test.signal].unit]
    return SignalBaseline(test.signal, finest, width, _shift(name, width), seasonal=test.seasonal)


def week_over_week_for(name: str, every: int, test: WeekBefore) -> WeekOverWeek:
    """What a test must know of an endpoint that is scraped every so many ms."""
    width = bucket_width(every)
    return WeekOverWeek(test.signal, test.window, width, _shift(name, width))


def bucket_width(every: int) -> int:
    """How long (ms) a point is of an endpoint that is scraped every so many ms."""
    return max(STRETCH, every)


def _shift(name: str, width: int) -> int:
    return crc32(name.encode()) % width


class AnomalyCondition:
    """A signal far from how it usually is, as long as that is news."""

    news: NoveltyGate

    def __init__(self, test: Anomaly, habit: SignalBaseline) -> None:
        self.test = test
        self.habit = habit
        self.remember()

    def remember(self) -> None:
        """Know what was told in the last days, by what is usual now."""
        self.news = NoveltyGate(self.habit.patience)
        for now in self.habit.past(self.test.low):
            self._tells(now)

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether it is, at the end of the newest stretch; None when too little is known."""
        known, value = self.habit.now, sample.value(self.test.signal)
        if known is None or value != value:  # noqa: PLR0124 - NaN
            return None
        return self._tells(known)

    def _tells(self, now: BaselineDeviation) -> bool:
        far = deviation_of(now.seen, self.test)
        return far > 1 and self.news.tells(far, now.ended)

    def said(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """The value that is furthest out: `latency_p95 412 ms > 180 ms (usually 95 ms)`."""
        test, known = self.test, self.habit.now
        if known is None:
            return Measurement(
                None, None, f"{test.signal}: too little was seen to tell what is usual"
            )
        sides = (True, False) if test.above is None else (test.above,)
        above = max(sides, key=lambda side: deviation_of(known.seen, replace(test, above=side)))
        sign = 1 if above else -1
        point, quarter, hour = (sign * one for one in known.seen)
        by_point = point / test.high >= min(quarter, hour) / test.low
        value = known.point if by_point else known.hour
        limit = known.usual.value(sign * (test.high if by_point else test.low))
        unit = SIGNALS[test.signal].unit
        words = format_comparison(test.signal, value, limit, unit, above=value > limit)
        mean = "" if by_point else "for an hour, "
        words += f" ({mean}usually {format_value(known.usual.centre, unit)})"
        return Measurement(value, limit, words)


class WeekOverWeekCondition(Struct, frozen=True):
    """The mean of a window over, or under, a multiple of that of the week before."""

    test: WeekBefore
    weeks: WeekOverWeek

    def truth(self, sample: ScrapeValues, now: int, held: bool) -> bool | None:  # noqa: ARG002, FBT001
        """Whether it is; None when either week is not known.

        Less than a part of nothing is impossible, and many times nothing cannot be told.
        """
        current, limit, value = self.weeks.now, self._limit, sample.value(self.test.signal)
        if current is None or limit is None or value != value:  # noqa: PLR0124 - NaN
            return None
        if self.test.above:
            return current > limit if limit > 0 else None
        return current < limit

    @property
    def _limit(self) -> float | None:
        """By the week before that is nearest to this one, the quarter sooner and later included."""
        before = self.weeks.before
        if not before:
            return None
        return self.test.ratio * (max(before) if self.test.above else min(before))

    def said(self, sample: ScrapeValues, now: int) -> Measurement:  # noqa: ARG002
        """Both weeks: `request_rate 9/s < 20/s (50 % of the week before, over 1h)`."""
        test, current, limit = self.test, self.weeks.now, self._limit
        if current is None or limit is None:
            return Measurement(None, None, f"{test.signal}: too little was seen a week before")
        words = format_comparison(
            test.signal, current, limit, SIGNALS[test.signal].unit, above=current > limit
        )
        share = format_value(test.ratio, Unit.RATIO)
        return Measurement(
            current,
            limit,
            f"{words} ({share} of the week before, over {format_duration(test.window)})",
        )
