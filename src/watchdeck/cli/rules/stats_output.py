"""The quality of the rules, as text and as JSON."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from watchdeck.cli.options import Timestamp, iso
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


class LimitDocument(Struct, frozen=True):
    """The effect that another limit would have had."""

    limit: str
    """Condition with the other limit."""
    fired: int
    """How often the rule would have fired."""
    useful: int
    """Alerts rated useful or late that would remain."""
    noise: int
    """Alerts rated noise that would remain."""


class RuleQualityDocument(Struct, frozen=True):
    """How often one rule fired and paged, and the feedback on its alerts."""

    name: str
    """Name of the rule."""
    fired: int
    """Number of alerts."""
    models: int
    """Number of models on which the rule fired."""
    pages: int
    """Alerts that paged somebody."""
    at_night: int
    """Pages from 22:00 to 7:00, by the clock of this machine."""
    useful: int
    """Alerts rated useful."""
    noise: int
    """Alerts rated noise."""
    late: int
    """Alerts rated late: true, and too late to help."""
    precision: float | None
    """Share from 0 to 1 of the rated alerts that were not noise; null without feedback."""
    other_limits: list[LimitDocument]
    """Trials of other limits over the same time; empty for a rule without alerts rated noise."""


class RuleStatsDocument(Struct, frozen=True):
    """The quality of all rules that fired."""

    since: Timestamp
    """Start of the time that is counted."""
    until: Timestamp
    """End of the time that is counted."""
    rules: list[RuleQualityDocument]
    """One entry for each rule that fired, the noisiest first."""


def stats_json(stats: RuleStatsReport) -> str:
    """The statistics as JSON, whose fields scripts rely on."""
    return to_json(
        RuleStatsDocument(
            since=iso(stats.start),
            until=iso(stats.end),
            rules=[_quality_document(one, stats.trials) for one in stats.qualities],
        )
    )


def _quality_document(
    one: RuleQuality, trials: Mapping[str, tuple[LimitTrial, ...]]
) -> RuleQualityDocument:
    return RuleQualityDocument(
        name=one.rule,
        fired=one.fired,
        models=one.models,
        pages=one.pages,
        at_night=one.at_night,
        useful=one.useful,
        noise=one.noise,
        late=one.late,
        precision=one.precision,
        other_limits=[
            LimitDocument(trial.words, trial.fired, trial.kept, trial.noise)
            for trial in trials.get(one.rule, ())
        ],
    )
