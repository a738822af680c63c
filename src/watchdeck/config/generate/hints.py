"""Hints for a new configuration: where a metrics page usually is, and which map a page suggests."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.series import Layout
from watchdeck.domain.signals.map_proposal import MOST_NAMES, family_names, propose_map
from watchdeck.domain.values.text import clean


def page_hint(kind: Kind, url: str) -> str:
    """Where a kind has its metrics page, for an endpoint whose page was not found; may be empty."""
    if not kind.places:
        return ""
    own = next((place for place in kind.places if place.port), kind.places[0])
    host = clean(urlsplit(url).hostname or "", 200)
    host = f"[{host}]" if ":" in host else host
    port = own.port or urlsplit(url).port
    address = f"http://{host}{f':{port}' if port else ''}{own.path}"
    where = f"on port {own.port} at {own.path}" if own.port else f"at {own.path}"
    by_choice = " only when it is switched on," if kind.optional_page else ""
    return (
        f"{kind.title} has its metrics page{by_choice} usually {where}:"
        f' if it is elsewhere, write metrics_url = "{address}" with its address'
    )


def needs_map(kind: Kind) -> bool:
    """Whether only the owner knows which series of this kind's page count requests.

    The page is then the application's own: the kind is recognised by none of its series.
    """
    knows_series = any(rule.all_names or rule.any_names for rule in kind.recognise)
    return bool(kind.places) and not knows_series and "request_rate" in kind.unmeasurable


def map_hint(kind: Kind, user_map: Mapping[str, str], layout: Layout) -> str:
    """A map that the series of a page suggest, for a kind that needs one; empty for others."""
    if user_map or kind.json_map or not needs_map(kind):
        return ""
    entries = ", ".join(f"{name} = {quote(text)}" for name, text in propose_map(layout).items())
    if entries:
        return f"perhaps map = {{ {entries} }}"
    names = family_names(layout)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    listed = f"{', '.join(names[:MOST_NAMES])}{more}" if names else "nothing but its own process"
    return f"no series of the page counts requests by its name: it has {listed}"


def quote(text: str) -> str:
    """A selector as TOML writes it: in single quotes when it has double ones."""
    return f'"{text}"' if '"' not in text else f"'{text}'"
