"""Checks of the sources of external alerts: the intake and the Alertmanagers."""

import ipaddress
import re
from collections.abc import Iterator

from watchdeck.config.checks import fields
from watchdeck.config.checks.endpoint import tls_problems
from watchdeck.config.checks.fields import Bounds
from watchdeck.config.reading.problems import Problem
from watchdeck.domain.alerts.alert import OURS
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.settings.intake import EVENTS, PROMETHEUS, Alertmanager, Intake
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes, Milliseconds

_SECOND, _DAY = 1_000, 86_400_000
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", re.ASCII)
_RESERVED = (OURS, PROMETHEUS, EVENTS)
_MOST = 50
_LONGEST_ALERT = 200

INTAKE_BOUNDS: Bounds = {
    "max_body": (Bytes(1 << 10), Bytes(64 << 20)),
    "silent_after": (Milliseconds(0), Milliseconds(366 * _DAY)),
}
BOUNDS: Bounds = {
    "every": (Milliseconds(_SECOND), Milliseconds(3_600 * _SECOND)),
    "timeout": (Milliseconds(100), Milliseconds(60 * _SECOND)),
    "resend": (Milliseconds(_SECOND), Milliseconds(_DAY)),
    "resolve_timeout": (Milliseconds(_SECOND), Milliseconds(_DAY)),
}
_LARGEST = Bytes(16 << 20)


def parse_listen_address(listen: str) -> tuple[str, int] | None:
    """The host and port of an address to listen on; None when it cannot be parsed."""
    match = _LISTEN.fullmatch(listen)
    if match is None or not 0 <= int(match[2]) <= 65_535:
        return None
    return match[1].strip("[]"), int(match[2])


def endpoint_of(settings: Alertmanager) -> Endpoint:
    """The settings of an Alertmanager as an Endpoint, which the HTTP client and checks take."""
    return Endpoint(
        settings.name,
        settings.url,
        timeout=settings.timeout,
        headers=settings.headers,
        tls=settings.tls,
        max_body=_LARGEST,
    )


def source_problems(settings: Settings, *, private: bool) -> Iterator[Problem]:
    """Every problem of the Alertmanagers, and of the intake: our HTTP server for foreign alerts."""
    if isinstance(settings.intake, Intake):
        yield from fields.add_prefix("intake", _intake_problems(settings.intake))

    def check(alertmanager: Alertmanager) -> Iterator[Problem]:
        return _alertmanager_problems(alertmanager, private=private)

    listed = settings.alertmanager
    yield from fields.table_problems("alertmanager", listed, Alertmanager, check, _MOST)
    names = fields.table_names(listed[:_MOST], Alertmanager)
    valid = [(number, name) for number, name in names if _is_name(name)]
    yield from fields.duplicate_problems("alertmanager", valid, "Every source has its own.")


def _intake_problems(intake: Intake) -> Iterator[Problem]:
    address = parse_listen_address(intake.listen)
    if address is None:
        yield Problem("listen", "is no address to listen on", 'Write "127.0.0.1:9193".')
    elif not intake.exposed and not _is_loopback(address[0]):
        text = "can be reached from other machines"
        yield Problem("listen", text, "Add exposed = true if that is meant.")
    yield from fields.secret_problems("token", intake.token)
    if intake.token.prefix:
        yield Problem("token.prefix", "has no use", "The sender writes Bearer itself.")
    yield from fields.bound_problems(intake, INTAKE_BOUNDS)
    yield from _alert_name_problems(intake.deadman, intake.no_data_alerts)


def _alertmanager_problems(alertmanager: Alertmanager, *, private: bool) -> Iterator[Problem]:
    endpoint = endpoint_of(alertmanager)
    for check in (
        fields.endpoint_text_problems,
        fields.endpoint_url_problems,
        fields.header_problems,
        tls_problems,
    ):
        yield from check(endpoint)
    if not private:
        yield from fields.plain_secret_problems(endpoint)
    yield from fields.bound_problems(alertmanager, BOUNDS)
    if not _NAME.fullmatch(alertmanager.name):
        yield Problem("name", "is no name", "Use letters, digits, and - _ or . between them.")
    elif alertmanager.name in _RESERVED:
        hint = f"Taken are {', '.join(_RESERVED)}."
        yield Problem("name", "is the name of another source", hint)
    url = alertmanager.external_url
    if url is not None and (problem := fields.url_problem(url)):
        yield Problem("external_url", *problem)
    yield from _alert_name_problems(alertmanager.deadman, alertmanager.no_data_alerts)
    if alertmanager.cluster and not _NAME.fullmatch(alertmanager.cluster):
        yield Problem("cluster", "is no name", "Use letters, digits, and - _ or . between them.")


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in _RESERVED


def _alert_name_problems(deadman: str, no_data_alerts: tuple[str, ...]) -> Iterator[Problem]:
    numbered = {f"no_data_alerts[{number}]": name for number, name in enumerate(no_data_alerts)}
    for setting, name in ({"deadman": deadman} | numbered).items():
        if clean(name, _LONGEST_ALERT) != name:
            yield Problem(setting, "is too long, or has a character that no screen shows")
    if deadman and deadman in no_data_alerts:
        hint = "It fires while all is well: take it out of one of them."
        yield Problem("no_data_alerts", f"has the name of the deadman {deadman}", hint)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
