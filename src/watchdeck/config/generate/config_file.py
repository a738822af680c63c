"""Generates a commented watchdeck.toml from the servers that were detected."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Protocol, TypeGuard
from urllib.parse import urlsplit

from watchdeck.config.generate.figures import figure_text
from watchdeck.config.generate.hints import needs_map, page_hint, quote
from watchdeck.config.generate.template import (
    EXAMPLE,
    HEAD,
    MAP,
    MAP_HEAD,
    MAP_UNITS,
    OFFER,
    TAIL,
)
from watchdeck.domain.kinds.detection import GENERIC
from watchdeck.domain.kinds.kind import Kind, MetricsLocation
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.lifetime import page_figures
from watchdeck.domain.signals.map_proposal import propose_map
from watchdeck.domain.signals.objectives import histogram_bounds
from watchdeck.domain.signals.plan import Plan
from watchdeck.domain.signals.plan_builder import build_plan, kind_signals
from watchdeck.domain.values.format import format_value
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Unit

_MAX_MODELS = 20
"""Models of one server that get an endpoint each; a user would delete the others anyway."""

_MAX_BOUNDS = 8
"""Bounds of buckets that are written, the largest."""

_WIDTH = 98
_MAX_NAME = 60


class DetectedPage(Protocol):
    """A metrics page: its series, and their values in the same order."""

    @property
    def layout(self) -> Layout:
        """The series of the page."""

    @property
    def values(self) -> Sequence[float]:
        """The values of the series."""


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
    def page(self) -> DetectedPage | None:
        """The metrics page; None when none was found."""

    @property
    def detail(self) -> str:
        """The reason why no kind or no metrics page was detected; empty when both were."""


def host(url: str) -> str:
    """The host and port of a URL, without a password, with control characters escaped."""
    return clean(urlsplit(url).netloc.rpartition("@")[2], 200)


def render(detected: Sequence[tuple[str, DetectedServer]], at: int = 0) -> str:
    """The text of a watchdeck.toml for these pairs of URL and server; an example if none.

    `at` is when their pages were read (ms UTC). The text loads without problems. Texts that servers
    sent are written as quoted TOML strings.
    """
    names: set[str] = set()
    blocks = [block for url, one in detected for block in _blocks(url, one, names, at)]
    if not blocks:
        return HEAD + EXAMPLE + TAIL
    return HEAD + OFFER + "".join(blocks) + TAIL


def _blocks(url: str, detected: DetectedServer, names: set[str], at: int) -> Iterator[str]:
    """An [[endpoint]] for each model of a server, or one when the server names no model."""
    models = _models(detected)
    yield f"\n{_comment(_description(url, detected))}"
    for model in models[:_MAX_MODELS] or (None,):
        yield _comment(_page_sentences(detected, model, at))
        yield "".join(f"{line}\n" for line in _endpoint(url, detected, model, names))
        if detected.kind is not None and needs_map(detected.kind):
            yield _map_lines(detected.kind, detected.page)
    if models[_MAX_MODELS:]:
        yield _comment([f"It also speaks of {', '.join(models[_MAX_MODELS:])}."])


def _models(detected: DetectedServer) -> tuple[str, ...]:
    """The models with a name that can be written; a page of a machine or device has none."""
    if detected.kind is not None and detected.kind.helper:
        return ()
    return tuple(name for name in detected.models if clean(name) == name and name.strip())


def _endpoint(
    url: str, detected: DetectedServer, model: str | None, names: set[str]
) -> Iterator[str]:
    yield "[[endpoint]]"
    yield f"name = {_quote(_name(url, detected, model, names))}"
    yield f"url = {_quote(url)}"
    if is_sure(detected.kind):
        yield f"kind = {_quote(detected.kind.name)}"
    places = detected.kind.places if detected.kind else ()
    if detected.metrics_url is not None and not _is_usual(url, detected.metrics_url, places):
        yield f"metrics_url = {_quote(clean(detected.metrics_url))}"
    if model is not None:
        yield f"model = {_quote(model)}"


def is_sure(kind: Kind | None) -> TypeGuard[Kind]:
    """Whether a detected kind is written: a page that no kind recognises proves no kind.

    A server whose page shows its kind only with the first request is then still recognised.
    """
    return kind is not None and kind.name != GENERIC


def _description(url: str, detected: DetectedServer) -> Iterator[str]:
    kind, detail = detected.kind, clean(detected.detail, 300)
    if kind is None:
        yield f"{host(url)}: no kind of server was recognised. {detail}".strip()
        return
    if is_sure(kind):
        yield f"{host(url)}: {kind.title}."
    else:
        yield (
            f"{host(url)}: a metrics page of no known kind of server. The kind is not written: a"
            " server that shows its kind only with its first requests is then still recognised."
        )
    if detail:
        yield f"Not all of it answered: {detail}."
    if detected.page is None and (hint := page_hint(kind, url)):
        yield f"{hint}."
    for why, signals in _missing_signals(kind, detected.page).items():
        yield f"Not measurable: {', '.join(signals)} ({why})."


def _missing_signals(kind: Kind, page: DetectedPage | None) -> dict[str, list[str]]:
    """The signals that this kind, or this page of it, never gives, by the reason."""
    plan = build_plan(kind, Endpoint("", ""), page.layout if page else Layout())
    names = plan.not_measurable if page else tuple(kind.unmeasurable)
    names = tuple(name for name in names if name in kind.unmeasurable and name not in plan.present)
    reasons: dict[str, list[str]] = {}
    for name in names:
        if page or name not in kind_signals(kind, Endpoint("", "")):
            reasons.setdefault(kind.unmeasurable[name], []).append(name)
    return reasons


def _page_sentences(detected: DetectedServer, model: str | None, at: int) -> Iterator[str]:
    """What the page gives of one model: figures with units, and the objectives it can judge."""
    kind, page = detected.kind, detected.page
    if page is None or kind is None:
        if kind is not None and not kind.places:
            yield "An SLO can be judged on availability."
        return
    endpoint = Endpoint("", "", model=model)
    plan = build_plan(kind, endpoint, page.layout)
    figures = page_figures(plan, at, page.values)
    texts = [f"{one.signal} {figure_text(one)}{_mark(plan, one.signal)}" for one in figures]
    if texts:
        yield f"Its page gives: {'; '.join(texts)}."
    missing = {name: why for name, why in plan.remarks.items() if name not in plan.present}
    doubtful = {name: why for name, why in plan.remarks.items() if name in plan.present}
    for why, names in _grouped(missing).items():
        yield f"Not on its page now: {', '.join(names)} ({why})."
    for why, names in _grouped(doubtful).items():
        yield f"With care: {', '.join(names)} ({why})."
    if kind.helper:
        return
    judged = [name for name in ("error_ratio", "latency_p95") if name in plan.present]
    bounds = histogram_bounds(kind, endpoint, page.layout).get("latency_p95", ())
    objectives = [
        f"{name}{_bounds_text(bounds) if name == 'latency_p95' else ''}"
        for name in judged
        if name not in plan.server_wide
    ]
    yield f"An SLO can be judged on {', '.join(['availability', *objectives])}."


def _mark(plan: Plan, signal: str) -> str:
    return " (of the whole server)" if signal in plan.server_wide else ""


def _grouped(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Names by their reason."""
    found: dict[str, list[str]] = {}
    for name, why in reasons.items():
        found.setdefault(why, []).append(name)
    return found


def _bounds_text(bounds: tuple[float, ...]) -> str:
    """The limits of a quantile that its buckets can judge, the largest last."""
    shown = [format_value(bound, Unit.SECONDS) for bound in bounds[-_MAX_BOUNDS:]]
    first = "..., " if len(bounds) > _MAX_BOUNDS else ""
    return f" (at the bounds of its buckets: {first}{', '.join(shown)})" if shown else ""


def _map_lines(kind: Kind, page: DetectedPage | None) -> str:
    """A map to take, of the series on the page where it has some that count requests.

    Empty for a server without its optional page, where a map has nothing to read.
    """
    if page is None and kind.optional_page:
        return ""
    found = propose_map(page.layout) if page else {}
    if not found:
        return MAP
    lines = "".join(f"#{name} = {quote(text)}\n" for name, text in found.items())
    return f"{MAP_HEAD}{lines}{MAP_UNITS}"


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
