"""The lines of the last raw responses of a model's server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watchdeck.console.lines.line import Line, Role, Span, cut, untrusted_text, width
from watchdeck.console.lines.relative_time import age_phrase
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.domain.values.text import clean

NO_RESPONSE = "no answer was kept yet"

_LONGEST = 4_096
"""The most characters in a line of a body; longer lines were cut when they were stored."""


def response_lines(records: Iterable[ResponseRecord], now: int, cells: int) -> tuple[Line, ...]:
    """Lines with each request, and the status, headers and stored body of its response."""
    lines: list[Line] = []
    for one in records:
        role = Role.OK if one.status is not None and one.status < 400 else Role.WARNING
        status = "no answer" if one.status is None else str(one.status)
        lines.append(
            Line(
                (
                    untrusted_text(f" {cut(one.asked, cells // 2)}  ", Role.STRONG),
                    Span(f"{status}  ", role),
                    Span(age_phrase(one.at, now), Role.MUTED),
                )
            )
        )
        if one.headers:
            lines.append(Line((Span(f"   {cut(one.headers, cells - 4)}", Role.MUTED),)))
        lines += [part for text in one.body.splitlines() for part in _body_lines(text, cells)]
        lines.append(Line())
    return tuple(lines) or (Line((Span(f" {NO_RESPONSE}", Role.MUTED),)),)


def _body_lines(text: str, cells: int) -> Iterator[Line]:
    """One line of a body, wrapped and not cut: buckets often differ at the end of the line."""
    for place, part in enumerate(_chunks(clean(text, _LONGEST), max(2, cells - 6))):
        yield Line((Span(f"{'     ' if place else '   '}{part}"),))


def _chunks(text: str, cells: int) -> Iterator[str]:
    part, taken = "", 0
    for letter in text:
        taken += width(letter)
        if taken > cells:
            yield part
            part, taken = "", width(letter)
        part += letter
    yield part


def responses_text(records: Iterable[ResponseRecord], now: int) -> str:
    """The lines of `response_lines` as plain text, not wrapped."""
    return "".join(f"{str(line).rstrip()}\n" for line in response_lines(records, now, _LONGEST))
