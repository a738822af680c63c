"""The grammar of `when`, the condition of a rule: reads the text into a test, and prints it back.

`FORMS` and `WORDS` are the grammar in words, as `watchdeck help rules` prints it.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.metrics.signal import ALIASES, AWAITED, SIGNALS
from watchdeck.domain.rules.rule import (
    FAST,
    SEASON_DAYS,
    SLOW,
    Absent,
    Aggregate,
    Anomaly,
    Burn,
    BurnRateWindows,
    FailedScrapes,
    Limit,
    Test,
    Threshold,
    Unsupported,
    WeekBefore,
)
from watchdeck.domain.rules.tokens import (
    ConditionError,
    TokenReader,
    decimal,
    did_you_mean,
    token_words,
    write_limit,
)
from watchdeck.domain.values.units import Milliseconds, Ratio, Unit

__all__ = ["FORMS", "LONGEST", "WORDS", "Condition", "ConditionError", "read_condition"]

LONGEST = 300
"""The most characters of a `when`."""

_HOUR = 3_600_000
_MOST_PAIRS = 4
_MOST_PROMISES = 1_000

SPEEDS = {"fast": FAST, "slow": SLOW}
"""The words for pairs of windows that an error budget is usually judged by."""

PROMISED = {"availability": False, "latency_p95": True, "error_ratio": True}
"""The signals that an SLO may promise, and whether a higher value is worse."""

_BURNING = ("availability", "error_ratio")

WORDS = {
    "for": "How long the condition must be true before the alert fires.",
    "over": "Length of the window whose samples are aggregated.",
    "until": "The limit, on the good side of the first, past which the condition ends.",
    "slo": "The limit that the SLO of the model promises; a model without that SLO is left out.",
    "of": "In `50% of last week`: the mean of the same window one week before, as a share.",
    "last": "In `2x last week`: the mean of the same window one week before, as a multiple.",
    "week": "Ends `last week`.",
    "above": "Only values above the usual ones count.",
    "below": "Only values below the usual ones count.",
    "seasonal": (
        f"Compares with the same hour of other days, once {SEASON_DAYS} days of history show that"
        " they are alike; before, and where they are not, with the whole week."
    ),
    "beyond": "How far out, in deviations: one point, and the mean of an hour.",
    "and": "Joins two numbers or two windows.",
    "or": "Joins pairs of windows; one pair is enough.",
    "fast": "Pairs of windows that are worth a page.",
    "slow": "Pairs of windows that are worth a notice.",
    "after": "How many failed scrapes in a row.",
}
"""The words of the grammar that are not signals or functions, with their meanings."""


class Condition(Struct, frozen=True):
    """A test, and how long (ms) it must be true before the alert fires."""

    test: Test
    hold: int = 0


def read_condition(text: str) -> Condition:
    """Parse the `when` of a rule. Raises ConditionError, and nothing else."""
    if len(text) > LONGEST:
        raise ConditionError(LONGEST, f"is longer than {LONGEST} characters")
    if not text.strip():
        raise ConditionError(0, "is empty", "Such as latency_p95 > 200ms for 5m.")
    reader = TokenReader(text)
    condition = _READERS.get(reader.current.text, _read_comparison)(reader)
    reader.expect_end(*WORDS)
    return condition


def _read_hold(reader: TokenReader) -> int:
    found: int = reader.read_clauses({"for": reader.read_hold}).get("for", 0)
    return found


def _read_down(reader: TokenReader) -> Condition:
    reader.advance()
    failures = FailedScrapes().failures
    if reader.accept("after"):
        at, number = reader.current, reader.read_number(1, 100)
        failures = round(number)
        if failures != number:
            raise reader.error_at(f"{token_words(at)} is no whole number", at=at)
    return Condition(FailedScrapes(failures), _read_hold(reader))


def _read_absent(reader: TokenReader) -> Condition:
    reader.advance()
    return Condition(Absent(reader.read_clauses({"for": reader.read_duration}).get("for", 0)))


def _read_burn(reader: TokenReader) -> Condition:
    reader.advance()
    reader.expect("(")
    if reader.current.text not in _BURNING:
        hint = did_you_mean(reader.current, _BURNING, f"Write burn({') or burn('.join(_BURNING)}).")
        raise reader.error_at(f"{token_words(reader.current)} has no budget to burn", hint)
    signal = reader.advance().text
    reader.expect(")")
    speed = reader.accept(*SPEEDS)
    pairs = SPEEDS[speed] if speed else _read_pairs(reader)
    return Condition(Burn(signal, pairs), _read_hold(reader))


def _read_pairs(reader: TokenReader) -> tuple[BurnRateWindows, ...]:
    if reader.current.text != ">":
        text = f"how fast it burns is missing before {token_words(reader.current)}"
        raise reader.error_at(text, "Write fast, slow, or > 14.4 over 1h and 5m.")
    pairs = [_read_pair(reader)]
    while reader.accept("or"):
        pairs.append(_read_pair(reader))
    if len(pairs) > _MOST_PAIRS:
        raise reader.error_at(f"has {len(pairs)} pairs of windows; at most {_MOST_PAIRS} are taken")
    return tuple(pairs)


def _read_pair(reader: TokenReader) -> BurnRateWindows:
    reader.expect(">")
    factor = reader.read_number(0.01, 100_000)
    reader.expect("over")
    long = reader.read_duration()
    reader.expect("and")
    at, short = reader.current, reader.read_duration()
    if short >= long:
        raise reader.error_at(
            "the second window is not shorter than the first", "Such as 1h and 5m.", at
        )
    return BurnRateWindows(long, short, factor)


def _read_anomaly(reader: TokenReader) -> Condition:
    reader.advance()
    reader.expect("(")
    at, signal = reader.current, _read_signal(reader)
    if _unit_of(signal) is Unit.STATE:
        raise reader.error_at(f"{signal} is yes or no, and neither is unusual", "Write down.", at)
    reader.expect(")")
    side = reader.accept("above", "below")
    seasonal = bool(reader.accept("seasonal"))
    test = Anomaly(signal, side == "above" if side else None, seasonal=seasonal)
    if reader.accept("beyond"):
        high = reader.read_number(1, 100)
        reader.expect("and")
        test = replace(test, high=high, low=reader.read_number(1, high))
    return _make_condition(reader, test, _read_hold(reader))


def _read_comparison(reader: TokenReader) -> Condition:
    """A signal compared with a limit, with its SLO, or with itself a week before."""
    aggregate, signal = _read_subject(reader)
    above = reader.expect(">", "<") == ">"
    if reader.current.unit in ("%", "x") and reader.lookahead.text in ("of", "last"):
        return _read_week_before(reader, aggregate, signal, above=above)
    at, limit = reader.current, _read_limit(reader, signal, above=above)
    found = reader.read_clauses(
        {
            "over": reader.read_duration,
            "until": lambda: _read_clear(reader, signal, limit, above=above),
            "for": reader.read_hold,
        }
    )
    window = found.get("over", 0)
    if aggregate not in (None, Aggregate.LAST) and not window:
        raise reader.error_at(
            f"{aggregate} of how long?", f"Write {aggregate}(...) ... over 5m.", at
        )
    if aggregate is Aggregate.LAST and window:
        raise reader.error_at("the last value is not of a window", "Leave out last or over.", at)
    default = Aggregate.MEAN if window else Aggregate.LAST
    test = Threshold(signal, above, limit, found.get("until"), aggregate or default, window)
    return _make_condition(reader, test, found.get("for", 0))


def _read_subject(reader: TokenReader) -> tuple[Aggregate | None, str]:
    """A signal, alone or inside an aggregate: `avg(signal)`."""
    if reader.lookahead.text != "(" or reader.current.text in SIGNALS:
        return None, _read_signal(reader)
    word = reader.advance()
    if word.text not in tuple(Aggregate):
        names = (*Aggregate, *_READERS)
        hint = did_you_mean(word, names, f"There are {', '.join(Aggregate)}, burn and anomaly.")
        raise reader.error_at(f"{token_words(word)} is not a function of a signal", hint, word)
    reader.expect("(")
    signal = _read_signal(reader)
    reader.expect(")")
    return Aggregate(word.text), signal


def _read_limit(reader: TokenReader, signal: str, *, above: bool) -> Limit:
    at, promises = reader.current, 1.0
    if at.unit == "x" and reader.lookahead.text == "slo":
        promises = reader.read_number(0.01, _MOST_PROMISES, "x")
    if not reader.accept("slo"):
        return Limit(reader.read_value(signal, _unit_of(signal)))
    if signal not in PROMISED:
        names = ", ".join(PROMISED)
        raise reader.error_at(
            f"an SLO promises nothing of {signal}", f"It may promise {names}.", at
        )
    if PROMISED[signal] is not above:
        right = f"{signal} {'<' if above else '>'} slo"
        raise reader.error_at("this is true while the promise is kept", f"Write {right}.", at)
    return Limit(promises=promises)


def _read_clear(reader: TokenReader, signal: str, limit: Limit, *, above: bool) -> Limit:
    """The limit of `until`, which must lie on the good side of the first limit."""
    reader.expect("<" if above else ">")
    at, clear = reader.current, _read_limit(reader, signal, above=above)
    if (clear.promises is None) is not (limit.promises is None):
        raise reader.error_at("one of the two limits depends on the SLO, the other does not", at=at)
    beyond = clear.value > limit.value if above else clear.value < limit.value
    if beyond or (clear.promises or 0) > (limit.promises or 0):
        raise reader.error_at(
            "it would be over while it is still true", "Exchange the two limits.", at
        )
    return clear


def _read_week_before(
    reader: TokenReader, aggregate: Aggregate | None, signal: str, *, above: bool
) -> Condition:
    at = reader.current
    ratio = reader.read_number(0.01, 1_000_000, at.unit)
    if at.unit == "%":
        ratio = float(f"{at.number}e-2")  # a division would not print back what was read
    if aggregate not in (None, Aggregate.MEAN):
        raise reader.error_at("weeks are compared by their mean", f"Leave {aggregate} out.", at)
    if (ratio > 1) is not above:
        right = "> 150% of last week" if above else "< 50% of last week"
        raise reader.error_at("this is true of a week like the last", f"Write {right}.", at)
    reader.accept("of")
    reader.expect("last")
    reader.expect("week")
    found = reader.read_clauses({"over": reader.read_duration, "for": reader.read_hold})
    window = found.get("over", _HOUR)
    return _make_condition(reader, WeekBefore(signal, above, ratio, window), found.get("for", 0))


def _make_condition(
    reader: TokenReader, test: Threshold | Anomaly | WeekBefore, hold: int
) -> Condition:
    """The condition; Unsupported when watchdeck does not measure its signal yet."""
    if test.signal in SIGNALS:
        return Condition(test, hold)
    kind, _ = AWAITED[test.signal]
    return Condition(Unsupported(kind, (test.signal,), reader.text_without_hold()), hold)


def _read_signal(reader: TokenReader) -> str:
    token = reader.advance()
    signal = ALIASES.get(token.text, token.text)
    if signal not in SIGNALS and signal not in AWAITED:
        names = (*SIGNALS, *AWAITED, *ALIASES, *_READERS)
        hint = did_you_mean(
            token, names, "Such as latency_p95, error_ratio, saturation, request_rate."
        )
        raise reader.error_at(f"{token_words(token)} is no signal", hint, token)
    return signal


def _unit_of(signal: str) -> Unit | None:
    return SIGNALS[signal].unit if signal in SIGNALS else AWAITED[signal][1]


class ConditionForm(Struct, frozen=True):
    """One form of a condition: its parser, and its explanation.

    `word` is its first word; empty when the first word is a signal or an aggregate of one.
    """

    word: str
    syntax: str
    means: str
    examples: tuple[str, ...]
    read: Callable[[TokenReader], Condition]


FORMS = (
    ConditionForm(
        "",
        "SIGNAL > LIMIT [over DURATION] [until < LIMIT] [for DURATION]",
        "True while the newest sample, or an aggregate of a window, is above (>) or below (<) the"
        " limit. SIGNAL may be AGGREGATE(SIGNAL).",
        (
            "latency_p95 > 200ms for 5m",
            "avg(latency_p95) > 200ms over 10m",
            "latency_p95 > 2x slo for 2m",
            "saturation > 90% until < 80%",
            "max(queue_depth) > 20 over 5m for 1m",
        ),
        _read_comparison,
    ),
    ConditionForm(
        "",
        "SIGNAL < SHARE of last week [over DURATION] [for DURATION]",
        "True while the mean of a window, an hour by default, is below a share of its mean one week"
        " before, or above a multiple: `> 2x last week`.",
        ("request_rate < 50% of last week over 1h", "latency_p95 > 2x last week for 15m"),
        _read_comparison,
    ),
    ConditionForm(
        "down",
        "down [after NUMBER] [for DURATION]",
        "True when two scrapes in a row, or NUMBER, have failed, or when the model itself reports"
        " that it is not ready.",
        ("down", "down after 3", "down for 20s"),
        _read_down,
    ),
    ConditionForm(
        "absent",
        "absent [for DURATION]",
        "True when no sample, failed scrapes included, has arrived for DURATION; for three scrape"
        " intervals when there is none.",
        ("absent", "absent for 2m"),
        _read_absent,
    ),
    ConditionForm(
        "burn",
        "burn(SIGNAL) fast|slow|> FACTOR over LONG and SHORT [or ...] [for DURATION]",
        "True while the error budget of the SLO burns more than FACTOR times too fast, over the"
        " long and the short window alike. Needs an SLO of the signal, and three failures in the"
        " long window: one or two show no trend.",
        (
            "burn(availability) fast",
            "burn(error_ratio) slow",
            "burn(availability) > 14.4 over 1h and 5m or > 6 over 6h and 30m",
        ),
        _read_burn,
    ),
    ConditionForm(
        "anomaly",
        "anomaly(SIGNAL) [above|below] [seasonal] [beyond HIGH and LOW] [for DURATION]",
        "True while the signal is far from its usual value of the week; the same anomaly fires"
        " once in three days.",
        (
            "anomaly(latency_p95) above seasonal",
            "anomaly(request_rate)",
            "anomaly(request_rate) below beyond 8 and 2.5 for 10m",
        ),
        _read_anomaly,
    ),
)
"""Every form of a condition."""

_READERS = {form.word: form.read for form in FORMS if form.word}
"""The parsers of conditions that do not begin with a signal, by their first word."""


def format_condition(test: Test, hold: int = 0) -> str:
    """The text that `read_condition` parses into this test and hold (ms)."""
    return f"{_FORMATTERS[type(test)](test)}{_format_clause('for', hold)}"


def _format_clause(word: str, duration: int) -> str:
    return f" {word} {Milliseconds(duration)}" if duration else ""


def _format_threshold(test: Threshold) -> str:
    is_default = test.aggregate in (Aggregate.LAST, Aggregate.MEAN)
    subject = test.signal if is_default else f"{test.aggregate}({test.signal})"
    over, under = (">", "<") if test.above else ("<", ">")
    clear = "" if test.clear is None else f" until {under} {_format_limit(test, test.clear)}"
    limit = _format_limit(test, test.limit)
    return f"{subject} {over} {limit}{_format_clause('over', test.window)}{clear}"


def _format_limit(test: Threshold, limit: Limit) -> str:
    if limit.promises is None:
        return write_limit(SIGNALS[test.signal].unit, limit.value)
    return "slo" if limit.promises == 1 else f"{decimal(limit.promises)}x slo"


def _format_burn(test: Burn) -> str:
    speed = {FAST: "fast", SLOW: "slow"}.get(test.pairs)
    return f"burn({test.signal}) {speed or format_pairs(test.pairs)}"


def format_pairs(pairs: tuple[BurnRateWindows, ...]) -> str:
    """The text of pairs of windows, as in a condition: `> 14.4 over 1h and 5m or ...`."""
    return " or ".join(map(_format_pair, pairs))


def _format_pair(pair: BurnRateWindows) -> str:
    long, short = Milliseconds(pair.long), Milliseconds(pair.short)
    return f"> {decimal(pair.factor)} over {long} and {short}"


def _format_anomaly(test: Anomaly) -> str:
    side = {None: "", True: " above", False: " below"}[test.above]
    season = " seasonal" if test.seasonal else ""
    default = Anomaly(test.signal, test.above, seasonal=test.seasonal)
    beyond = f" beyond {decimal(test.high)} and {decimal(test.low)}" if test != default else ""
    return f"anomaly({test.signal}){side}{season}{beyond}"


def _format_week_before(test: WeekBefore) -> str:
    sign, over = ">" if test.above else "<", _format_clause("over", test.window)
    return f"{test.signal} {sign} {Ratio(test.ratio)} of last week{over}"


_FORMATTERS: dict[type[Any], Callable[[Any], str]] = {
    Threshold: _format_threshold,
    Burn: _format_burn,
    Absent: lambda test: f"absent{_format_clause('for', test.after)}",
    FailedScrapes: lambda test: (
        "down" if test == FailedScrapes() else f"down after {test.failures}"
    ),
    Anomaly: _format_anomaly,
    WeekBefore: _format_week_before,
    Unsupported: lambda test: test.text,
}
