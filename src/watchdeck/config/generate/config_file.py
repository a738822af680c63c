"""Generates a commented watchdeck.toml from the servers that were detected."""

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

_MAX_MODELS = 20
"""Models of one server that get an endpoint each; a user would delete the others anyway."""

_WIDTH = 98
_MAX_NAME = 60


class DetectedServer(Protocol):
    """The result of detecting one server."""

    @property
    def kind(self) -> Kind | None:
        """The kind of server; None when no kind is certain."""

    @property
    def metrics_url(self) -> str | None:
        """The URL of the metrics page that was read; None when none was."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models that the server lists or its metrics page names; empty when there are none."""

    @property
    def detail(self) -> str:
        """The reason why no kind or no metrics page was detected; empty when both were."""


def host(url: str) -> str:
    """The host and port of a URL, without a password, with control characters escaped."""
    return clean(urlsplit(url).netloc.rpartition("@")[2], 200)


def render(detected: Sequence[tuple[str, DetectedServer]]) -> str:
    """The text of a watchdeck.toml for these pairs of URL and server; an example if none.

    The text loads without problems. Texts that servers sent are written as quoted TOML strings.
    """
    names: set[str] = set()
    blocks = [block for url, one in detected for block in _blocks(url, one, names)]
    if not blocks:
        return HEAD + EXAMPLE + TAIL
    return HEAD + OFFER + "".join(blocks) + TAIL


def _blocks(url: str, detected: DetectedServer, names: set[str]) -> Iterator[str]:
    """An [[endpoint]] for each model of a server, or one when the server names no model."""
    models = tuple(model for model in detected.models if clean(model) == model and model.strip())
    yield f"\n{_comment(_description(url, detected, models))}"
    for model in models[:_MAX_MODELS] or (None,):
        yield "".join(f"{line}\n" for line in _endpoint(url, detected, model, names))
        if _needs_map(detected.kind):
            yield MAP
    if models[_MAX_MODELS:]:
        yield _comment([f"It also speaks of {', '.join(models[_MAX_MODELS:])}."])


def _needs_map(kind: Kind | None) -> bool:
    """Whether only the owner knows which series of this kind's page count requests."""
    return kind is not None and bool(kind.places) and "request_rate" in kind.unmeasurable


def _endpoint(
    url: str, detected: DetectedServer, model: str | None, names: set[str]
) -> Iterator[str]:
    yield "[[endpoint]]"
    yield f"name = {_quote(_name(url, detected, model, names))}"
    yield f"url = {_quote(url)}"
    if detected.kind is not None:
        yield f"kind = {_quote(detected.kind.name)}"
    places = detected.kind.places if detected.kind else ()
    if detected.metrics_url is not None and not _is_usual(url, detected.metrics_url, places):
        yield f"metrics_url = {_quote(clean(detected.metrics_url))}"
    if model is not None:
        yield f"model = {_quote(model)}"


def _description(url: str, detected: DetectedServer, models: Sequence[str]) -> Iterator[str]:
    if detected.kind is None:
        text = f"{host(url)}: no kind of server was recognised. {clean(detected.detail, 300)}"
        yield text.strip()
        return
    yield f"{host(url)}: {detected.kind.title}."
    if detected.detail:
        yield f"Not all of it answered: {clean(detected.detail, 300)}."
    summary = _SignalSummary.of(detected.kind, len(models))
    if summary.measurable:
        yield f"Measurable: {', '.join(summary.measurable)}."
    for why, signals in summary.reasons.items():
        yield f"Not measurable: {', '.join(signals)} ({why})."


class _SignalSummary(Struct, frozen=True):
    """The signals that a kind surely measures, and the reasons why it does not measure others."""

    measurable: tuple[str, ...]
    reasons: dict[str, list[str]]

    @staticmethod
    def of(kind: Kind, models: int) -> _SignalSummary:
        """Summarize which signals can be measured on a server of this kind with `models` models.

        A signal that depends on options, or that mixes several models, does not count as
        measurable.
        """
        always = {
            spec.signal
            for spec in kind.signals
            if not spec.optional and not (spec.whole_server and models > 1)
        }
        probed = {signal for probe in kind.probes for signal in probe.signals}
        signals = kind_signals(kind, Endpoint("", ""))
        measurable = [name for name in signals if name in always | probed]
        reasons: dict[str, list[str]] = {}
        for name, why in kind.unmeasurable.items():
            if name not in signals or (name not in measurable and models > 1):
                reasons.setdefault(why, []).append(name)
        return _SignalSummary(tuple(measurable), reasons)


def _name(url: str, detected: DetectedServer, model: str | None, names: set[str]) -> str:
    """A name that no other endpoint has: from the model, or else the host or the kind."""
    where = _host_name(url)
    kind = detected.kind.name if detected.kind else "model"
    first = (model.rpartition("/")[2] if model else "") or where or kind
    first = first.strip()[:_MAX_NAME].strip() or kind
    last = where or kind
    candidates = [first, *([f"{first}-{last}"[:80].strip()] if last != first else [])]
    candidates += (f"{first}-{number}" for number in range(2, len(names) + 3))
    name = next(name for name in candidates if name not in names)
    names.add(name)
    return name


def _host_name(url: str) -> str:
    """The first label of a host name; empty for an IP address and for localhost."""
    name = clean(urlsplit(url).hostname or "", _MAX_NAME)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        first = name.partition(".")[0]
        return "" if first == "localhost" else first
    return ""


def _is_usual(url: str, page: str, places: Sequence[MetricsLocation]) -> bool:
    """Whether a page needs no setting: at a place that its kind names, or at the URL itself."""
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


def _quote(text: str) -> str:
    """Quote a text for TOML; JSON does the same once control characters are removed."""
    return json.dumps(text, ensure_ascii=False)
