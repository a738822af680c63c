"""Text and JSON that several commands print: tables, counts, numbers."""

import json
import math
from collections.abc import Iterable, Sequence

from watchdeck.cli.streams import encodable, is_encodable
from watchdeck.domain.values.cells import cell_width, pad


def table_lines(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as lines with columns aligned by terminal cells, all but the last one padded.

    Characters that the output cannot encode are replaced first, because that changes widths.
    """
    shown = [tuple(map(encodable, row)) for row in rows]
    widths = [max(map(cell_width, column)) for column in list(zip(*shown, strict=True))[:-1]]
    return [_line(row, widths) for row in shown]


def _line(row: Sequence[str], widths: Iterable[int]) -> str:
    cells = [pad(cell, width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def to_json(document: object) -> str:
    """A document, or a list of them, as indented JSON; fields that are UNSET are left out.

    The fields and their docstrings are the reference that `watchdeck help json` prints. Characters
    that the output cannot encode are escaped, so that none is lost.
    """
    from msgspec import to_builtins  # 13 ms, which only JSON pays

    plain = to_builtins(document)
    text = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)
    return text if is_encodable(text) else json.dumps(plain, indent=1, allow_nan=False)


def finite_or_none(value: float | None) -> float | None:
    """The number; None for None, infinity and NaN, which JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None


def count_noun(count: int, noun: str) -> str:
    """A count with its noun: `1 model`, `3 models`."""
    return f"{count} {noun}{'s' * (count != 1)}"
