"""Which kind of server this is, by its page and its answers; a wrong kind is never claimed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from watchdeck.domain.kinds.kind import DetectionRule, Kind, ProbeMeaning, ProbeResponse
from watchdeck.domain.metrics.series import Series
from watchdeck.domain.values.json_assertion import (
    ExpectError,
    read_document,
    read_expectation,
    read_path,
)
from watchdeck.domain.values.text import clean

GENERIC = "prometheus"
"""The kind of a metrics page that no other kind knows."""

_MOST_MODELS = 200


def detect(
    kinds: Sequence[Kind], names: Collection[Series] | None, answers: Mapping[str, ProbeResponse]
) -> Kind | None:
    """The first kind whose evidence holds; None when nothing is known well enough.

    `names` are the series of the metrics page, None when there is no page. `answers` are by path.
    A page that no kind knows is the generic one; an empty page proves nothing.
    """
    page = _Names(names or ())
    for kind in kinds:
        if any(_holds(evidence, page, answers) for evidence in kind.recognise):
            return kind
    generic = (kind for kind in kinds if kind.name == GENERIC)
    return next(generic, None) if names else None


def questions(kinds: Sequence[Kind]) -> tuple[str, ...]:
    """The paths worth a GET while the kind is unknown; none of them wakes or costs a model."""
    paths = (evidence.path for kind in kinds for way in kind.recognise for evidence in way.answers)
    return tuple(dict.fromkeys(paths))


def models(
    kind: Kind, names: Collection[Series] | None, answers: Mapping[str, ProbeResponse]
) -> tuple[str, ...]:
    """The models that a server speaks of, clean and in order, for a person to choose from."""
    found = {value for series in names or () if (value := series.label(kind.model_label or ""))}
    answer = answers.get(kind.models_path or "")
    if answer is not None and answer.status == 200 and kind.models:
        found.update(_listed(kind.models, answer.body))
    return tuple(sorted(clean(name, 200) for name in found)[:_MOST_MODELS])


def answer_matches(meaning: ProbeMeaning, answer: ProbeResponse, model: str | None = None) -> bool:
    """Whether an answer is as a meaning describes it; no answer is never as described."""
    if answer.status is None or (meaning.status and answer.status not in meaning.status):
        return False
    if meaning.header is not None and meaning.header not in answer.headers:
        return False
    if meaning.json is not None and not _fits(meaning.json, answer.body, model):
        return False
    if meaning.text is None and meaning.matches is None:
        return True
    text = answer.body.decode("utf-8", "replace").strip()
    if meaning.text is not None and text != meaning.text:
        return False
    return meaning.matches is None or re.fullmatch(meaning.matches, text) is not None


def _fits(expectation: str, body: bytes, model: str | None) -> bool:
    filled = expectation.replace("{model}", _quotable(model or ""))
    try:
        return read_expectation(filled).holds(read_document(body))
    except ExpectError:
        return False


def _quotable(model: str) -> str:
    return model.replace("\\", "\\\\").replace('"', '\\"')


def _listed(path: str, body: bytes) -> list[str]:
    try:
        values = read_path(path).values(read_document(body))
    except ExpectError:
        return []
    return [value for value in values if isinstance(value, str)]


class _Names:
    """The names of a page, ready to be asked for."""

    def __init__(self, series: Collection[Series]) -> None:
        self._series = series
        self._names = {one.name for one in series}

    def has(self, name: str) -> bool:
        if name.endswith("*"):
            return any(one.startswith(name[:-1]) for one in self._names)
        return name in self._names

    def labelled(self, names: Collection[str], label: str) -> bool:
        return any(one.name in names and one.label(label) is not None for one in self._series)


def _holds(way: DetectionRule, page: _Names, answers: Mapping[str, ProbeResponse]) -> bool:
    if not all(page.has(name) for name in way.all_names):
        return False
    if way.any_names and not any(page.has(name) for name in way.any_names):
        return False
    if way.label and not page.labelled((*way.all_names, *way.any_names), way.label):
        return False
    asked = ((answers.get(evidence.path), evidence.means) for evidence in way.answers)
    return all(answer is not None and answer_matches(means, answer) for answer, means in asked)
