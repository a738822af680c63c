"""The last raw answers of a model's server, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watchdeck.console.lines.line import Line, Role, Span, cut, foreign_text, width
from watchdeck.console.lines.relative_time import ago
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.domain.values.text import clean

NONE = "no answer was kept yet"

_LONGEST = 4_096
"""Characters of a line, and cells of one that is not broken: longer ones were cut on arrival."""


def exchanges(found: Iterable[ResponseRecord], now: int, cells: int) -> tuple[Line, ...]:
    """Each question with its status, headers and the beginning of its body."""
    lines: list[Line] = []
    for one in found:
        role = Role.OK if one.status is not None and one.status < 400 else Role.WARNING
        status = "no answer" if one.status is None else str(one.status)
        lines.append(
            Line(
                (
                    foreign_text(f" {cut(one.asked, cells // 2)}  ", Role.STRONG),
                    Span(f"{status}  ", role),
                    Span(ago(one.at, now), Role.MUTED),
                )
            )
        )
        if one.headers:
            lines.append(Line((Span(f"   {cut(one.headers, cells - 4)}", Role.MUTED),)))
        lines += [part for text in one.body.splitlines() for part in _whole(text, cells)]
        lines.append(Line())
    return tuple(lines) or (Line((Span(f" {NONE}", Role.MUTED),)),)


def _whole(text: str, cells: int) -> Iterator[Line]:
    """All of a line of an answer: where buckets differ is often at the end."""
    for place, part in enumerate(_broken(clean(text, _LONGEST), max(2, cells - 6))):
        yield Line((Span(f"{'     ' if place else '   '}{part}"),))


def _broken(text: str, cells: int) -> Iterator[str]:
    part, taken = "", 0
    for letter in text:
        taken += width(letter)
        if taken > cells:
            yield part
            part, taken = "", width(letter)
        part += letter
    yield part


def as_text(found: Iterable[ResponseRecord], now: int) -> str:
    """The same without colours, and as wide as it is."""
    return "".join(f"{str(line).rstrip()}\n" for line in exchanges(found, now, _LONGEST))
