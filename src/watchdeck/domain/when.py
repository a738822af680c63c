"""The grammar of `when`: the sentence that tells when a rule is true.

`latency_p95 > 200ms for 5m`, `avg(latency_p95) > 200ms over 10m`, `latency_p95 > 2x slo`,
`saturation > 90% until < 80%`, `burn(availability) fast`, `absent for 2m`, `down`,
`anomaly(request_rate) below`, `request_rate < 50% of last week over 1h`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from watchdeck.domain.filter import ALIASES
from watchdeck.domain.limits import decimal, write_limit
from watchdeck.domain.rule import (
    Absent,
    Aggregate,
    Anomaly,
    Burn,
    Down,
    Limit,
    Pair,
    Test,
    Threshold,
    Waiting,
    WeekBefore,
)
from watchdeck.domain.sentence import Reader, WhenError, near, shown
from watchdeck.domain.signal import SIGNALS, Unit
from watchdeck.domain.units import Milliseconds, Ratio

__all__ = ["AWAITED", "FAST", "LONGEST", "PROMISED", "SLOW", "When", "WhenError"]
__all__ += ["read_when", "written"]

LONGEST = 300
"""Characters of a `when`."""

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_MOST_PAIRS = 4
_MOST_PROMISES = 1_000

FAST = (Pair(_HOUR, 5 * _MINUTE, 14.4), Pair(6 * _HOUR, 30 * _MINUTE, 6.0))
"""True once a fiftieth, or a twentieth, of a month's budget is gone: worth a page."""

SLOW = (Pair(_DAY, 2 * _HOUR, 3.0), Pair(3 * _DAY, 6 * _HOUR, 1.0))
"""True once a tenth of a month's budget is gone: worth a notice."""

_SPEEDS = {"fast": FAST, "slow": SLOW}

PROMISED = {"availability": False, "latency_p95": True, "error_ratio": True}
"""The signals that an SLO promises, and whether more of them is worse."""

_BURNING = ("availability", "error_ratio")

AWAITED: Mapping[str, tuple[str, Unit | None]] = {
    **dict.fromkeys(
        ("accuracy", "precision", "recall", "f1", "roc_auc", "false_positive_rate"),
        ("quality", Unit.RATIO),
    ),
    "drift_share": ("drift", Unit.RATIO),
    "missing_ratio": ("drift", Unit.RATIO),
    "volume_ratio": ("drift", None),
    "freshness": ("drift", Unit.SECONDS),
    "spend_rate": ("spend", None),
    "cost_per_1k": ("spend", None),
}
"""Signals that nothing gives yet: the kind of rule that waits for them, and their unit.

What has no unit here is money, or so many times the usual.
"""


@dataclass(frozen=True, slots=True)
class When:
    """What must be true, and for how long (ms) it must have been seen to be."""

    test: Test
    hold: int = 0


def read_when(text: str) -> When:
    """Read the sentence of a rule. Raises WhenError, and nothing else."""
    if len(text) > LONGEST:
        raise WhenError(LONGEST, f"is longer than {LONGEST} characters")
    if not text.strip():
        raise WhenError(0, "is empty", "Such as latency_p95 > 200ms for 5m.")
    reader = Reader(text)
    when = _FORMS.get(reader.here.text, _comparison)(reader)
    reader.end("for", "over", "until", "of", "above", "below", "beyond", "or", "fast", "slow")
    return when


def written(test: Test, hold: int = 0) -> str:
    """The sentence that reads as this test, held for so long (ms)."""
    return f"{_WRITERS[type(test)](test)}{_clause('for', hold)}"


def _hold(reader: Reader) -> int:
    found: int = reader.clauses({"for": reader.hold}).get("for", 0)
    return found


def _down(reader: Reader) -> When:
    reader.step()
    failures = Down().failures
    if reader.take("after"):
        at, number = reader.here, reader.number(1, 100)
        failures = round(number)
        if failures != number:
            raise reader.wrong(f"{shown(at)} is no whole number", at=at)
    return When(Down(failures), _hold(reader))


def _absent(reader: Reader) -> When:
    reader.step()
    return When(Absent(reader.clauses({"for": reader.duration}).get("for", 0)))


def _burn(reader: Reader) -> When:
    reader.step()
    reader.need("(")
    if reader.here.text not in _BURNING:
        hint = near(reader.here, _BURNING, f"Write burn({') or burn('.join(_BURNING)}).")
        raise reader.wrong(f"{shown(reader.here)} has no budget to burn", hint)
    signal = reader.step().text
    reader.need(")")
    speed = reader.take(*_SPEEDS)
    pairs = _SPEEDS[speed] if speed else _pairs(reader)
    return When(Burn(signal, pairs), _hold(reader))


def _pairs(reader: Reader) -> tuple[Pair, ...]:
    if reader.here.text != ">":
        said = f"how fast it burns is missing before {shown(reader.here)}"
        raise reader.wrong(said, "Write fast, slow, or > 14.4 over 1h and 5m.")
    pairs = [_pair(reader)]
    while reader.take("or"):
        pairs.append(_pair(reader))
    if len(pairs) > _MOST_PAIRS:
        raise reader.wrong(f"has {len(pairs)} pairs of windows; at most {_MOST_PAIRS} are taken")
    return tuple(pairs)


def _pair(reader: Reader) -> Pair:
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
    return Pair(long, short, factor)


def _anomaly(reader: Reader) -> When:
    reader.step()
    reader.need("(")
    at, signal = reader.here, _signal(reader)
    if _unit(signal) is Unit.STATE:
        raise reader.wrong(f"{signal} is yes or no, and neither is unusual", "Write down.", at)
    reader.need(")")
    side = reader.take("above", "below")
    test = Anomaly(signal, side == "above" if side else None)
    if reader.take("beyond"):
        high = reader.number(1, 100)
        reader.need("and")
        test = replace(test, high=high, low=reader.number(1, high))
    return _when(reader, test, _hold(reader))


def _comparison(reader: Reader) -> When:
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


def _subject(reader: Reader) -> tuple[Aggregate | None, str]:
    """A signal, alone or as `avg(signal)`."""
    if reader.after.text != "(" or reader.here.text in SIGNALS:
        return None, _signal(reader)
    word = reader.step()
    if word.text not in tuple(Aggregate):
        names = (*Aggregate, *_FORMS)
        hint = near(word, names, f"There are {', '.join(Aggregate)}, burn and anomaly.")
        raise reader.wrong(f"{shown(word)} is not asked of a signal", hint, word)
    reader.need("(")
    signal = _signal(reader)
    reader.need(")")
    return Aggregate(word.text), signal


def _limit(reader: Reader, signal: str, *, above: bool) -> Limit:
    at, promises = reader.here, 1.0
    if at.unit == "x" and reader.after.text == "slo":
        promises = reader.number(0.01, _MOST_PROMISES, "x")
    if not reader.take("slo"):
        return Limit(reader.value(signal, _unit(signal)))
    if signal not in PROMISED:
        names = ", ".join(PROMISED)
        raise reader.wrong(f"an SLO promises nothing of {signal}", f"It may promise {names}.", at)
    if PROMISED[signal] is not above:
        right = f"{signal} {'<' if above else '>'} slo"
        raise reader.wrong("this is true while the promise is kept", f"Write {right}.", at)
    return Limit(promises=promises)


def _clear(reader: Reader, signal: str, limit: Limit, *, above: bool) -> Limit:
    """Until when it stays true: a limit on the good side of the first."""
    reader.need("<" if above else ">")
    at, clear = reader.here, _limit(reader, signal, above=above)
    if (clear.promises is None) is not (limit.promises is None):
        raise reader.wrong("one of the two limits hangs on the SLO, the other does not", at=at)
    beyond = clear.value > limit.value if above else clear.value < limit.value
    if beyond or (clear.promises or 0) > (limit.promises or 0):
        raise reader.wrong("it would be over while it is still true", "Turn the limits round.", at)
    return clear


def _week_before(reader: Reader, aggregate: Aggregate | None, signal: str, *, above: bool) -> When:
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


def _when(reader: Reader, test: Threshold | Anomaly | WeekBefore, hold: int) -> When:
    """The test, or that it waits for a signal which nothing gives yet."""
    if test.signal in SIGNALS:
        return When(test, hold)
    kind, _ = AWAITED[test.signal]
    return When(Waiting(kind, (test.signal,), reader.spoken()), hold)


def _signal(reader: Reader) -> str:
    token = reader.step()
    signal = ALIASES.get(token.text, token.text)
    if signal not in SIGNALS and signal not in AWAITED:
        names = (*SIGNALS, *AWAITED, *ALIASES, *_FORMS)
        hint = near(token, names, "Such as latency_p95, error_ratio, saturation, request_rate.")
        raise reader.wrong(f"{shown(token)} is no signal", hint, token)
    return signal


def _unit(signal: str) -> Unit | None:
    return SIGNALS[signal].unit if signal in SIGNALS else AWAITED[signal][1]


_FORMS: dict[str, Callable[[Reader], When]] = {
    "down": _down,
    "absent": _absent,
    "burn": _burn,
    "anomaly": _anomaly,
}
"""The sentences that do not begin with a signal."""


def _clause(word: str, time: int) -> str:
    return f" {word} {Milliseconds(time)}" if time else ""


def _write_threshold(test: Threshold) -> str:
    usual = test.aggregate in (Aggregate.LAST, Aggregate.MEAN)
    subject = test.signal if usual else f"{test.aggregate}({test.signal})"
    over, under = (">", "<") if test.above else ("<", ">")
    clear = "" if test.clear is None else f" until {under} {_write_limit(test, test.clear)}"
    limit = _write_limit(test, test.limit)
    return f"{subject} {over} {limit}{_clause('over', test.window)}{clear}"


def _write_limit(test: Threshold, limit: Limit) -> str:
    if limit.promises is None:
        return write_limit(SIGNALS[test.signal].unit, limit.value)
    return "slo" if limit.promises == 1 else f"{decimal(limit.promises)}x slo"


def _write_burn(test: Burn) -> str:
    speed = next((word for word, pairs in _SPEEDS.items() if pairs == test.pairs), None)
    return f"burn({test.signal}) {speed or ' or '.join(map(_write_pair, test.pairs))}"


def _write_pair(pair: Pair) -> str:
    long, short = Milliseconds(pair.long), Milliseconds(pair.short)
    return f"> {decimal(pair.factor)} over {long} and {short}"


def _write_anomaly(test: Anomaly) -> str:
    side = {None: "", True: " above", False: " below"}[test.above]
    usual = Anomaly(test.signal, test.above)
    beyond = f" beyond {decimal(test.high)} and {decimal(test.low)}" if test != usual else ""
    return f"anomaly({test.signal}){side}{beyond}"


def _write_week_before(test: WeekBefore) -> str:
    sign = ">" if test.above else "<"
    return f"{test.signal} {sign} {Ratio(test.ratio)} of last week{_clause('over', test.window)}"


_WRITERS: dict[type[Any], Callable[[Any], str]] = {
    Threshold: _write_threshold,
    Burn: _write_burn,
    Absent: lambda test: f"absent{_clause('for', test.after)}",
    Down: lambda test: "down" if test == Down() else f"down after {test.failures}",
    Anomaly: _write_anomaly,
    WeekBefore: _write_week_before,
    Waiting: lambda test: test.text,
}
