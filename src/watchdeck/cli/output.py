"""Text and JSON that several commands print: tables, counts, numbers."""

import json
import math
from collections.abc import Iterable, Sequence


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows (the heads first) with columns lined up; the last column keeps its own width."""
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Iterable[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def to_json(value: object) -> str:
    """A value as indented JSON, for scripts."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)


def finite_or_none(value: float | None) -> float | None:
    """The number, or None where JSON has no word for it (infinity, NaN)."""
    return value if value is not None and math.isfinite(value) else None


def count_noun(count: int, noun: str) -> str:
    """The count with its noun: `1 model`, `3 models`."""
    return f"{count} {noun}{'s' * (count != 1)}"
