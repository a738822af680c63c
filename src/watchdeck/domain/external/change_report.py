"""Parser of the change reports that other programs, such as a CI, post to the intake."""

from __future__ import annotations

from msgspec import Struct, ValidationError, convert

from watchdeck.domain.external.alertmanager import PayloadError, parse_json
from watchdeck.domain.values.datetimes import read_rfc3339
from watchdeck.domain.values.text import clean

MAX_CLOCK_SKEW = 300_000
"""Milliseconds by which the clock of a sender may be ahead; such a change happens now."""

_FIRST_MOMENT = 946_684_800_000
"""The year 2000 in ms UTC: an earlier time was given in seconds."""


class ChangeReport(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a POST to `/changes` of the intake, as JSON."""

    model: str
    """Name of the endpoint whose model was changed."""
    text: str
    """What was changed, on one line of 200 characters at most."""
    what: str = "deploy"
    """Kind of the change: `deploy`, also when absent, `config`, `retrain` or `note`."""
    at: int | str | None = None
    """When it happened, as RFC 3339 text or in ms UTC; null for now."""


def read_change_report(body: bytes) -> ChangeReport:
    """Parse a change report. Raises PayloadError; the text names the field that is wrong."""
    document = parse_json(body)
    if not isinstance(document, dict):
        raise PayloadError(f"the body is not a JSON object; {_EXAMPLE}")
    try:
        return convert(document, ChangeReport)
    except ValidationError as error:
        raise PayloadError(f"{clean(str(error), 200)}; {_EXAMPLE}") from None


def change_time(report: ChangeReport, now: int) -> int | None:
    """When the change happened (ms UTC); None for now, also by a clock a little ahead of ours.

    Raises PayloadError for a text that is not RFC 3339, and for a time in seconds.
    """
    at = read_rfc3339(report.at) if isinstance(report.at, str) else report.at
    if at is None and report.at is not None:
        said = clean(str(report.at), 40)
        raise PayloadError(f"at {said!r} is not a time; write 2026-11-23T05:00:00Z, or ms UTC")
    if at is not None and at < _FIRST_MOMENT:
        said = clean(str(at), 40)
        raise PayloadError(f"at {said} is before the year 2000; a number is in ms UTC, not in s")
    return None if at is not None and now <= at <= now + MAX_CLOCK_SKEW else at


_EXAMPLE = 'send {"model": "NAME", "what": "deploy", "text": "v2"}'
