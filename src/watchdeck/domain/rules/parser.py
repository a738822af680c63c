"""The grammar of `when`: the sentence that tells when a rule is true.

`latency_p95 > 200ms for 5m`, `avg(latency_p95) > 200ms over 10m`, `latency_p95 > 2x slo`,
`saturation > 90% until < 80%`, `burn(availability) fast`, `absent for 2m`, `down`,
`anomaly(request_rate) below`, `anomaly(request_rate) seasonal`,
`request_rate < 50% of last week over 1h`.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from watchdeck.domain.metrics.signal import ALIASES, AWAITED, SIGNALS
from watchdeck.domain.rules.rule import (
    FAST,
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
from watchdeck.domain.rules.tokens import ConditionError, TokenReader, did_you_mean, token_words
from watchdeck.domain.values.units import Unit

__all__ = ["LONGEST", "Condition", "ConditionError", "read_when"]

LONGEST = 300
"""Characters of a `when`."""

_HOUR = 3_600_000
_MOST_PAIRS = 4
_MOST_PROMISES = 1_000

_SPEEDS = {"fast": FAST, "slow": SLOW}

_PROMISED = {"availability": False, "latency_p95": True, "error_ratio": True}
"""The signals that an SLO promises, and whether more of them is worse."""

_BURNING = ("availability", "error_ratio")


class Condition(Struct, frozen=True):
    """What must be true, and for how long (ms) it must have been seen to be."""

    test: Test
    hold: int = 0


def read_when(text: str) -> Condition:
    """Read the sentence of a rule. Raises WhenError, and nothing else."""
    if len(text) > LONGEST:
        raise ConditionError(LONGEST, f"is longer than {LONGEST} characters")
    if not text.strip():
        raise ConditionError(0, "is empty", "Such as latency_p95 > 200ms for 5m.")
    reader = TokenReader(text)
    when = _FORMS.get(reader.here.text, _comparison)(reader)
    reader.end(
        "for", "over", "until", "of", "above", "below", "seasonal", "beyond", "or", "fast", "slow"
    )
    return when


def _hold(reader: TokenReader) -> int:
    found: int = reader.clauses({"for": reader.hold}).get("for", 0)
    return found


def _down(reader: TokenReader) -> Condition:
    reader.step()
    failures = FailedScrapes().failures
    if reader.take("after"):
        at, number = reader.here, reader.number(1, 100)
        failures = round(number)
        if failures != number:
            raise reader.wrong(f"{token_words(at)} is no whole number", at=at)
    return Condition(FailedScrapes(failures), _hold(reader))


def _absent(reader: TokenReader) -> Condition:
    reader.step()
    return Condition(Absent(reader.clauses({"for": reader.duration}).get("for", 0)))


def _burn(reader: TokenReader) -> Condition:
    reader.step()
    reader.need("(")
    if reader.here.text not in _BURNING:
        hint = did_you_mean(reader.here, _BURNING, f"Write burn({') or burn('.join(_BURNING)}).")
        raise reader.wrong(f"{token_words(reader.here)} has no budget to burn", hint)
    signal = reader.step().text
    reader.need(")")
    speed = reader.take(*_SPEEDS)
    pairs = _SPEEDS[speed] if speed else _pairs(reader)
    return Condition(Burn(signal, pairs), _hold(reader))


def _pairs(reader: TokenReader) -> tuple[BurnRateWindows, ...]:
    if reader.here.text != ">":
        said = f"how fast it burns is missing before {token_words(reader.here)}"
        raise reader.wrong(said, "Write fast, slow, or > 14.4 over 1h and 5m.")
    pairs = [_pair(reader)]
    while reader.take("or"):
        pairs.append(_pair(reader))
    if len(pairs) > _MOST_PAIRS:
        raise reader.wrong(f"has {len(pairs)} pairs of windows; at most {_MOST_PAIRS} are taken")
    return tuple(pairs)


def _pair(reader: TokenReader) -> BurnRateWindows:
    reader.need(">")
    factor = reader.number(0.01, 100_000)
    reader.need("over")
    long = reader.duration()
    reader.need("and")
    at, short = reader.here, reader.duration()
    if short >= long:
        raise reader.wrong(
            "the second window is not shorter than the first", "Such as 1h and 5m.", at
        )
    return BurnRateWindows(long, short, factor)


def _anomaly(reader: TokenReader) -> Condition:
    reader.step()
    reader.need("(")
    at, signal = reader.here, _signal(reader)
    if _unit(signal) is Unit.STATE:
        raise reader.wrong(f"{signal} is yes or no, and neither is unusual", "Write down.", at)
    reader.need(")")
    side = reader.take("above", "below")
    seasonal = bool(reader.take("seasonal"))
    test = Anomaly(signal, side == "above" if side else None, seasonal=seasonal)
    if reader.take("beyond"):
        high = reader.number(1, 100)
        reader.need("and")
        test = replace(test, high=high, low=reader.number(1, high))
    return _when(reader, test, _hold(reader))


def _comparison(reader: TokenReader) -> Condition:
    """A signal over or under something: a limit, a promise, or itself a week ago."""
    aggregate, signal = _subject(reader)
    above = reader.need(">", "<") == ">"
    if reader.here.unit in ("%", "x") and reader.after.text in ("of", "last"):
        return _week_before(reader, aggregate, signal, above=above)
    at, limit = reader.here, _limit(reader, signal, above=above)
    found = reader.clauses(
        {
            "over": reader.duration,
            "until": lambda: _clear(reader, signal, limit, above=above),
            "for": reader.hold,
        }
    )
    window = found.get("over", 0)
    if aggregate not in (None, Aggregate.LAST) and not window:
        raise reader.wrong(f"{aggregate} of how long?", f"Write {aggregate}(...) ... over 5m.", at)
    if aggregate is Aggregate.LAST and window:
        raise reader.wrong("the last value is not of a window", "Leave out last or over.", at)
    usual = Aggregate.MEAN if window else Aggregate.LAST
    test = Threshold(signal, above, limit, found.get("until"), aggregate or usual, window)
    return _when(reader, test, found.get("for", 0))


def _subject(reader: TokenReader) -> tuple[Aggregate | None, str]:
    """A signal, alone or as `avg(signal)`."""
    if reader.after.text != "(" or reader.here.text in SIGNALS:
        return None, _signal(reader)
    word = reader.step()
    if word.text not in tuple(Aggregate):
        names = (*Aggregate, *_FORMS)
        hint = did_you_mean(word, names, f"There are {', '.join(Aggregate)}, burn and anomaly.")
        raise reader.wrong(f"{token_words(word)} is not asked of a signal", hint, word)
    reader.need("(")
    signal = _signal(reader)
    reader.need(")")
    return Aggregate(word.text), signal


def _limit(reader: TokenReader, signal: str, *, above: bool) -> Limit:
    at, promises = reader.here, 1.0
    if at.unit == "x" and reader.after.text == "slo":
        promises = reader.number(0.01, _MOST_PROMISES, "x")
    if not reader.take("slo"):
        return Limit(reader.value(signal, _unit(signal)))
    if signal not in _PROMISED:
        names = ", ".join(_PROMISED)
        raise reader.wrong(f"an SLO promises nothing of {signal}", f"It may promise {names}.", at)
    if _PROMISED[signal] is not above:
        right = f"{signal} {'<' if above else '>'} slo"
        raise reader.wrong("this is true while the promise is kept", f"Write {right}.", at)
    return Limit(promises=promises)


def _clear(reader: TokenReader, signal: str, limit: Limit, *, above: bool) -> Limit:
    """Until when it stays true: a limit on the good side of the first."""
    reader.need("<" if above else ">")
    at, clear = reader.here, _limit(reader, signal, above=above)
    if (clear.promises is None) is not (limit.promises is None):
        raise reader.wrong("one of the two limits hangs on the SLO, the other does not", at=at)
    beyond = clear.value > limit.value if above else clear.value < limit.value
    if beyond or (clear.promises or 0) > (limit.promises or 0):
        raise reader.wrong("it would be over while it is still true", "Turn the limits round.", at)
    return clear


def _week_before(
    reader: TokenReader, aggregate: Aggregate | None, signal: str, *, above: bool
) -> Condition:
    at = reader.here
    ratio = reader.number(0.01, 1_000_000, at.unit)
    if at.unit == "%":
        ratio = float(f"{at.number}e-2")  # a division would not print back what was read
    if aggregate not in (None, Aggregate.MEAN):
        raise reader.wrong("weeks are compared by their mean", f"Leave {aggregate} out.", at)
    if (ratio > 1) is not above:
        right = "> 150% of last week" if above else "< 50% of last week"
        raise reader.wrong("this is true of a week like the last", f"Write {right}.", at)
    reader.take("of")
    reader.need("last")
    reader.need("week")
    found = reader.clauses({"over": reader.duration, "for": reader.hold})
    window = found.get("over", _HOUR)
    return _when(reader, WeekBefore(signal, above, ratio, window), found.get("for", 0))


def _when(reader: TokenReader, test: Threshold | Anomaly | WeekBefore, hold: int) -> Condition:
    """The test, or that it waits for a signal which nothing gives yet."""
    if test.signal in SIGNALS:
        return Condition(test, hold)
    kind, _ = AWAITED[test.signal]
    return Condition(Unsupported(kind, (test.signal,), reader.spoken()), hold)


def _signal(reader: TokenReader) -> str:
    token = reader.step()
    signal = ALIASES.get(token.text, token.text)
    if signal not in SIGNALS and signal not in AWAITED:
        names = (*SIGNALS, *AWAITED, *ALIASES, *_FORMS)
        hint = did_you_mean(
            token, names, "Such as latency_p95, error_ratio, saturation, request_rate."
        )
        raise reader.wrong(f"{token_words(token)} is no signal", hint, token)
    return signal


def _unit(signal: str) -> Unit | None:
    return SIGNALS[signal].unit if signal in SIGNALS else AWAITED[signal][1]


_FORMS: dict[str, Callable[[TokenReader], Condition]] = {
    "down": _down,
    "absent": _absent,
    "burn": _burn,
    "anomaly": _anomaly,
}
"""The sentences that do not begin with a signal."""
