"""Selectors of series in the syntax of Prometheus, and an index that finds what they select."""

import re
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache

from msgspec import Struct

from watchdeck.domain.metrics.series import Layout, Series, SeriesType
from watchdeck.domain.values.pattern import compile_pattern, is_slow

_LONGEST = 1_000
"""The most characters of a selector; longer ones are a mistake, and slow to match."""

_LONGEST_VALUE = 1_024
"""The most characters of a label value on a page."""

_NAME = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:]*)\s*", re.ASCII)
_MATCHER = re.compile(
    r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*', re.ASCII
)
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


class SelectorError(ValueError):
    """A selector that cannot be parsed; the text says where."""


class LabelMatcher(Struct, frozen=True):
    """One condition on a label; a missing label counts as the empty text, as in Prometheus."""

    label: str
    value: str
    pattern: re.Pattern[str] | None = None
    negated: bool = False

    def holds(self, series: Series) -> bool:
        """Whether the series meets the condition; a pattern must match the whole value."""
        text = series.label(self.label) or ""
        same = self.pattern.fullmatch(text) is not None if self.pattern else text == self.value
        return same is not self.negated


class Selector(Struct, frozen=True):
    """The name of a series, and conditions on its labels."""

    name: str
    matchers: tuple[LabelMatcher, ...] = ()

    def holds(self, series: Series) -> bool:
        """Whether the labels of a series match; its name is not checked."""
        return all(matcher.holds(series) for matcher in self.matchers)


@lru_cache(maxsize=1_024)
def read_selector(text: str) -> Selector:
    """Read `name{label="x",other!="y",third=~"re",fourth!~"re"}`. Raises SelectorError."""
    name = _NAME.match(text) if len(text) <= _LONGEST else None
    if name is None:
        raise SelectorError(f'{text[:80]!r} is not a series; write a name, or name{{label="x"}}')
    rest = text[name.end() :]
    if not rest:
        return Selector(name[1])
    if not (rest.startswith("{") and rest.rstrip().endswith("}")):
        raise SelectorError(f'{text!r}: after the name comes {{label="value"}}')
    return Selector(name[1], tuple(_read_matchers(rest.rstrip()[1:-1], text)))


def _read_matchers(inside: str, text: str) -> list[LabelMatcher]:
    found: list[LabelMatcher] = []
    at = 0
    while inside[at:].strip():
        match = _MATCHER.match(inside, at)
        if match is None:
            raise SelectorError(f'{text!r}: {inside[at:].strip()!r} is not label="value"')
        found.append(_read_matcher(match[1], match[2], _unquote(match[3])))
        at = match.end()
        if at < len(inside) and inside[at] != ",":
            raise SelectorError(f"{text!r}: conditions are parted by commas")
        at += 1
    return found


def _unquote(value: str) -> str:
    return re.sub(r"\\.", lambda found: _ESCAPES.get(found[0], found[0]), value)


def _read_matcher(label: str, sign: str, value: str) -> LabelMatcher:
    if not sign.endswith("~"):
        return LabelMatcher(label, value, negated=sign == "!=")
    try:
        pattern = compile_pattern(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise SelectorError(f"{value!r} is not a regular expression: {error}") from error
    if is_slow(value, _LONGEST_VALUE):
        advice = "write at most two repeats such as .*, and none inside a repeated group"
        raise SelectorError(f"{value!r} can take too long to match; {advice}")
    return LabelMatcher(label, value, pattern, negated=sign == "!~")


class SeriesIndex(Struct, frozen=True, dict=True):
    """Finds the series of one endpoint on a page by selectors; positions are those in the layout.

    With `model`, series that have the label `model_label` must have this value. Series with a label
    of `probe_labels` that matches one of `excluded_paths` are health probes and are left out.
    """

    layout: Layout
    model: str | None = None
    model_label: str | None = None
    excluded_paths: tuple[str, ...] = ()
    probe_labels: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, list[int]]:
        """The positions of the series of each name, in the page's order."""
        found: dict[str, list[int]] = {}
        for place, series in enumerate(self.layout.series):
            found.setdefault(series.name, []).append(place)
        return found

    @cached_property
    def has_several_models(self) -> bool:
        """Whether the page shows several models while the endpoint watches one."""
        if self.model is None or self.model_label is None:
            return False
        label = self.model_label
        return len({value for s in self.layout.series if (value := s.label(label))}) > 1

    def find(self, selector: str, suffix: str = "") -> tuple[int, ...]:
        """The positions of the series that a selector selects; `suffix` is added to its name."""
        query = read_selector(selector)
        series = self.layout.series
        return tuple(
            place
            for place in self.by_name.get(query.name + suffix, ())
            if query.holds(series[place]) and self._is_counted(series[place])
        )

    def find_counters(self, selectors: tuple[str, ...]) -> tuple[int, ...]:
        """The positions of the selected counters; selectors may leave out `_total` or `_count`."""
        return tuple(place for text in selectors for place in self._find_counter(text))

    def has_names(self, selectors: tuple[str, ...]) -> bool:
        """Whether the page has a series with the name in a selector, whatever its labels."""
        names = [read_selector(text).name for text in selectors]
        return any(name + end in self.by_name for name in names for end in ("", "_total", "_count"))

    def type_of(self, name: str) -> SeriesType | None:
        """The type that the page declares for a series or family of this name; None without one."""
        for end in ("", "_bucket", "_count", "_total"):
            places = self.by_name.get(name + end)
            if places:
                return self.layout.series[places[0]].type
        return None

    def is_excluded(self, path: str) -> bool:
        """Whether a path is that of a health probe; `excluded_paths` may contain `*`."""
        return any(fnmatchcase(path, pattern) for pattern in self.excluded_paths)

    def _find_counter(self, selector: str) -> tuple[int, ...]:
        found = (self.find(selector, end) for end in ("", "_total", "_count"))
        return next((places for places in found if places), ())

    def _is_counted(self, series: Series) -> bool:
        if self.model is not None and self.model_label is not None:
            model = series.label(self.model_label)
            if model is not None and model != self.model:
                return False
        for label in self.probe_labels:
            value = series.label(label)
            if value and self.is_excluded(value):
                return False
        return True
