"""The rate limit of the log: which of a subject's failures are logged."""

from msgspec import Struct

RETURN_WINDOW = 600_000
"""Milliseconds after its end in which a failure that comes back makes its subject a flapping one.

Without it a subject that fails every minute would write two lines a minute for ever."""

_MAX_PATIENCE = 60
"""Failures in a row after which even a subject that flapped all day is logged."""

CROWD = 16
"""Subjects that fail at one time, above which new ones are logged at the 32nd, 64th, 128th ...

When the network breaks, 1,000 endpoints then write 21 lines."""

FORGET_AFTER = 3_600_000
"""Milliseconds without a failure after which one without an end is logged as the first."""

OTHERS = "(others)"
"""The subject under which all are counted that a full FailureLimiter has no place for."""

MAX_ENDLESS = 64
"""Subjects of failures without an end that are remembered: some are addresses of strangers."""


class Repetition(Struct, frozen=True):
    """How often the subject of a log line failed."""

    count: int
    """Failures since it last worked."""
    left_out: int = 0
    """Failures since its last line, which were not logged."""
    failing: int = 1
    """Subjects that fail at this time, this one included."""
    lasted: int = 0
    """Milliseconds since the first of these failures."""


class _SubjectState(Struct):
    """What a FailureLimiter knows of one subject."""

    count: int = 0
    """Failures since it last worked; 0 while it works."""
    left_out: int = 0
    returns: int = 0
    """Times in a row that it failed again within RETURN_WINDOW."""
    began_at: int = 0
    """Time of the first of its failures (ms)."""
    changed_at: int = 0
    """Time of its newest failure, or of the end of its failures (ms)."""
    is_logged: bool = False
    """Whether a line says that it fails, so that another must say when it works again."""


class FailureLimiter:
    """Chooses which failures of each subject are logged: the 1st, 2nd, 4th, 8th ...

    The count starts anew when the subject works again, which is logged if its failure was. A
    subject that fails again within RETURN_WINDOW is flapping: only the 2nd, 4th, 8th ... such
    period of failures is logged at once, any other when it has more failures than there were
    periods. `forget_after` (ms) is for failures without an end: a subject without one for this
    long starts anew. At most `capacity` subjects are remembered one by one. Times are ms of a
    monotonic clock.
    """

    def __init__(self, forget_after: int | None = None, capacity: int = 10_000) -> None:
        self._forget_after = forget_after
        self._capacity = capacity
        self._states: dict[str, _SubjectState] = {}
        self._failing = 0

    def record_failure(self, subject: str, now: int) -> Repetition | None:
        """Count a failure at `now`; returns what to log of it, None when it is not to be logged."""
        state = self._state_of(subject, now)
        if state.count == 0:
            is_return = bool(state.changed_at) and now - state.changed_at < RETURN_WINDOW
            state.returns = state.returns + 1 if is_return else 0
            state.began_at = now
            self._failing += 1
        state.count += 1
        state.changed_at = now
        if not self._is_due(state):
            state.left_out += 1
            return None
        found = self._repetition(state, now)
        state.left_out, state.is_logged = 0, True
        return found

    def record_success(self, subject: str, now: int) -> Repetition | None:
        """End the failures of a subject; returns what to log, None when nothing was logged of it.

        Costs one look-up for a subject that did not fail: call it after every success.
        """
        state = self._states.get(subject)
        if state is None or state.count == 0:
            return None
        found = self._repetition(state, now) if state.is_logged else None
        state.left_out = 0 if state.is_logged else state.left_out
        self._end(state, now)
        return found

    def _repetition(self, state: _SubjectState, now: int) -> Repetition:
        return Repetition(state.count, state.left_out, self._failing, now - state.began_at)

    def _is_due(self, state: _SubjectState) -> bool:
        if not _is_power_of_two(state.count):
            return False
        is_announced = _is_power_of_two(state.returns + 1) or state.count > _patience(state)
        if not is_announced:
            return False
        is_first = state.count == 1
        is_crowd = self._failing > CROWD and not (is_first and _is_power_of_two(self._failing))
        return state.is_logged or not is_crowd

    def _state_of(self, subject: str, now: int) -> _SubjectState:
        state = self._states.get(subject)
        if state is None:
            if self._forget_after is not None or len(self._states) >= self._capacity:
                self._forget(now)
            is_full = len(self._states) >= self._capacity
            state = self._states.setdefault(OTHERS if is_full else subject, _SubjectState())
        if self._is_over(state, now):
            self._end(state, 0)
        return state

    def _is_over(self, state: _SubjectState, now: int) -> bool:
        """Whether failures without an end have ended: none came for long enough."""
        is_shared = state is self._states.get(OTHERS)
        limit = self._forget_after or (FORGET_AFTER if is_shared else None)
        return limit is not None and state.count > 0 and now - state.changed_at >= limit

    def _end(self, state: _SubjectState, now: int) -> None:
        state.count, state.changed_at, state.is_logged = 0, now, False
        self._failing -= 1

    def _forget(self, now: int) -> None:
        """Forget the subjects whose failures have ended, long enough ago that none is a return."""
        for subject, state in list(self._states.items()):
            if self._is_over(state, now):
                self._end(state, 0)
            if state.count == 0 and (
                not state.changed_at or now - state.changed_at > RETURN_WINDOW
            ):
                del self._states[subject]


def _patience(state: _SubjectState) -> int:
    """The failures of a flapping subject that are not logged."""
    return min(state.returns, _MAX_PATIENCE)


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0
