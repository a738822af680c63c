"""Regular expressions that a person wrote: bounded in time, compiled once."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

_NESTED_REPETITION = re.compile(r"\([^()]*[*+{|][^()]*\)[*+{?]")


def has_nested_repetition(text: str) -> bool:
    """Whether a group with a repeat in it is repeated, which can take exponential time."""
    return _NESTED_REPETITION.search(text) is not None


@lru_cache(maxsize=1_024)
def compile_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """The compiled pattern. Raises re.error, OverflowError and RecursionError.

    Python warns of what a later version may read differently, such as `[[`; on a terminal that
    the console draws on, a warning would be noise.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(text, flags)
