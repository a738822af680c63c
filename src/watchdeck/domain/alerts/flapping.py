"""Flapping: an alert that changes too often to tell each of its ends.

Two things make an alert flap: many changes among its newest samples (the score of Icinga), and
`FLAPPING_FIRINGS` times that it begins to fire within `FLAPPING_PERIOD`. It flaps until it is calm.
"""

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import Episode

FLAPPING_SAMPLES = 20
"""Number of newest samples that `flapping_score` looks at."""

FLAPPING_HIGH = 0.30
"""An alert flaps when a change raises `flapping_score` above this."""

FLAPPING_FIRINGS = 3
"""An alert flaps when it begins to fire so many times within `FLAPPING_PERIOD`."""

FLAPPING_PERIOD = 3_600_000
"""Time (ms) in which `FLAPPING_FIRINGS` count."""

CALM_QUIET = 15 * 60_000
"""Time (ms) that samples must be false until an alert no longer flaps, and its end is told."""

CALM_FIRING = FLAPPING_PERIOD // (FLAPPING_FIRINGS - 1)
"""Time (ms) that an alert must fire without a break until it no longer flaps."""

_MASK = (1 << FLAPPING_SAMPLES) - 1

_WEIGHTS = tuple(0.8 + 0.02 * (FLAPPING_SAMPLES - 1 - age) for age in range(FLAPPING_SAMPLES))
"""The weights of Icinga: the newest change, at index 0, weighs most."""


def record_sample(recent: int, *, changed: bool) -> int:
    """The bits `recent` with one more sample as bit 0: 1 when its truth value changed."""
    return ((recent << 1) | changed) & _MASK


def record_unchanged(recent: int, samples: int) -> int:
    """The bits `recent` with a number of further samples without a change."""
    return (recent << min(max(samples, 0), FLAPPING_SAMPLES)) & _MASK


def record_firing(episode: Episode, at: int) -> Episode:
    """Note that an episode begins to fire at `at` (ms UTC)."""
    return replace(episode, firings=(*episode.firings, at)[-FLAPPING_FIRINGS:])


def flapping_score(recent: int) -> float:
    """The weighted share of changes (0 to 1) in `recent`: a bit per sample, bit 0 the newest."""
    changes = (weight for age, weight in enumerate(_WEIGHTS) if recent >> age & 1)
    return sum(changes) / FLAPPING_SAMPLES


def is_flapping(episode: Episode, at: int) -> bool:
    """Whether an episode flaps at `at` (ms UTC): it begins with a change, and ends with calm."""
    if not episode.flapping:
        return _fires_too_often(episode, at) or _changes_too_often(episode)
    if episode.truth:
        return at - max(episode.firings, default=at) < CALM_FIRING
    return episode.false_for < CALM_QUIET


def _fires_too_often(episode: Episode, at: int) -> bool:
    newest = episode.firings
    return len(newest) == FLAPPING_FIRINGS and newest[-1] == at <= newest[0] + FLAPPING_PERIOD


def _changes_too_often(episode: Episode) -> bool:
    return bool(episode.recent & 1) and flapping_score(episode.recent) > FLAPPING_HIGH
