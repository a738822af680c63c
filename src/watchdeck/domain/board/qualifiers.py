"""What limits the meaning of a signal's value, in words: its window, its scope, its resource."""

from watchdeck.domain.board.board import SignalValue
from watchdeck.domain.signals.counter_window import window_length
from watchdeck.domain.values.format import format_duration

_GROWN = 2
"""How many times its usual length a window has when a value says so: scrapes are never punctual."""


def qualifiers(signal: SignalValue, every: int) -> tuple[str, ...]:
    """The limits of a value: `in 20m`, `server-wide`, `from gpu-node`; empty for a plain one.

    `every` is the interval of the scrapes (ms), from which the usual window follows.
    """
    window = round(1_000 * (signal.window or 0))
    return (
        *((f"in {format_duration(window)}",) if window > _GROWN * window_length(every) else ()),
        *(("server-wide",) if signal.server_wide else ()),
        *((f"from {signal.resource}",) if signal.resource else ()),
    )
