"""Who is told: channels that can be told, and a sign of life that can be sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import asdict, replace

from watchdeck.config.checks.endpoint import outside
from watchdeck.config.checks.headers import open_secrets, wrong_headers, wrong_secret
from watchdeck.config.checks.text import bad_texts, wrong_name, wrong_url
from watchdeck.config.reading.problems import Problem, did_you_mean
from watchdeck.domain.notifications.message import MessageKind
from watchdeck.domain.settings.endpoint import Endpoint, Settings
from watchdeck.domain.settings.receivers import CONSOLE, Channel, ChannelType, Heartbeat
from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.units import Milliseconds

MOST = 200
"""Channels, routes, escalations and rotas of each kind that are taken."""

_NEEDED = {
    ChannelType.WEBHOOK: ("url",),
    ChannelType.PAGERDUTY: ("routing_key",),
    ChannelType.COMMAND: ("command",),
    ChannelType.APPRISE: ("url", "services"),
}
_OPTIONAL = {
    ChannelType.WEBHOOK: ("headers", "ca"),
    ChannelType.PAGERDUTY: ("token", "url", "api", "ca"),
    ChannelType.COMMAND: ("environment",),
    ChannelType.APPRISE: (),
}
_COMMON = ("name", "type", "timeout", "rate", "person", "kinds")

_BOUNDS = {
    "timeout": (Milliseconds(1_000), Milliseconds(60_000)),
    "rate": (1, 600),
}
_LIFESIGN_BOUNDS = {"every": (Milliseconds(10_000), Milliseconds(86_400_000))}

_METHODS = ("GET", "HEAD", "POST")
_SERVICE = re.compile(r"[a-z][a-z0-9+.-]{0,40}", re.ASCII)
_REFERENCE = 'write {env = "NAME"} or {file = "PATH"}.'


def wrong_channels(settings: Settings, *, private: bool) -> Iterator[Problem]:
    """Every problem of the channels, each with its key."""
    names: dict[str, int] = {}
    for number, channel in enumerate(settings.channel[:MOST]):
        if isinstance(channel, Channel):  # an INVALID one has said why
            for problem in _wrong(channel, private=private):
                yield replace(problem, key=f"channel[{number}].{problem.key}")
            if channel.name in names:
                said = f"is the name of channel[{names[channel.name]}] too"
                yield Problem(f"channel[{number}].name", said, "Every channel has its own.")
            names.setdefault(channel.name, number)
    if len(settings.channel) > MOST:
        text = f"has {len(settings.channel)} entries; at most {MOST} are taken"
        yield Problem("channel", text)


def wrong_heartbeat(heartbeat: Heartbeat | None) -> Iterator[Problem]:
    """Every problem of the sign of life."""
    if not isinstance(heartbeat, Heartbeat):
        return
    found = [*_wrong_address("url", heartbeat.url), *outside(heartbeat, _LIFESIGN_BOUNDS)]
    if heartbeat.method not in _METHODS:
        hint = did_you_mean(heartbeat.method, _METHODS, f"There are {', '.join(_METHODS)}.")
        found.append(Problem("method", "is no way to ask", hint))
    for problem in found:
        yield replace(problem, key=f"heartbeat.{problem.key}")


def _wrong(channel: Channel, *, private: bool) -> Iterator[Problem]:
    yield from bad_texts(channel)
    yield from wrong_name(channel.name)
    if channel.name == CONSOLE:
        yield Problem("name", f"is {CONSOLE!r}, which is always there", "Take another.")
    if channel.type not in tuple(ChannelType):
        hint = did_you_mean(channel.type, ChannelType, f"There are {', '.join(ChannelType)}.")
        yield Problem("type", "is no type of channel", hint)
        return
    yield from _wrong_settings(channel, ChannelType(channel.type))
    yield from _WRONG[ChannelType(channel.type)](channel)
    yield from outside(channel, _BOUNDS)
    for number, kind in enumerate(channel.kinds):
        if kind not in tuple(MessageKind):
            hint = did_you_mean(kind, MessageKind, f"There are {', '.join(MessageKind)}.")
            yield Problem(f"kinds[{number}]", "is no kind of message", hint)
    if not private:
        yield from _open(channel)


def _wrong_settings(channel: Channel, kind: ChannelType) -> Iterator[Problem]:
    """What a channel of this type lacks, and what it has no use for."""
    known = (*_COMMON, *_NEEDED[kind], *_OPTIONAL[kind])
    for name, value in asdict(channel).items():
        if name not in known and value:
            hint = f"It has {', '.join(one for one in known if one not in _COMMON)}."
            yield Problem(name, f"is nothing that a {kind} has", hint)
    for name in _NEEDED[kind]:
        if not getattr(channel, name):
            yield Problem(name, f"is missing, and a {kind} cannot be told without it", _LACK[name])


_LACK = {
    "url": 'Write url = "https://HOST/PATH", or {env = "NAME"}.',
    "routing_key": f"It is a secret: {_REFERENCE}",
    "command": 'Write command = ["/path/to/it", "argument"].',
    "services": 'Name what the address may be of, such as ["slack"].',
}


def _wrong_webhook(channel: Channel) -> Iterator[Problem]:
    if channel.url:
        yield from _wrong_address("url", channel.url)
    yield from wrong_headers(_as_endpoint(channel))


def _wrong_pagerduty(channel: Channel) -> Iterator[Problem]:
    for key in ("url", "api"):
        if getattr(channel, key):
            yield from _wrong_address(key, getattr(channel, key))
    for key in ("routing_key", "token"):
        if getattr(channel, key) is not None:
            yield from wrong_secret(key, getattr(channel, key))


def _wrong_command(channel: Channel) -> Iterator[Problem]:
    if channel.command and not channel.command[0].strip():
        yield Problem("command[0]", "is empty", "It is the program to run.")
    elif len(channel.command) == 1 and " " in channel.command[0].strip():
        hint = 'Each argument is a text of its own: ["page", "--now"]; no shell reads them.'
        yield Problem("command[0]", "is a whole line", hint)
    for number, name in enumerate(channel.environment):
        if not (name.isascii() and name.isidentifier()):
            hint = "Write names alone; their values are taken from the collector's."
            yield Problem(f"environment[{number}]", "is not the name of a variable", hint)


def _wrong_apprise(channel: Channel) -> Iterator[Problem]:
    if isinstance(channel.url, Secret):
        yield from wrong_secret("url", channel.url)
    elif channel.url and channel.services:
        service = channel.url.partition(":")[0].lower()
        if service not in channel.services:
            hint = f"Allowed are {', '.join(channel.services)}."
            yield Problem("url", "is not of a service that is allowed", hint)
    for number, service in enumerate(channel.services):
        if not _SERVICE.fullmatch(service):
            hint = 'It is what stands before "://", such as slack or mailtos.'
            yield Problem(f"services[{number}]", "is not the name of a service", hint)


_WRONG = {
    ChannelType.WEBHOOK: _wrong_webhook,
    ChannelType.PAGERDUTY: _wrong_pagerduty,
    ChannelType.COMMAND: _wrong_command,
    ChannelType.APPRISE: _wrong_apprise,
}


def _wrong_address(key: str, url: str | Secret) -> Iterator[Problem]:
    if isinstance(url, Secret):
        yield from wrong_secret(key, url)
    elif found := wrong_url(url):
        yield Problem(key, *found)


def _open(channel: Channel) -> Iterator[Problem]:
    """Secrets that stand in a configuration which others can read."""
    yield from open_secrets(_as_endpoint(channel))
    if channel.type == ChannelType.APPRISE and isinstance(channel.url, str):
        text = "is a secret in a file that others can read"
        hint = f"Make that file yours alone (chmod 600), or {_REFERENCE}"
        yield Problem("url", text, hint)


def _as_endpoint(channel: Channel) -> Endpoint:
    """What of it is sent, as the rules of endpoints want it."""
    url = channel.url if isinstance(channel.url, str) else ""
    return Endpoint(channel.name, url, headers=channel.headers)
