"""Interpretation of probe responses: the model is ready, loading, asleep or not there."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct, field
from msgspec.structs import replace

from watchdeck.domain.kinds.detection import ParsedResponse, response_matches
from watchdeck.domain.kinds.kind import Kind, ProbeMeaning, ProbeResponse, ProbeSpec
from watchdeck.domain.metrics.scrape import ModelState
from watchdeck.domain.signals.plan import PageState, Plan
from watchdeck.domain.values.json_assertion import (
    read_number,
    read_path,
)
from watchdeck.domain.values.text import clean

_WORST_FIRST = (
    ModelState.NOT_READY,
    ModelState.LOADING,
    ModelState.SLEEPING,
    ModelState.SCALED_TO_ZERO,
    ModelState.READY,
    ModelState.UNKNOWN,
)
"""The order in which states win when several responses describe one model."""

_ERROR_PATHS = ("$.error", "$.detail", "$.message", "$.error.message")


class ProbeResult(Struct, frozen=True):
    """The result of the probes of one scrape: the state of the model, and of the server.

    `why` is clean text, empty when there is nothing to explain. `signals` are in their units.
    """

    state: ModelState = ModelState.UNKNOWN
    server: ModelState = ModelState.UNKNOWN
    why: str = ""
    version: str | None = None
    replicas: int | None = None
    signals: dict[str, float] = field(default_factory=dict)


def probe_requests(kind: Kind, model: str | None) -> tuple[tuple[str, ProbeSpec], ...]:
    """The probes to send, each with its path; without a model, probes that name it are left out.

    `read_responses` takes the responses by that path, also of a probe with its own `port`.
    """
    key = id(kind), model
    known = _REQUESTS.get(key)
    if known is not None and known[0] is kind:
        return known[1]
    name = quote(model or "", safe="")
    found = tuple(
        (spec.path.replace("{model}", name), spec)
        for spec in kind.probes
        if model is not None or not _names_model(spec)
    )
    if len(_REQUESTS) >= _MOST_REQUESTS:
        _REQUESTS.clear()
    _REQUESTS[key] = kind, found
    return found


_MOST_REQUESTS = 10_000

_REQUESTS: dict[tuple[int, str | None], tuple[Kind, tuple[tuple[str, ProbeSpec], ...]]] = {}
"""The probes by kind and model: to make them anew takes a tenth of a scrape."""


def read_responses(
    kind: Kind,
    responses: Mapping[str, ProbeResponse],
    model: str | None,
    *,
    is_named: bool = False,
) -> ProbeResult:
    """Interpret the responses to the probes of a kind; keys are the paths of `probe_requests`.

    A list that lacks this model proves nothing while the metrics page names it (`is_named`).

    The server's state counts only while no response describes the model: a server is ready long
    before, and long after, its model is.
    """
    requests = probe_requests(kind, model)
    found = ((path, spec, responses.get(path)) for path, spec in requests)
    received = [(path, spec, ParsedResponse(one)) for path, spec, one in found if one is not None]
    server = _worst_result(received, "server", model, is_named=is_named)
    chosen = _worst_result(received, "model", model, is_named=is_named)
    if chosen.state is ModelState.UNKNOWN:
        chosen = server
    why = chosen.why
    if why and chosen is not server and server.state is ModelState.READY:
        why = f"{why}; the server itself is ready"
    answered = [(spec, one) for _, spec, one in received if one.response.status == 200]
    documents = [(spec, document) for spec, one in answered for document in one.documents]
    return ProbeResult(
        chosen.state,
        server.state,
        why,
        next((text for _, spec, response in received if (text := _version(spec, response))), None),
        next((n for spec, one in documents if (n := _replicas(spec, one)) is not None), None),
        dict(pair for spec, document in documents for pair in _signals(spec, document)),
    )


def add_page_states(result: ProbeResult, plan: Plan, values: Sequence[float]) -> ProbeResult:
    """The result with the model state that the metrics page shows, where that is worse."""
    for state in plan.states:
        if _is_in_state(state, values) and _badness(state.state) < _badness(result.state):
            result = replace(result, state=state.state, why=state.why)
    return result


def _names_model(spec: ProbeSpec) -> bool:
    return any("{model}" in text for text in (spec.path, *(m.json or "" for m in spec.means)))


def _is_in_state(state: PageState, values: Sequence[float]) -> bool:
    found = [values[place] in state.values for place in state.positions]
    return all(found) if state.every else any(found)


def _badness(state: ModelState) -> int:
    return _WORST_FIRST.index(state)


def _worst_result(
    received: Sequence[tuple[str, ProbeSpec, ParsedResponse]],
    about: str,
    model: str | None,
    *,
    is_named: bool,
) -> ProbeResult:
    results = [
        _probe_result(path, spec, response, model, is_named=is_named)
        for path, spec, response in received
        if spec.about == about
    ]
    return min(results, key=lambda result: _badness(result.state), default=ProbeResult())


def _probe_result(
    path: str, spec: ProbeSpec, response: ParsedResponse, model: str | None, *, is_named: bool
) -> ProbeResult:
    meaning = next((one for one in spec.means if response_matches(one, response, model)), None)
    if meaning is None or meaning.state is ModelState.UNKNOWN or (meaning.absent and is_named):
        return ProbeResult()
    if meaning.state is ModelState.READY:
        return ProbeResult(ModelState.READY)
    return ProbeResult(meaning.state, why=_reason(path, meaning, response))


def _reason(path: str, meaning: ProbeMeaning, parsed: ParsedResponse) -> str:
    if meaning.why:
        return meaning.why
    error = next(_error_texts(parsed), "")
    status = parsed.response.status
    return clean(f"{path} answered {status}{f' ({error})' if error else ''}", 300)


def _error_texts(parsed: ParsedResponse) -> Iterator[str]:
    for document in parsed.documents:
        for path in _ERROR_PATHS:
            text = read_path(path).string(document)
            if text:
                yield clean(text, 120)


def _version(spec: ProbeSpec, parsed: ParsedResponse) -> str | None:
    if spec.version is None or parsed.response.status != 200:
        return None
    if spec.version == "text":
        return clean(parsed.text, 80) or None
    documents = (read_path(spec.version).string(document) for document in parsed.documents)
    return next((text for text in documents if text), None)


def _replicas(spec: ProbeSpec, document: object) -> int | None:
    if spec.replicas is None:
        return None
    count = read_number(spec.replicas).number(document)
    return None if count is None else round(count)


def _signals(spec: ProbeSpec, document: object) -> Iterator[tuple[str, float]]:
    for name, path in spec.signals.items():
        value = read_number(path).number(document)
        if value is not None:
            yield name, value
