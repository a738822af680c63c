"""The result of replaying a rule over stored history, as text and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from msgspec import Struct

from watchdeck.cli.options import Timestamp, iso, iso_or_none
from watchdeck.cli.output import count_noun, finite_or_none, to_json
from watchdeck.cli.rules.coverage import RuleCoverage
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.rules.rule import Absent
from watchdeck.domain.values.format import format_duration, format_value
from watchdeck.domain.values.text import clean
from watchdeck.engine.backtest.replay import Firing, Replay, lookback
from watchdeck.engine.rules.applicability import NOT_MATCHED

_WIDTH = 98
_MAX_LISTED = 10
"""Limit of firings that the text lists for one model; the newest are listed."""

_NEGLIGIBLE = 0.01
"""Share of scrapes, or of time, that may be missing without a remark in the report."""

_WEEK = 7 * 86_400_000


class ReplayReport(Struct, frozen=True):
    """The replays of a rule on its models, from `start` until `end` (ms UTC)."""

    coverage: RuleCoverage
    replays: tuple[Replay, ...]
    start: int
    end: int

    @property
    def firings(self) -> tuple[Firing, ...]:
        """The firings on all models, oldest first."""
        found = (firing for replay in self.replays for firing in replay.firings)
        return tuple(sorted(found, key=lambda one: (one.at, one.model)))

    @property
    def weeks(self) -> float:
        """The number of weeks from the first replayed scrape until `end`."""
        first = min((one.first for one in self.replays if one.first is not None), default=self.end)
        return (self.end - max(first, self.start)) / _WEEK


def report_text(report: ReplayReport) -> str:
    """The report as text: the firings on each model, and how often the rule fired in total."""
    rule = report.coverage.rule
    kind = "a page" if rule.severity.is_paging else "a notice"
    head = f"{clean(rule.name)}: {clean(rule.when)} (severity {rule.severity:d}, {kind})"
    lines = [
        head,
        f"from {iso(report.start)} until {iso(report.end)}",
        *_excluded_lines(report.coverage),
        "",
    ]
    doubts = [list(_doubts(replay, report)) for replay in report.replays]
    common = [doubt for doubt in next(iter(doubts), []) if all(doubt in one for one in doubts)]
    for replay, own in zip(report.replays, doubts, strict=True):
        lines += _replay_lines(replay, report, [doubt for doubt in own if doubt not in common])
    return "\n".join([*lines, *_total_lines(report), *(f"On each: {doubt}." for doubt in common)])


def _excluded_lines(coverage: RuleCoverage) -> Iterator[str]:
    for why, names in coverage.excluded.items():
        if why != NOT_MATCHED:
            subject = "it" if len(names) == 1 else "each"
            yield from wrap(f"not on {', '.join(map(clean, names))}: {subject} {why}", _WIDTH)


def _replay_lines(replay: Replay, report: ReplayReport, doubts: Sequence[str]) -> Iterator[str]:
    last = report.end if replay.last is None else replay.last
    yield f"{clean(replay.model)}: {_frequency_text(replay.firings, last)}"
    hidden = len(replay.firings) - _MAX_LISTED
    if hidden > 0:
        yield f"  (the {hidden} before are left out; --json has them)"
    for firing in replay.firings[-_MAX_LISTED:]:
        again = f", came back {firing.reopened} times" if firing.reopened else ""
        yield f"  {iso(firing.at)}  {_duration_text(firing, last)}{again}  {clean(firing.why)}"
    yield from (f"  {doubt}" for doubt in doubts)


def _frequency_text(firings: Sequence[Firing], end: int) -> str:
    if not firings:
        return "never"
    lengths = [(firing.until or end) - firing.at for firing in firings]
    longest = f", the longest {format_duration(max(lengths))}" if len(lengths) > 1 else ""
    return f"{times_text(len(firings))}, {format_duration(sum(lengths))} in all{longest}"


def _duration_text(firing: Firing, end: int) -> str:
    still = "" if firing.until else " and still"
    return f"for {format_duration((firing.until or end) - firing.at)}{still}"


def _doubts(replay: Replay, report: ReplayReport) -> Iterator[str]:
    """Reasons to trust a replay less, such as missing history; none when it is complete."""
    if replay.first is None:
        yield "nothing was scraped in that time"
        return
    if isinstance(report.coverage.rule.test, Absent):
        yield "absence cannot be replayed: a gap in history is a time without a collector"
    missing, needed = replay.first - report.start, lookback(report.coverage.rule)
    slack = 2 * replay.every
    if missing > slack:
        yield f"its history begins only at {iso(replay.first)}"
    if replay.last is not None and report.end - replay.last > slack:
        yield f"its history ends at {iso(replay.last)}"
    if needed and replay.first > report.start - needed + slack:
        short = format_duration(needed)
        yield f"the rule looks back {short}, and knows less than live in its first {short}"
    if replay.uncollected > _NEGLIGIBLE * (report.end - report.start):
        yield f"nobody collected for {format_duration(replay.uncollected)} of it"
    if replay.unknown > _NEGLIGIBLE * replay.samples:
        share = format_value(replay.unknown / replay.samples, SIGNALS["error_ratio"].unit)
        yield f"for {share} of its scrapes it is unknown whether the rule was true"
    every = next(
        one.facts.every for one in report.coverage.targets if one.facts.name == replay.model
    )
    if replay.every > 1.5 * every:
        then, now = format_duration(replay.every), format_duration(every)
        yield f"it was scraped every {then} then, every {now} now"


def _total_lines(report: ReplayReport) -> Iterator[str]:
    rule, firings = report.coverage.rule, report.firings
    if not report.replays:
        yield f"Nothing was played: the rule is {report.coverage.state}."
        return
    yield ""
    weekly = f", {len(firings) / report.weeks:.2g} a week" if firings and report.weeks > 0 else ""
    word = "pages" if rule.severity.is_paging else "notices"
    yield (
        f"In all: {times_text(len(firings))} on {count_noun(len(report.replays), 'model')}{weekly}"
        f"{f'; all of them {word}' if firings else ''}."
    )


class FiringDocument(Struct, frozen=True):
    """One time that the rule would have fired."""

    at: Timestamp
    """When the rule began to fire."""
    until: Timestamp | None
    """When the alert ended; null when it still fires at the end of the replay."""
    why: str
    """Reason at the start, in words."""
    peak: float | None
    """Worst value, in the unit of the rule's signal; null when unknown."""
    reopened: int
    """How often the alert came back soon after its end, without another notification."""


class ReplayDocument(Struct, frozen=True):
    """The replay on one model."""

    name: str
    """Name of the endpoint."""
    fired: list[FiringDocument]
    """All firings, oldest first."""
    history_since: Timestamp | None
    """Time of the first stored scrape; null without one."""
    history_until: Timestamp | None
    """Time of the last stored scrape; null without one."""
    samples: int
    """Number of replayed scrapes."""
    unknown: int
    """Number of scrapes at which the rule was neither true nor false, for want of a value."""
    uncollected_s: float
    """Seconds of the history in which no collector ran."""
    doubts: list[str]
    """Reasons to trust the replay less, in words; empty when the history is complete."""


class RuleReplayDocument(Struct, frozen=True):
    """A rule, and its replay on each model that it applies to."""

    name: str
    """Name of the rule."""
    when: str
    """Condition that was replayed, with its `for`."""
    severity: int
    """1 to 4, 1 the worst; 1 and 2 page somebody."""
    since: Timestamp
    """Start of the replay."""
    until: Timestamp
    """End of the replay."""
    held_back: Mapping[str, tuple[str, ...]]
    """Names of the endpoints that were not replayed, by the reason."""
    pages_per_week: float | None
    """Pages a week over all models, 0 for a rule that sends notices; null without history."""
    models: list[ReplayDocument]
    """One replay for each model that the rule applies to."""


def report_json(report: ReplayReport) -> str:
    """The report as JSON, whose fields scripts rely on."""
    weeks, rule = report.weeks, report.coverage.rule
    pages = len(report.firings) if rule.severity.is_paging else 0
    return to_json(
        RuleReplayDocument(
            name=rule.name,
            when=rule.when,
            severity=int(rule.severity),
            since=iso(report.start),
            until=iso(report.end),
            held_back=report.coverage.excluded,
            pages_per_week=round(pages / weeks, 3) if weeks > 0 else None,
            models=[_replay_document(replay, report) for replay in report.replays],
        )
    )


def _replay_document(replay: Replay, report: ReplayReport) -> ReplayDocument:
    return ReplayDocument(
        name=replay.model,
        fired=list(map(_firing_document, replay.firings)),
        history_since=iso_or_none(replay.first),
        history_until=iso_or_none(replay.last),
        samples=replay.samples,
        unknown=replay.unknown,
        uncollected_s=replay.uncollected / 1_000,
        doubts=list(_doubts(replay, report)),
    )


def _firing_document(firing: Firing) -> FiringDocument:
    return FiringDocument(
        at=iso(firing.at),
        until=iso_or_none(firing.until),
        why=firing.why,
        peak=finite_or_none(firing.peak),
        reopened=firing.reopened,
    )


def times_text(count: int) -> str:
    """A count in words: `never`, `once`, `twice`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
