"""What a server's answers say of its model: ready, loading, asleep, or not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.domain.kinds.detection import answer_matches
from watchdeck.domain.kinds.kind import Kind, ProbeMeaning, ProbeResponse, ProbeSpec
from watchdeck.domain.metrics.scrape import ModelState
from watchdeck.domain.signals.plan import PageState, Plan
from watchdeck.domain.values.json_assertion import (
    ExpectError,
    read_document,
    read_expectation,
    read_path,
)
from watchdeck.domain.values.text import clean

_GRAVEST = (
    ModelState.NOT_READY,
    ModelState.LOADING,
    ModelState.SLEEPING,
    ModelState.SCALED_TO_ZERO,
    ModelState.READY,
    ModelState.UNKNOWN,
)
"""When several answers speak of one model, the first of these is believed."""

_ERROR_PATHS = ("$.error", "$.detail", "$.message", "$.error.message")


class ProbeResult(Struct, frozen=True):
    """What the answers of one scrape say: the model's state, the server's own, and why.

    `why` is clean text, empty when there is nothing to explain. `signals` are in their units.
    """

    state: ModelState = ModelState.UNKNOWN
    server: ModelState = ModelState.UNKNOWN
    why: str = ""
    version: str | None = None
    replicas: int | None = None
    signals: dict[str, float] = field(default_factory=dict)


def probes(kind: Kind, model: str | None) -> tuple[tuple[str, ProbeSpec], ...]:
    """The questions to ask, as paths with the model filled in; without a model some are left out.

    A probe with a `port` is asked there; its path is still the key of its answer.
    """
    name = quote(model or "", safe="")
    return tuple(
        (spec.path.replace("{model}", name), spec)
        for spec in kind.probes
        if model is not None or not _names_model(spec)
    )


def read_answers(
    kind: Kind, answers: Mapping[str, ProbeResponse], model: str | None
) -> ProbeResult:
    """What the answers to a kind's probes say; the keys are the paths of `probes()`.

    The model's own answers go before the server's, which is believed only while the model says
    nothing: a server is ready long before, and long after, its model is.
    """
    asked = [(path, spec, answers[path]) for path, spec in probes(kind, model) if path in answers]
    told = {about: _gravest(asked, about, model) for about in ("model", "server")}
    server = told["server"].state
    chosen = told["model"] if told["model"].state is not ModelState.UNKNOWN else told["server"]
    why = chosen.why
    if why and chosen is not told["server"] and server is ModelState.READY:
        why = f"{why}; the server itself is ready"
    found = [(spec, document) for _, spec, answer in asked for document in _documents(answer)]
    return ProbeResult(
        chosen.state,
        server,
        why,
        next((text for _, spec, answer in asked if (text := _version(spec, answer))), None),
        next((count for spec, one in found if (count := _replicas(spec, one)) is not None), None),
        dict(pair for spec, document in found for pair in _signals(spec, document)),
    )


def with_page(said: ProbeResult, plan: Plan, values: Sequence[float]) -> ProbeResult:
    """The same, with what the page itself tells of the model; the graver of the two is believed."""
    for state in plan.states:
        if _shows(state, values) and _rank(state.state) < _rank(said.state):
            said = replace(said, state=state.state, why=state.why)
    return said


def _names_model(spec: ProbeSpec) -> bool:
    return any("{model}" in text for text in (spec.path, *(m.json or "" for m in spec.means)))


def _shows(state: PageState, values: Sequence[float]) -> bool:
    found = [values[place] in state.values for place in state.positions]
    return all(found) if state.every else any(found)


def _rank(state: ModelState) -> int:
    return _GRAVEST.index(state)


def _gravest(
    asked: Sequence[tuple[str, ProbeSpec, ProbeResponse]], about: str, model: str | None
) -> ProbeResult:
    told = [_told(path, spec, answer, model) for path, spec, answer in asked if spec.about == about]
    return min(told, key=lambda said: _rank(said.state), default=ProbeResult())


def _told(path: str, spec: ProbeSpec, answer: ProbeResponse, model: str | None) -> ProbeResult:
    meaning = next((one for one in spec.means if answer_matches(one, answer, model)), None)
    if meaning is None or meaning.state is ModelState.UNKNOWN:
        return ProbeResult()
    if meaning.state is ModelState.READY:
        return ProbeResult(ModelState.READY)
    return ProbeResult(meaning.state, why=_why(path, meaning, answer))


def _why(path: str, meaning: ProbeMeaning, answer: ProbeResponse) -> str:
    if meaning.why:
        return meaning.why
    said = next(_errors(answer), "")
    return clean(f"{path} answered {answer.status}{f' ({said})' if said else ''}", 300)


def _errors(answer: ProbeResponse) -> Iterator[str]:
    for document in _documents(answer):
        for path in _ERROR_PATHS:
            text = read_path(path).string(document)
            if text:
                yield clean(text, 120)


def _documents(answer: ProbeResponse) -> Iterator[object]:
    try:
        yield read_document(answer.body)
    except ExpectError:
        return


def _version(spec: ProbeSpec, answer: ProbeResponse) -> str | None:
    if spec.version is None or answer.status != 200:
        return None
    if spec.version == "text":
        text = answer.body.decode("utf-8", "replace").strip()
        return clean(text, 80) or None
    documents = (read_path(spec.version).string(document) for document in _documents(answer))
    return next((text for text in documents if text), None)


def _replicas(spec: ProbeSpec, document: object) -> int | None:
    if spec.replicas is None:
        return None
    try:
        count = read_path(spec.replicas).number(document)
    except ExpectError:
        return read_expectation(spec.replicas).matches(document)
    return None if count is None else round(count)


def _signals(spec: ProbeSpec, document: object) -> Iterator[tuple[str, float]]:
    for name, path in spec.signals.items():
        value = read_path(path).number(document)
        if value is not None:
            yield name, value
