"""Baselines of signals, and comparisons with the week before, from rings of bucket means.

A baseline is computed once an hour, and the newest bucket is compared with it when the bucket
ends: a sample costs no more than an addition.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from watchdeck.domain.rules.anomaly import (
    DAY,
    HOUR,
    LAG,
    QUARTER,
    REMEMBERED,
    SPAN,
    WEEK,
    Baseline,
    Deviation,
    Seasonality,
    baseline_of,
    seasonality_of,
)

BUCKET_WIDTH = 300_000
"""Milliseconds of a bucket; for endpoints that are scraped less often, the scrape interval."""

SEASON_SPAN = 4 * WEEK
"""Milliseconds of hourly means from which seasonality is computed."""

_WINDOW_BUCKETS = 48
"""Approximate limit of buckets in a window that is compared with the week before."""

_COARSE_WIDTH = 900_000
"""Minimum width (ms) of the coarse buckets that hold the week before."""

_MIN_POINTS = 4
"""Minimum of known buckets for the hourly mean; with fewer, only the newest bucket counts."""


class SampleHistory(Protocol):
    """Interface: the recent history of one signal of one endpoint, as means of time buckets.

    Fine buckets are short, for the last days or hours; coarse ones are long, for the last weeks.
    """

    signal: str

    def add(self, at: int, value: float) -> None:
        """Add a sample taken at `at` (ms UTC); NaN is ignored."""

    def buckets_before(self, end: int) -> tuple[Buckets, Buckets]:
        """The ranges of fine and coarse buckets before `end` (ms UTC) to read for `fill`."""

    def fill(self, points: Samples, coarse: Samples) -> None:
        """Replace the history by stored samples, oldest first: for fine and coarse buckets."""


class BaselineDeviation(NamedTuple):
    """The newest bucket and the hour before its end, compared with the baseline of that time."""

    deviation: Deviation
    bucket: float
    """The mean of the newest bucket."""
    hour: float
    """The mean of the last hour."""
    baseline: Baseline
    end: int
    """The end of the newest bucket (ms UTC)."""


class SignalBaseline:
    """The baseline of one signal of one endpoint; takes 8 kB, and 3 kB more when seasonal.

    `latest` is the deviation of the newest bucket; None while that bucket has no sample, and with
    less than a day of data.
    """

    __slots__ = (
        "_baseline",
        "_due",
        "_finest",
        "_hours",
        "_points",
        "_season",
        "_season_due",
        "latest",
        "signal",
    )  # fmt: skip

    def __init__(
        self, signal: str, finest: float, width: int, shift: int = 0, *, seasonal: bool = False
    ) -> None:
        self.signal, self._finest = signal, finest
        self._points = BucketMeans(width, SPAN // width + LAG, shift)
        self._hours = BucketMeans(HOUR, SEASON_SPAN // HOUR) if seasonal else None
        self._due = self._season_due = -1
        self._season: Seasonality | None = None
        self._baseline: Baseline | None = None
        self.latest: BaselineDeviation | None = None

    @property
    def gap_limit(self) -> int:
        """The longest time (ms) between two anomalies that count as one."""
        return LAG * self._points.width

    def add(self, at: int, value: float) -> None:
        """Add a sample taken at `at` (ms UTC); NaN is ignored."""
        if self._hours is not None:
            self._hours.add(at, value)
        if self._points.add(at, value) and self._points.number >= 0:
            self._update()

    def buckets_before(self, end: int) -> tuple[Buckets, Buckets]:
        """The ranges of fine and coarse buckets before `end` (ms UTC) to read for `fill`."""
        hours = self._hours.buckets_before(end) if self._hours else NO_BUCKETS
        return self._points.buckets_before(end), hours

    def fill(self, points: Samples, coarse: Samples) -> None:
        """Replace the history by stored samples, oldest first: for fine and coarse buckets."""
        self._points.fill(points)
        if self._hours is not None:
            self._hours.fill(coarse)
        self._due = self._season_due = -1
        self._update()

    def past(self, min_deviations: float) -> Iterator[BaselineDeviation]:
        """Yield the deviations of buckets of the last three days from the current baseline.

        Yields each bucket that deviates by `min_deviations` or more, and the two after it.
        """
        if self._baseline is None:
            return
        points, deviations = self._points, self._baseline.deviations
        values = self._values(REMEMBERED // points.width + LAG)
        last_far = -QUARTER
        for place, point in enumerate(values):
            if abs(deviations(point)) >= min_deviations:
                last_far = place
            if place >= LAG - 1 and place - last_far < QUARTER:
                number = points.number + 1 + place - len(values)
                compared = self._compare(values[place + 1 - LAG : place + 1], number)
                if compared is not None:
                    yield compared

    def _update(self) -> None:
        if self._points.number >= self._due:
            self._compute_baseline()
        self.latest = self._compare(self._values(LAG), self._points.number)

    def _compute_baseline(self) -> None:
        """Compute the baseline, and once a day the seasonality."""
        points, hours = self._points, self._hours
        self._due = points.number + max(1, HOUR // points.width)
        if hours is not None and points.number >= self._season_due:
            self._season_due = points.number + max(1, DAY // points.width)
            known = hours.newest(SEASON_SPAN // HOUR)
            self._season = seasonality_of(known, hours.number + 1 - len(known))
        values = self._values(SPAN // points.width, LAG)
        self._baseline = baseline_of(values, self._finest, points.width)

    def _values(self, count: int, lag: int = 0) -> Sequence[float]:
        """The means of the newest buckets, minus the seasonal offset of each."""
        points = self._points
        means, season = points.newest(count, lag), self._season
        if season is None:
            return means
        middle = points.start_of(points.number + 1 - lag - len(means)) + points.width // 2
        return [
            mean - season.offset_at(middle + place * points.width)
            for place, mean in enumerate(means)
        ]

    def _compare(self, values: Sequence[float], number: int) -> BaselineDeviation | None:
        """Compare the last of these bucket means with the baseline; None when either is unknown."""
        if self._baseline is None or not values or math.isnan(values[-1]):
            return None
        offset, start = 0.0, self._points.start_of(number)
        if self._season is not None:
            offset = self._season.offset_at(start + self._points.width // 2)
        baseline = self._baseline.with_offset(offset)
        newest, deviations = values[-1] + offset, baseline.deviations
        hour = [one + offset for one in values if one == one]  # noqa: PLR0124 - not NaN
        quarter = [one + offset for one in values[-QUARTER:] if one == one]  # noqa: PLR0124
        mean = sum(hour) / len(hour)
        of_means = (0.0, 0.0)
        if len(hour) >= _MIN_POINTS:
            of_means = deviations(sum(quarter) / len(quarter)), deviations(mean)
        deviation = Deviation(deviations(newest), *of_means)
        return BaselineDeviation(deviation, newest, mean, baseline, start + self._points.width)


class WeekOverWeek:
    """The mean of a signal over a window, and three means of the week before.

    `week_before` has the mean of the same window, and of windows that are a quarter of its length
    earlier and later, since a daily job does not start on the minute. A window with less than half
    of its data has no mean. Windows move in steps of five minutes, or of 1/48 of a long window.
    """

    __slots__ = ("_points", "_week", "_window", "latest", "signal", "week_before")

    def __init__(self, signal: str, window: int, width: int, shift: int = 0) -> None:
        self.signal, self._window = signal, window
        width = max(width, window // _WINDOW_BUCKETS)
        self._points = BucketMeans(width, -(-window // width) + 1, shift)
        coarse = max(width, _COARSE_WIDTH)
        self._week = BucketMeans(coarse, (WEEK + 2 * window) // coarse + 2)
        self.latest: float | None = None
        self.week_before: tuple[float, ...] = ()

    def add(self, at: int, value: float) -> None:
        """Add a sample taken at `at` (ms UTC); NaN is ignored."""
        self._week.add(at, value)
        if self._points.add(at, value) and self._points.number >= 0:
            self._update()

    def buckets_before(self, end: int) -> tuple[Buckets, Buckets]:
        """The ranges of fine and coarse buckets before `end` (ms UTC) to read for `fill`."""
        return self._points.buckets_before(end), self._week.buckets_before(end)

    def fill(self, points: Samples, coarse: Samples) -> None:
        """Replace the history by stored samples, oldest first: for fine and coarse buckets."""
        self._points.fill(points)
        self._week.fill(coarse)
        self._update()

    def _update(self) -> None:
        end, span = self._points.end, self._window
        mean = self._points.mean(end - max(span, self._points.width), end)
        ends = (end - WEEK + shift for shift in (0, -span // 4, span // 4))
        before = [self._week.mean(past - span, past) for past in ends]
        self.latest = None if math.isnan(mean) else mean
        self.week_before = tuple(one for one in before if one == one)  # noqa: PLR0124 - not NaN


Samples = Iterable[tuple[int, float]]
"""Times (ms UTC) and values, oldest first."""


class Buckets(Struct, frozen=True):
    """A range of `count` buckets of equal width, from `start` to before `end` (ms UTC)."""

    start: int
    end: int
    count: int


NO_BUCKETS = Buckets(0, 0, 0)


_MAX_FLOAT = 3e38
"""About the largest value of a 4-byte float; stands for infinity."""


class BucketMeans:
    """A ring of the newest `size` bucket means, of `width` ms and 4 bytes each.

    Buckets start `shift` ms before the multiples of their width, and are numbered from 1970 on.
    `number` is the number of the newest bucket that has ended; -1 while there is none.
    """

    __slots__ = ("_count", "_current", "_means", "_shift", "_size", "_total", "number", "width")

    def __init__(self, width: int, size: int, shift: int = 0) -> None:
        self.width, self._size, self._shift = width, size, shift
        self._clear()

    def _clear(self) -> None:
        self._means = array("f", [math.nan]) * self._size
        self.number = self._current = -1
        self._total, self._count = 0.0, 0

    def add(self, at: int, value: float) -> bool:
        """Add a sample taken at `at` (ms UTC); returns whether it is the first of a new bucket.

        NaN is ignored. After the clock was set back, samples go to the newest bucket.
        """
        number = (at + self._shift) // self.width
        has_ended = number > self._current
        if has_ended:
            self._close(number)
        if value == value:  # noqa: PLR0124 - not NaN
            self._total += value
            self._count += 1
        return has_ended

    def fill(self, samples: Samples) -> None:
        """Replace the history by these samples, oldest first."""
        self._clear()
        for at, value in samples:
            self.add(at, value)

    def buckets_before(self, end: int) -> Buckets:
        """The buckets that the ring holds at `end` (ms UTC), the current one included."""
        past = self.start_of((end + self._shift) // self.width + 1)
        return Buckets(past - (self._size + 1) * self.width, past, self._size + 1)

    def _close(self, number: int) -> None:
        if self._current >= 0:
            mean = math.nan
            if self._count:
                mean = min(max(self._total / self._count, -_MAX_FLOAT), _MAX_FLOAT)
            self._means[self._current % self._size] = mean
            for missed in range(max(self._current + 1, number - self._size), number):
                self._means[missed % self._size] = math.nan
            self.number = number - 1
        self._current = number
        self._total, self._count = 0.0, 0

    def start_of(self, number: int) -> int:
        """The start of the bucket with this number (ms UTC)."""
        return number * self.width - self._shift

    @property
    def end(self) -> int:
        """The end of the newest bucket that has ended (ms UTC)."""
        return self.start_of(self.number + 1)

    def newest(self, count: int, lag: int = 0) -> array[float]:
        """The means of `count` ended buckets, oldest first; the newest `lag` are left out.

        NaN for a bucket without a sample; fewer means when the ring does not reach back so far.
        """
        past = self.number + 1 - lag
        first = max(past - count, self.number + 1 - self._size)
        if first >= past:
            return array("f")
        start, end = first % self._size, past % self._size
        if start < end:
            return self._means[start:end]
        return self._means[start:] + self._means[:end]

    def mean(self, start: int, end: int) -> float:
        """The mean from `start` to `end` (ms UTC), each bucket weighted by its part of that time.

        NaN when the buckets with samples cover less than half of that time.
        """
        total = weight = 0.0
        for number in range((start + self._shift) // self.width, self.number + 1):
            bucket_start = self.start_of(number)
            if bucket_start >= end:
                break
            mean = self._means[number % self._size]
            if mean == mean and number > self.number - self._size:  # noqa: PLR0124 - not NaN
                share = min(bucket_start + self.width, end) - max(bucket_start, start)
                total += mean * share
                weight += share
        return total / weight if 2 * weight >= end - start else math.nan
