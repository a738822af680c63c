"""Flapping: an alert that changes its mind so often that each change is no news."""

from __future__ import annotations

KEPT = 20
"""Samples that are looked back on."""

ON = 0.30
"""A share of changes above this is flapping."""

OFF = 0.25
"""A share of changes below this is calm again; between the two it stays what it was."""

_MASK = (1 << KEPT) - 1

_WEIGHTS = tuple(0.8 + 0.02 * (KEPT - 1 - age) for age in range(KEPT))
"""Icinga's: the newest change, at index 0, weighs most."""


def record(recent: int, *, changed: bool) -> int:
    """The bits of the newest samples and of one more."""
    return ((recent << 1) | changed) & _MASK


def rested(recent: int, samples: int) -> int:
    """The bits after so many samples without a change."""
    return (recent << min(max(samples, 0), KEPT)) & _MASK


def score(recent: int) -> float:
    """The weighed share of changes among the newest samples, between 0 and 1."""
    return sum(weight for age, weight in enumerate(_WEIGHTS) if recent >> age & 1) / KEPT


def flaps(recent: int, *, flapping: bool) -> bool:
    """Whether it flaps; between the two bounds it is what it was."""
    return score(recent) >= OFF if flapping else score(recent) > ON
