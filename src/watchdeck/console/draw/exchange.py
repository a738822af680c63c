"""The last raw answers of a model's server, as lines."""

from __future__ import annotations

from collections.abc import Iterable

from watchdeck.console.draw.age import ago
from watchdeck.console.draw.text import Line, Role, Span, cut, said
from watchdeck.domain.exchange import Exchange

NONE = "no answer was kept yet"

_WHOLE = 4_096
"""Cells of a line that is not cut: longer ones were cut when they came."""


def exchanges(found: Iterable[Exchange], now: int, cells: int) -> tuple[Line, ...]:
    """Each question with its status, headers and the beginning of its body."""
    lines: list[Line] = []
    for one in found:
        role = Role.OK if one.status is not None and one.status < 400 else Role.WARNING
        status = "no answer" if one.status is None else str(one.status)
        lines.append(
            Line(
                (
                    said(f" {cut(one.asked, cells // 2)}  ", Role.STRONG),
                    Span(f"{status}  ", role),
                    Span(ago(one.at, now), Role.MUTED),
                )
            )
        )
        if one.headers:
            lines.append(Line((Span(f"   {cut(one.headers, cells - 4)}", Role.MUTED),)))
        lines += [Line((Span(f"   {cut(text, cells - 4)}"),)) for text in one.body.splitlines()]
        lines.append(Line())
    return tuple(lines) or (Line((Span(f" {NONE}", Role.MUTED),)),)


def as_text(found: Iterable[Exchange], now: int) -> str:
    """The same without colours, and as wide as it is."""
    return "".join(f"{str(line).rstrip()}\n" for line in exchanges(found, now, _WHOLE))
