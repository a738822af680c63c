"""Who is heard: an intake that cannot be misused by chance, and Alertmanagers that can be asked."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from msgspec.structs import replace

from watchdeck.config.checks.endpoint import outside, wrong_tls
from watchdeck.config.checks.headers import open_secrets, wrong_headers, wrong_secret
from watchdeck.config.checks.text import wrong_texts, wrong_url, wrong_urls
from watchdeck.config.reading.problems import Problem
from watchdeck.domain.alerts.alert import OURS
from watchdeck.domain.settings.endpoint import Endpoint, Settings
from watchdeck.domain.settings.intake import EVENTS, PROMETHEUS, Alertmanager, Intake
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes, Milliseconds

_SECOND, _DAY = 1_000, 86_400_000
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", re.ASCII)
_TAKEN = (OURS, PROMETHEUS, EVENTS)
_MOST = 50
_LONGEST_ALERT = 200

_INTAKE_BOUNDS = {
    "max_body": (Bytes(1 << 10), Bytes(64 << 20)),
    "silent_after": (Milliseconds(0), Milliseconds(366 * _DAY)),
}
_BOUNDS = {
    "every": (Milliseconds(_SECOND), Milliseconds(3_600 * _SECOND)),
    "timeout": (Milliseconds(100), Milliseconds(60 * _SECOND)),
    "resend": (Milliseconds(_SECOND), Milliseconds(_DAY)),
    "resolve_timeout": (Milliseconds(_SECOND), Milliseconds(_DAY)),
}
_LARGEST = Bytes(16 << 20)


def parse_listen_address(listen: str) -> tuple[str, int] | None:
    """The host and port of an address to listen on; None when it is none."""
    match = _LISTEN.fullmatch(listen)
    if match is None or not 0 <= int(match[2]) <= 65_535:
        return None
    return match[1].strip("[]"), int(match[2])


def endpoint_of(asked: Alertmanager) -> Endpoint:
    """The Alertmanager as the reader wants it."""
    return Endpoint(
        asked.name,
        asked.url,
        timeout=asked.timeout,
        headers=asked.headers,
        tls=asked.tls,
        max_body=_LARGEST,
    )


def wrong_hearing(settings: Settings, *, private: bool) -> Iterator[Problem]:
    """Every problem of the intake and of the Alertmanagers."""
    if isinstance(settings.intake, Intake):
        for problem in _wrong_intake(settings.intake):
            yield replace(problem, key=f"intake.{problem.key}")
    names: dict[str, int] = {}
    for number, asked in enumerate(settings.alertmanager[:_MOST]):
        if isinstance(asked, Alertmanager):
            for problem in _wrong_alertmanager(asked, names, private=private):
                yield replace(problem, key=f"alertmanager[{number}].{problem.key}")
            names.setdefault(asked.name, number)
    if len(settings.alertmanager) > _MOST:
        text = f"has {len(settings.alertmanager)} entries; at most {_MOST} are taken"
        yield Problem("alertmanager", text)


def _wrong_intake(intake: Intake) -> Iterator[Problem]:
    place = parse_listen_address(intake.listen)
    if place is None:
        yield Problem("listen", "is no address to listen on", 'Write "127.0.0.1:9193".')
    elif not intake.exposed and not _loopback(place[0]):
        text = "can be reached from other machines"
        yield Problem("listen", text, "Add exposed = true if that is meant.")
    yield from wrong_secret("token", intake.token)
    if intake.token.prefix:
        yield Problem("token.prefix", "has no use", "The sender writes Bearer itself.")
    yield from outside(intake, _INTAKE_BOUNDS)
    yield from _wrong_deadman(intake.deadman)


def _wrong_alertmanager(
    asked: Alertmanager, names: dict[str, int], *, private: bool
) -> Iterator[Problem]:
    endpoint = endpoint_of(asked)
    for rule in (wrong_texts, wrong_urls, wrong_headers, wrong_tls):
        yield from rule(endpoint)
    if not private:
        yield from open_secrets(endpoint)
    yield from outside(asked, _BOUNDS)
    if not _NAME.fullmatch(asked.name):
        yield Problem("name", "is no name", "Use letters, digits, and - _ or . between them.")
    elif asked.name in _TAKEN:
        yield Problem("name", "is the name of another source", f"Taken are {', '.join(_TAKEN)}.")
    elif asked.name in names:
        text = f"is the name of alertmanager[{names[asked.name]}] too"
        yield Problem("name", text, "Every source has its own.")
    if asked.external_url is not None and (problem := wrong_url(asked.external_url)):
        yield Problem("external_url", *problem)
    yield from _wrong_deadman(asked.deadman)


def _wrong_deadman(deadman: str) -> Iterator[Problem]:
    if clean(deadman, _LONGEST_ALERT) != deadman:
        yield Problem("deadman", "is too long, or has a character that no screen shows")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
