"""Selectors of series in the syntax of Prometheus, and an index that finds what they select."""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache

from msgspec import Struct

from watchdeck.domain.metrics.series import LabelPairs, Layout, Series, SeriesType
from watchdeck.domain.values.pattern import compile_pattern, is_slow
from watchdeck.domain.values.quotes import unescape

_LONGEST = 1_000
"""The most characters of a selector; longer ones are a mistake, and slow to match."""

_LONGEST_VALUE = 1_024
"""The most characters of a label value on a page."""

_NAME = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:]*)\s*", re.ASCII)
_MATCHER = re.compile(
    r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*', re.ASCII
)


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
        found.append(_read_matcher(match[1], match[2], unescape(match[3])))
        at = match.end()
        if at < len(inside) and inside[at] != ",":
            raise SelectorError(f"{text!r}: conditions are parted by commas")
        at += 1
    return found


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


OlderNames = Callable[[str], tuple[str, ...]]
"""Returns the names that a series has in older versions of a server, the newest first."""


def no_older_names(_: str) -> tuple[str, ...]:
    """No older name: the series of this kind of server were never renamed."""
    return ()


class SeriesIndex(Struct, frozen=True, dict=True):
    """Finds the series of one endpoint on a page by selectors; positions are those in the layout.

    With `model`, series that name a model must name this one. Series with a label of `probe_labels`
    that matches one of `excluded_paths` are health probes and are left out.
    """

    layout: Layout
    model: str | None = None
    model_labels: tuple[str, ...] = ()
    excluded_paths: tuple[str, ...] = ()
    probe_labels: tuple[str, ...] = ()
    same_labels: tuple[str, ...] = ()
    """Labels of parts that report the same events: of series that differ in them, one counts."""
    match: tuple[tuple[str, str], ...] = ()
    """Labels that a series must have, where it has the label at all."""
    older_names: OlderNames = no_older_names
    """The names that a series has in older versions of the server."""

    @cached_property
    def by_name(self) -> dict[str, list[int]]:
        """The positions of the series of each name, in the page's order."""
        found: dict[str, list[int]] = {}
        for place, series in enumerate(self.layout.series):
            found.setdefault(series.name, []).append(place)
        return found

    @cached_property
    def models(self) -> frozenset[str]:
        """The names of the models that the page tells of."""
        return frozenset(
            name for series in self.layout.series if (name := self.model_of(series)) is not None
        )

    @property
    def has_other_models(self) -> bool:
        """Whether the page tells of models besides the one that the endpoint watches."""
        return self.model is not None and bool(self.models - {self.model})

    def model_of(self, series: Series) -> str | None:
        """The model that a series names; None when it is of the whole server."""
        return next((name for label in self.model_labels if (name := series.label(label))), None)

    def names_no_model(self, series: Series) -> bool:
        """Whether a series says that its requests were of no model, on a page that names models.

        Gateways write the label with an empty value for requests that they refused before.
        """
        is_empty = any(series.label(label) == "" for label in self.model_labels)
        return is_empty and bool(self.models) and self.model_of(series) is None

    def is_server_wide(self, positions: Iterable[int]) -> bool:
        """Whether the series at these positions also count other models than the watched one."""
        series = self.layout.series
        return self.has_other_models and any(self.model_of(series[p]) is None for p in positions)

    def find(self, selector: str, suffix: str = "") -> tuple[int, ...]:
        """The positions of the series that a selector selects; `suffix` is added to its name.

        Where the page has none of that name, those of an older name count.
        """
        query = read_selector(selector)
        series = self.layout.series
        for name in (query.name, *self.older_names(query.name)):
            places = self.by_name.get(name + suffix)
            if places:
                return self._distinct(
                    place
                    for place in places
                    if query.holds(series[place]) and self._is_counted(series[place])
                )
        return ()

    def find_counters(self, selectors: tuple[str, ...]) -> tuple[int, ...]:
        """The positions of the selected counters; selectors may leave out `_total` or `_count`."""
        return tuple(place for text in selectors for place in self._find_counter(text))

    def has_names(self, selectors: tuple[str, ...]) -> bool:
        """Whether the page has a series with the name in a selector, whatever its labels."""
        names = [read_selector(text).name for text in selectors]
        names += [older for name in names for older in self.older_names(name)]
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
        if self.model is not None and (
            self.model_of(series) not in (None, self.model) or self.names_no_model(series)
        ):
            return False
        if any(series.label(label) not in (None, value) for label, value in self.match):
            return False
        for label in self.probe_labels:
            value = series.label(label)
            if value and self.is_excluded(value):
                return False
        return True

    def _distinct(self, positions: Iterable[int]) -> tuple[int, ...]:
        """One position of each group of series that differ in `same_labels` alone."""
        if not self.same_labels:
            return tuple(positions)
        found: dict[LabelPairs, int] = {}
        for place in positions:
            labels = self.layout.series[place].labels
            key = tuple(pair for pair in labels if pair[0] not in self.same_labels)
            found.setdefault(key, place)
        return tuple(found.values())
