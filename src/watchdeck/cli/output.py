"""Text and JSON that several commands print: tables, counts, numbers."""

import json
import math
from collections.abc import Iterable, Sequence


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns; the first row is the header, the last column unpadded."""
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Iterable[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def to_json(document: object) -> str:
    """A document, or a list of them, as indented JSON; fields that are UNSET are left out.

    The fields and their docstrings are the reference that `watchdeck help json` prints.
    """
    from msgspec import to_builtins  # 13 ms, which only JSON pays

    return json.dumps(to_builtins(document), indent=1, ensure_ascii=False, allow_nan=False)


def finite_or_none(value: float | None) -> float | None:
    """The number; None for None, infinity and NaN, which JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None


def count_noun(count: int, noun: str) -> str:
    """A count with its noun: `1 model`, `3 models`."""
    return f"{count} {noun}{'s' * (count != 1)}"
