"""How much may be on its way to the terminal: it is asked, and its answer says what arrived."""

from __future__ import annotations

QUESTION = "\x1b[5n"
"""Asks a terminal how it is."""

ANSWER = "\x1b[0n"
"""Every terminal says that it is well."""

WINDOW = 2_048
"""Bytes on their way after which the next frame waits: a quarter of a second at 64 kbit/s."""

ASK_AFTER = 512
"""Bytes on their way from which on a frame carries a question."""

PATIENCE = 2.0
"""Seconds after which an answer is taken for lost; twice as long after each that was."""

PATIENCE_MOST = 320.0


class FlowControl:
    """What is on its way; times are seconds of any clock that only goes forward.

    Buffers on a link hide from us how slow it is: only an answer from its far end tells. A terminal
    that never answered is never waited for, and one that stopped to answer not for ever.
    """

    def __init__(self) -> None:
        self._underway = 0
        self._after = 0
        self._asked: float | None = None
        self._answers = False
        self._patience = PATIENCE

    def is_open(self, now: float) -> bool:
        """Whether a frame may be sent."""
        opens = self.opens_at
        if opens is not None and now >= opens:
            self._patience = min(2 * self._patience, PATIENCE_MOST)
            self._asked, self._underway, self._after = None, 0, 0
        return not self._answers or self._underway <= WINDOW

    @property
    def opens_at(self) -> float | None:
        """When it opens by itself, should no answer come; None while no question is out."""
        return None if self._asked is None else self._asked + self._patience

    @property
    def is_due(self) -> bool:
        """Whether a question has to go out now."""
        return self._asked is None and (self._underway >= ASK_AFTER or not self._answers)

    def send(self, count: int) -> None:
        """So many bytes go out."""
        self._underway += count
        self._after += count

    def ask(self, now: float) -> None:
        """A question goes out, behind all that went before."""
        self._asked, self._after = now, 0

    def answer(self, now: float) -> float | None:
        """What went out before the question arrived; the seconds it took, None if none was out."""
        if self._asked is None:
            return None
        lag = now - self._asked
        self._asked, self._underway = None, self._after
        self._answers, self._patience = True, PATIENCE
        return lag
