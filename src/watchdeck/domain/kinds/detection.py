"""Detection of the kind of a server by its metrics page and probe responses."""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from watchdeck.domain.kinds.kind import DetectionRule, Kind, ProbeMeaning, ProbeResponse
from watchdeck.domain.metrics.selector import SeriesIndex
from watchdeck.domain.metrics.series import Layout, Series
from watchdeck.domain.values.json_assertion import (
    JsonAssertionError,
    read_assertion,
    read_json,
    read_path,
)
from watchdeck.domain.values.text import clean

GENERIC = "prometheus"
"""The kind of a metrics page that no other kind recognises."""

_MOST_MODELS = 200

_LONGEST_TEXT = 4_096
"""Bytes of a body that are read as text; what servers say about themselves is shorter."""


class ParsedResponse(Struct, frozen=True, dict=True):
    """A response that is parsed once, however many conditions it is compared with."""

    response: ProbeResponse

    @cached_property
    def text(self) -> str:
        """The beginning of the body, stripped."""
        return self.response.body[:_LONGEST_TEXT].decode("utf-8", "replace").strip()

    @cached_property
    def documents(self) -> tuple[object, ...]:
        """The body as JSON, one document; empty when it is not JSON."""
        try:
            return (read_json(self.response.body),)
        except JsonAssertionError:
            return ()


def detect(
    kinds: Sequence[Kind], series: Collection[Series] | None, responses: Mapping[str, ProbeResponse]
) -> Kind | None:
    """The first kind with a detection rule that holds; None without enough evidence.

    `series` are those of the metrics page, None without a page; `responses` are by path. A page
    that no kind recognises is of the generic kind; an empty page proves nothing.
    """
    page = _PageNames(series or ())
    parsed = {path: ParsedResponse(response) for path, response in responses.items()}
    for kind in kinds:
        if any(_rule_holds(kind, rule, page, parsed) for rule in kind.recognise):
            return kind
    generic = (kind for kind in kinds if kind.name == GENERIC)
    return next(generic, None) if series else None


def detection_paths(kinds: Sequence[Kind]) -> tuple[str, ...]:
    """The paths to GET while the kind is unknown; none of them wakes a model or costs anything."""
    paths = (one.path for kind in kinds for rule in kind.recognise for one in rule.answers)
    return tuple(dict.fromkeys(paths))


def model_names(
    kind: Kind, series: Collection[Series] | None, responses: Mapping[str, ProbeResponse]
) -> tuple[str, ...]:
    """The names of the models that a server lists, cleaned and sorted; empty without a list."""
    found = set(SeriesIndex(Layout(tuple(series or ())), None, kind.model_labels).models)
    response = responses.get(kind.models_path or "")
    if response is not None and response.status == 200 and kind.models:
        found.update(_json_texts(kind.models, response.body))
    return tuple(sorted(clean(name, 200) for name in found)[:_MOST_MODELS])


def response_matches(
    meaning: ProbeMeaning, parsed: ParsedResponse, model: str | None = None
) -> bool:
    """Whether a response meets every condition of a meaning; a missing response never does.

    `model` fills `{model}` in a JSON condition.
    """
    response = parsed.response
    if response.status is None or (meaning.status and response.status not in meaning.status):
        return False
    if meaning.header is not None and meaning.header not in response.headers:
        return False
    if meaning.json is not None and not _json_matches(meaning.json, parsed, model):
        return False
    if meaning.text is not None and parsed.text != meaning.text:
        return False
    return meaning.matches is None or re.fullmatch(meaning.matches, parsed.text) is not None


def _json_matches(assertion: str, parsed: ParsedResponse, model: str | None) -> bool:
    filled = assertion.replace("{model}", _escape(model or ""))
    try:
        return any(map(read_assertion(filled).holds, parsed.documents))
    except JsonAssertionError:
        return False


def _escape(model: str) -> str:
    return model.replace("\\", "\\\\").replace('"', '\\"')


def _json_texts(path: str, body: bytes) -> list[str]:
    try:
        values = read_path(path).values(read_json(body))
    except JsonAssertionError:
        return []
    return [value for value in values if isinstance(value, str)]


class _PageNames:
    """The series names and labels of a page."""

    def __init__(self, series: Collection[Series]) -> None:
        self._series = series
        self._names = {one.name for one in series}

    def has_name(self, name: str) -> bool:
        if name.endswith("*"):
            return any(one.startswith(name[:-1]) for one in self._names)
        return name in self._names

    def has_label(self, names: Collection[str], label: str) -> bool:
        return any(one.name in names and one.label(label) is not None for one in self._series)


def _rule_holds(
    kind: Kind, rule: DetectionRule, page: _PageNames, responses: Mapping[str, ParsedResponse]
) -> bool:
    def has_name(name: str) -> bool:
        return any(map(page.has_name, (name, *kind.older_names(name))))

    if not all(map(has_name, rule.all_names)):
        return False
    if rule.any_names and not any(map(has_name, rule.any_names)):
        return False
    if rule.label and not page.has_label((*rule.all_names, *rule.any_names), rule.label):
        return False
    found = ((responses.get(one.path), one.means) for one in rule.answers)
    return all(
        response is not None and response_matches(means, response) for response, means in found
    )
