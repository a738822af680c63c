"""Traffic to the terminal: how much is sent, how far behind it is, and how much may be in flight.

Times are seconds of any clock that only goes forward.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct
from msgspec.structs import replace

RATE_PERIOD = 10.0
"""Seconds over which the byte rate is averaged."""

_LAGS = 3
"""Number of lags whose lowest counts: one slow response does not show a slow link."""


class Traffic(Struct, frozen=True):
    """Statistics of the output to the terminal; the counts are cumulative.

    A lag is the time from a status request until the terminal's response.
    """

    sent: int = 0
    """Bytes."""
    frames: int = 0
    skipped: int = 0
    """Frames that a newer one replaced before they were made."""
    rate: float = 0.0
    """Bytes a second."""
    lag: float | None = None
    """Seconds of the last round trip; None on a terminal that has never responded."""
    held: bool = False
    """Whether frames wait because the link takes no more."""
    dropped: int = 0
    """Bytes discarded because the terminal took none."""
    lowest_lag: float | None = None
    """The lowest of the last three lags, in seconds; None before the third."""


class TrafficMeter:
    """Counts bytes and frames sent to the terminal, and records how fast it responds (lag)."""

    def __init__(self) -> None:
        self._total = Traffic()
        self._lags: deque[float] = deque(maxlen=_LAGS)
        self._recent: deque[tuple[float, int]] = deque()

    def count_sent(self, count: int, now: float) -> None:
        """Add `count` bytes that the terminal took at `now` (seconds)."""
        self._total = replace(self._total, sent=self._total.sent + count)
        self._recent.append((now, count))
        self._drop_old(now)

    def count_frame(self) -> None:
        """Add one to the number of frames made."""
        self._total = replace(self._total, frames=self._total.frames + 1)

    def count_skipped(self) -> None:
        """Add one to the number of frames not made, because the last one is still in flight."""
        self._total = replace(self._total, skipped=self._total.skipped + 1)

    def count_dropped(self, count: int) -> None:
        """Add `count` bytes that were discarded instead of sent."""
        self._total = replace(self._total, dropped=self._total.dropped + count)

    def record_lag(self, lag: float) -> None:
        """Record the seconds from a status request until the terminal's response."""
        self._lags.append(lag)
        lowest = min(self._lags) if len(self._lags) == _LAGS else None
        self._total = replace(self._total, lag=lag, lowest_lag=lowest)

    def read(self, now: float, *, held: bool) -> Traffic:
        """The statistics up to `now` (seconds); `held` is whether frames wait for the terminal."""
        self._drop_old(now)
        rate = sum(count for _, count in self._recent) / RATE_PERIOD
        return replace(self._total, rate=rate, held=held)

    def _drop_old(self, now: float) -> None:
        while self._recent and self._recent[0][0] <= now - RATE_PERIOD:
            self._recent.popleft()


STATUS_REQUEST = "\x1b[5n"
"""Device status report (DSR): every terminal responds when it reads this."""

STATUS_RESPONSE = "\x1b[0n"
"""The response of a terminal to a status request."""

IN_FLIGHT_LIMIT = 2_048
"""Bytes in flight above which the next frame waits: a quarter of a second at 64 kbit/s."""

REQUEST_AFTER = 512
"""Bytes in flight from which on a frame carries a status request."""

RESPONSE_TIMEOUT = 2.0
"""Seconds after which a response counts as lost; doubled after each lost one."""

MAX_RESPONSE_TIMEOUT = 320.0
"""Seconds up to which the timeout is doubled."""


class FlowControl:
    """Limits the bytes in flight: those sent that the terminal may not have received yet.

    Buffers on the link hide its speed: only a response to a status request shows what arrived.
    Frames wait only for a terminal that has responded before, and only until its timeout.
    """

    def __init__(self) -> None:
        self._in_flight = 0
        self._sent_after_request = 0
        self._requested_at: float | None = None
        self._responds = False
        self._timeout = RESPONSE_TIMEOUT

    def is_open(self, now: float) -> bool:
        """Whether a frame may be sent at `now`; an overdue response first counts as lost."""
        timeout_at = self.timeout_at
        if timeout_at is not None and now >= timeout_at:
            self._timeout = min(2 * self._timeout, MAX_RESPONSE_TIMEOUT)
            self._requested_at, self._in_flight, self._sent_after_request = None, 0, 0
        return not self._responds or self._in_flight <= IN_FLIGHT_LIMIT

    @property
    def timeout_at(self) -> float | None:
        """When the pending response counts as lost; None while no request is pending."""
        return None if self._requested_at is None else self._requested_at + self._timeout

    @property
    def is_request_due(self) -> bool:
        """Whether to send a status request now; its response will show what has arrived."""
        return self._requested_at is None and (
            self._in_flight >= REQUEST_AFTER or not self._responds
        )

    def record_sent(self, count: int) -> None:
        """Record that `count` bytes were sent."""
        self._in_flight += count
        self._sent_after_request += count

    def record_request(self, now: float) -> None:
        """Record that a status request was sent after all bytes so far."""
        self._requested_at, self._sent_after_request = now, 0

    def record_response(self, now: float) -> float | None:
        """Record a status response: all bytes sent before its request have arrived.

        Returns the seconds since the request; None when no request is pending.
        """
        if self._requested_at is None:
            return None
        lag = now - self._requested_at
        self._requested_at, self._in_flight = None, self._sent_after_request
        self._responds, self._timeout = True, RESPONSE_TIMEOUT
        return lag
