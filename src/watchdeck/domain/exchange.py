"""What a server last answered to each question, word for word, as far as it is safe to show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question, named by its path, and its answer of `at` (ms UTC), cleaned and cut.

    `status` is None when there was no answer; `body` then says why.
    """

    asked: str
    at: int
    status: int | None
    headers: str
    body: str
