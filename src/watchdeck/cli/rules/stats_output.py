"""The quality of the rules, as text and as JSON."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from watchdeck.cli.options import iso
from watchdeck.cli.output import table_lines, to_json
from watchdeck.cli.rules.replay_output import times_text
from watchdeck.domain.values.text import clean
from watchdeck.engine.backtest.rule_stats import LimitTrial, RuleQuality, best_limit


class RuleStatsReport(Struct, frozen=True):
    """The quality of rules from `start` until `end` (ms UTC), and the trials of other limits."""

    qualities: tuple[RuleQuality, ...]
    trials: Mapping[str, tuple[LimitTrial, ...]]
    start: int
    end: int


def stats_text(stats: RuleStatsReport) -> str:
    """A line for each rule that fired, the noisiest first; below, the trials of other limits."""
    if not stats.qualities:
        return f"no rule fired since {iso(stats.start)}"
    head = ("RULE", "FIRED", "MODELS", "PAGES", "AT NIGHT", "USEFUL", "NOISE", "LATE", "PRECISION")
    lines = [f"since {iso(stats.start)}; at night is from 22 to 7 here", ""]
    lines += table_lines([head, *map(_quality_row, stats.qualities)])
    for quality in stats.qualities:
        lines += _limit_lines(quality, stats.trials.get(quality.rule, ()))
    unrated = sum(not one.rated for one in stats.qualities)
    if unrated:
        lines += ["", f"Nobody said anything of {unrated} of these: their precision is unknown."]
    return "\n".join(lines)


def _quality_row(one: RuleQuality) -> tuple[str, ...]:
    precision = "unknown" if one.precision is None else f"{one.precision:.0%}"
    numbers = (one.fired, one.models, one.pages, one.at_night, one.useful, one.noise, one.late)
    return (clean(one.rule, 60), *map(str, numbers), precision)


def _limit_lines(quality: RuleQuality, trials: Sequence[LimitTrial]) -> Iterator[str]:
    if not trials:
        return
    yield ""
    yield f"{clean(quality.rule, 60)} with other limits, over the same time:"
    wanted, chosen = quality.useful + quality.late, best_limit(quality, trials)
    for one in trials:
        mark = "  <- as useful, with less noise" if one is chosen else ""
        useful = f"keeps {one.kept} of {wanted} useful" if wanted else "nothing useful to keep"
        yield (
            f"  {one.words}: fires {times_text(one.fired)}, {useful},"
            f" {one.noise} of {quality.noise} noise{mark}"
        )


def stats_json(stats: RuleStatsReport) -> str:
    """The statistics as JSON; precision is null for a rule without feedback."""
    return to_json(
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
                        for t in stats.trials.get(one.rule, ())
                    ],
                }
                for one in stats.qualities
            ],
        }
    )
