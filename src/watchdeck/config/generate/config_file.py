"""A configuration written for a person: what was found, what it can tell, what may be added."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from watchdeck.config.generate.template import EXAMPLE, HEAD, MAP, OFFER, TAIL
from watchdeck.domain.kinds.kind import Kind, MetricsLocation
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.plan_builder import kind_signals
from watchdeck.domain.values.text import clean

_MOST = 20
"""Models of one server that get an endpoint each; a person would delete the rest anyway."""

_WIDTH = 98
_LONGEST_NAME = 60


class DetectedServer(Protocol):
    """What a look at one server brought."""

    @property
    def kind(self) -> Kind | None:
        """The kind of server; None when nothing is known well enough."""

    @property
    def metrics_url(self) -> str | None:
        """Where its page was read."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models it speaks of."""

    @property
    def detail(self) -> str:
        """Why nothing, or no page, was found."""


def host(url: str) -> str:
    """The host and port of a url, as a person is told of them."""
    return clean(urlsplit(url).netloc.rpartition("@")[2], 200)


def render(found: Sequence[tuple[str, DetectedServer]]) -> str:
    """The text of a watchdeck.toml for these urls; without any, a starter with an example.

    It loads back without problems. What servers said of themselves is quoted, never trusted.
    """
    names: set[str] = set()
    blocks = [block for url, one in found for block in _blocks(url, one, names)]
    if not blocks:
        return HEAD + EXAMPLE + TAIL
    return HEAD + OFFER + "".join(blocks) + TAIL


def _blocks(url: str, found: DetectedServer, names: set[str]) -> Iterator[str]:
    """An endpoint for each model of a server, or one for a server that names none."""
    models = tuple(model for model in found.models if clean(model) == model and model.strip())
    yield f"\n{_comment(_about(url, found, models))}"
    for model in models[:_MOST] or (None,):
        yield "".join(f"{line}\n" for line in _endpoint(url, found, model, names))
        if _needs_map(found.kind):
            yield MAP
    if models[_MOST:]:
        yield _comment([f"It also speaks of {', '.join(models[_MOST:])}."])


def _needs_map(kind: Kind | None) -> bool:
    """Whether a kind has a page, and only its owner knows which series are requests."""
    return kind is not None and bool(kind.places) and "request_rate" in kind.unmeasurable


def _endpoint(url: str, found: DetectedServer, model: str | None, names: set[str]) -> Iterator[str]:
    yield "[[endpoint]]"
    yield f"name = {_quoted(_name(url, found, model, names))}"
    yield f"url = {_quoted(url)}"
    if found.kind is not None:
        yield f"kind = {_quoted(found.kind.name)}"
    places = found.kind.places if found.kind else ()
    if found.metrics_url is not None and not _is_usual(url, found.metrics_url, places):
        yield f"metrics_url = {_quoted(clean(found.metrics_url))}"
    if model is not None:
        yield f"model = {_quoted(model)}"


def _about(url: str, found: DetectedServer, models: Sequence[str]) -> Iterator[str]:
    if found.kind is None:
        yield f"{host(url)}: no kind of server was recognised. {clean(found.detail, 300)}".strip()
        return
    yield f"{host(url)}: {found.kind.title}."
    if found.detail:
        yield f"Not all of it answered: {clean(found.detail, 300)}."
    told = _Told.of(found.kind, len(models))
    if told.measurable:
        yield f"Measurable: {', '.join(told.measurable)}."
    for why, signals in told.reasons.items():
        yield f"Not measurable: {', '.join(signals)} ({why})."


class _Told(Struct, frozen=True):
    """What a kind of server tells, and the reasons for what people would miss."""

    measurable: tuple[str, ...]
    reasons: dict[str, list[str]]

    @staticmethod
    def of(kind: Kind, models: int) -> _Told:
        """Left out are signals that hang on options, or that speak of no one model of several."""
        sure = {
            spec.signal
            for spec in kind.signals
            if not spec.optional and not (spec.whole_server and models > 1)
        }
        asked = {signal for probe in kind.probes for signal in probe.signals}
        signals = kind_signals(kind, Endpoint("", ""))
        measurable = [name for name in signals if name in sure | asked]
        reasons: dict[str, list[str]] = {}
        for name, why in kind.unmeasurable.items():
            if name not in signals or (name not in measurable and models > 1):
                reasons.setdefault(why, []).append(name)
        return _Told(tuple(measurable), reasons)


def _name(url: str, found: DetectedServer, model: str | None, names: set[str]) -> str:
    """A name that no other endpoint has: the model's, or else the host's or the kind's."""
    where = _host_name(url)
    kind = found.kind.name if found.kind else "model"
    first = (model.rpartition("/")[2] if model else "") or where or kind
    first = first.strip()[:_LONGEST_NAME].strip() or kind
    last = where or kind
    wanted = [first, *([f"{first}-{last}"[:80].strip()] if last != first else [])]
    wanted += (f"{first}-{number}" for number in range(2, len(names) + 3))
    name = next(name for name in wanted if name not in names)
    names.add(name)
    return name


def _host_name(url: str) -> str:
    """The first part of a host's name; nothing for an address or this machine."""
    name = clean(urlsplit(url).hostname or "", _LONGEST_NAME)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        first = name.partition(".")[0]
        return "" if first == "localhost" else first
    return ""


def _is_usual(url: str, page: str, places: Sequence[MetricsLocation]) -> bool:
    """Whether a page is where its kind has it, or where the url itself points."""
    scheme, name, port, path = _parts(url)
    usual = {(port, path)}
    for place in places:
        below = path.rstrip("/") + place.path
        usual.add((place.port, place.path) if place.port else (port, below))
    return _parts(page)[:2] == (scheme, name) and _parts(page)[2:] in usual


def _parts(url: str) -> tuple[str, str | None, int, str]:
    split = urlsplit(url)
    usual = 443 if split.scheme == "https" else 80
    return split.scheme, split.hostname, split.port or usual, split.path or "/"


def _comment(sentences: Sequence[str] | Iterator[str]) -> str:
    lines = (line for sentence in sentences for line in wrap(clean(sentence, 2_000), _WIDTH))
    return "".join(f"# {line}\n" for line in lines)


def _quoted(text: str) -> str:
    """A TOML text: JSON writes the same, once what a terminal would obey is gone."""
    return json.dumps(text, ensure_ascii=False)
