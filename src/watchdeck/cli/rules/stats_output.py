"""What rules were worth, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from watchdeck.cli.options import iso
from watchdeck.cli.rules.list_output import as_json
from watchdeck.cli.rules.replay_output import count_words
from watchdeck.domain.values.text import clean
from watchdeck.engine.backtest.rule_stats import LimitTrial, RuleQuality, best


class RuleStatsReport(Struct, frozen=True):
    """What rules were worth from `start` until `end`, and what other limits would have done."""

    worths: tuple[RuleQuality, ...]
    others: Mapping[str, tuple[LimitTrial, ...]]
    start: int
    end: int


def as_text(stats: RuleStatsReport) -> str:
    """A line for each rule that fired, the noisiest first, and better limits below."""
    if not stats.worths:
        return f"no rule fired since {iso(stats.start)}"
    head = ("RULE", "FIRED", "MODELS", "PAGES", "AT NIGHT", "USEFUL", "NOISE", "LATE", "PRECISION")
    rows = [head, *(_worth_row(one) for one in stats.worths)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [f"since {iso(stats.start)}; at night is from 22 to 7 here", ""]
    for row in rows:
        first, *rest = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join([first, *rest]).rstrip())
    for worth in stats.worths:
        lines += _better(worth, stats.others.get(worth.rule, ()))
    silent = sum(not one.judged for one in stats.worths)
    if silent:
        lines += ["", f"Nobody said anything of {silent} of these: their precision is unknown."]
    return "\n".join(lines)


def _worth_row(one: RuleQuality) -> tuple[str, ...]:
    precision = "unknown" if one.precision is None else f"{one.precision:.0%}"
    numbers = (one.fired, one.models, one.pages, one.at_night, one.useful, one.noise, one.late)
    return (clean(one.rule, 60), *map(str, numbers), precision)


def _better(worth: RuleQuality, some: Sequence[LimitTrial]) -> Iterator[str]:
    if not some:
        return
    yield ""
    yield f"{clean(worth.rule, 60)} with other limits, over the same time:"
    wanted, chosen = worth.useful + worth.late, best(worth, some)
    for one in some:
        mark = "  <- as useful, with less noise" if one is chosen else ""
        useful = f"keeps {one.kept} of {wanted} useful" if wanted else "nothing useful to keep"
        yield (
            f"  {one.words}: fires {count_words(one.fired)}, {useful},"
            f" {one.noise} of {worth.noise} noise{mark}"
        )


def for_scripts(stats: RuleStatsReport) -> str:
    """What rules were worth, for scripts; precision is null where nobody said anything."""
    return as_json(
        {
            "since": iso(stats.start),
            "until": iso(stats.end),
            "rules": [
                {
                    "name": one.rule,
                    "fired": one.fired,
                    "models": one.models,
                    "pages": one.pages,
                    "at_night": one.at_night,
                    "useful": one.useful,
                    "noise": one.noise,
                    "late": one.late,
                    "precision": one.precision,
                    "other_limits": [
                        {"limit": t.words, "fired": t.fired, "useful": t.kept, "noise": t.noise}
                        for t in stats.others.get(one.rule, ())
                    ],
                }
                for one in stats.worths
            ],
        }
    )
