"""Paths in a configuration: below the configuration's own folder, or the home of a user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from watchdeck.config.reading.problems import Problem
from watchdeck.domain.settings.endpoint import Canary, Endpoint, Secret, Settings, Tls
from watchdeck.domain.settings.intake import Alertmanager
from watchdeck.domain.settings.receivers import Channel, Heartbeat
from watchdeck.domain.values.text import clean


def resolve_paths(settings: Settings, file: Path) -> Settings:
    """The same settings with every path absolute: `~` and paths beside the file are filled in."""
    base = file.absolute().parent
    endpoints = tuple(_endpoint(endpoint, base) for endpoint in settings.endpoint)
    intake = settings.intake
    return replace(
        settings,
        store=_path(settings.store, base),
        endpoint=endpoints,
        intake=intake and replace(intake, token=_secret(intake.token, base)),
        alertmanager=tuple(_alertmanager(one, base) for one in settings.alertmanager),
        channel=tuple(_channel(one, base) for one in settings.channel),
        rota=tuple(replace(one, calendar=_path(one.calendar, base)) for one in settings.rota),
        heartbeat=_lifesign(settings.heartbeat, base),
    )


def wrong_paths(settings: Settings) -> Iterator[Problem]:
    """A store that cannot be a directory's path."""
    store = settings.store
    if store is None:
        return
    if not store.strip():
        yield Problem("store", "is empty", "Leave it out for the usual place.")
    elif clean(store, 4_096) != store:
        yield Problem("store", "is too long, or has a character that no screen shows")
    elif os.path.expanduser(store).startswith("~"):  # noqa: PTH111 - Path raises for no such user
        yield Problem("store", "names the home of a user that does not exist")


def _endpoint(endpoint: Endpoint, base: Path) -> Endpoint:
    return replace(
        endpoint,
        headers=_headers(endpoint.headers, base),
        tls=_tls(endpoint.tls, base),
        canary=_canary(endpoint.canary, base),
    )


def _alertmanager(asked: Alertmanager, base: Path) -> Alertmanager:
    return replace(asked, headers=_headers(asked.headers, base), tls=_tls(asked.tls, base))


def _channel(channel: Channel, base: Path) -> Channel:
    return replace(
        channel,
        url=_address(channel.url, base),
        headers=_headers(channel.headers, base),
        ca=_path(channel.ca, base),
        routing_key=channel.routing_key and _secret(channel.routing_key, base),
        token=channel.token and _secret(channel.token, base),
        command=_program(channel.command, base),
    )


def _lifesign(lifesign: Heartbeat | None, base: Path) -> Heartbeat | None:
    if lifesign is None:
        return None
    url = _address(lifesign.url, base) or ""
    return replace(lifesign, url=url, ca=_path(lifesign.ca, base))


def _address(url: str | Secret | None, base: Path) -> str | Secret | None:
    return _secret(url, base) if isinstance(url, Secret) else url


def _program(command: tuple[str, ...], base: Path) -> tuple[str, ...]:
    """A command with its program's path below the configuration; a bare name stays one."""
    if not command or "/" not in command[0]:
        return command
    return (absolute(command[0], base), *command[1:])


def _headers(headers: dict[str, str | Secret], base: Path) -> dict[str, str | Secret]:
    return {
        name: value if isinstance(value, str) else _secret(value, base)
        for name, value in headers.items()
    }


def _secret(secret: Secret, base: Path) -> Secret:
    return replace(secret, file=_path(secret.file, base))


def _tls(tls: Tls, base: Path) -> Tls:
    return replace(
        tls,
        ca=_path(tls.ca, base),
        certificate=_path(tls.certificate, base),
        key=_path(tls.key, base),
    )


def _canary(canary: Canary | None, base: Path) -> Canary | None:
    return canary and replace(canary, body_file=_path(canary.body_file, base))


def _path(text: str | None, base: Path) -> str | None:
    return None if text is None else absolute(text, base)


def absolute(text: str, base: Path) -> str:
    """A path as it is meant; `~nobody/x` stays as it is, and is found missing by who reads it."""
    return str(base / os.path.expanduser(text))  # noqa: PTH111 - Path raises for no such user
