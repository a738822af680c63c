"""What stays the same from scrape to scrape: a page's lines without their values."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

from watchdeck.domain.series import Layout


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The lines of a page: where samples are, what stands before their values, all other lines.

    `samples` and `others` are line numbers; `starts` is where each value begins.
    """

    lines: int
    samples: tuple[int, ...]
    starts: tuple[int, ...]
    prefixes: list[bytes]
    others: tuple[int, ...]
    comments: list[bytes]
    layout: Layout

    def values(self, lines: list[bytes]) -> array[float] | None:
        """The values of a page that has this very skeleton; None when it has not.

        Only values change between two scrapes of most pages, so nothing else is read again. The
        checks behind `float` are what it is laxer in than the format: `1_0`, and overflow.
        """
        if len(lines) != self.lines or [lines[i] for i in self.others] != self.comments:
            return None
        found = [lines[i] for i in self.samples]
        if [f[:k] for f, k in zip(found, self.starts, strict=True)] != self.prefixes:
            return None
        texts = [f[k:] for f, k in zip(found, self.starts, strict=True)]
        try:
            values = array("d", map(float, texts))
        except ValueError:
            return None
        if math.isinf(sum(values)) or b"_" in b" ".join(texts):
            return None
        return values
