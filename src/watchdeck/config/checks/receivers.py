"""Checks of channels and heartbeat: their settings, and whether they would work now."""

import os
import re
from collections.abc import Iterator

from msgspec.structs import asdict

from watchdeck.config.checks import fields
from watchdeck.config.checks.fields import Bounds
from watchdeck.config.reading.problems import Problem, did_you_mean
from watchdeck.config.reading.secrets import SecretError, resolve_secret
from watchdeck.domain.notifications.message import MessageKind
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.settings.receivers import CONSOLE, Channel, ChannelType, Heartbeat
from watchdeck.domain.values.secret import Secret, SecretResolver
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Milliseconds

MOST = 200
"""Most channels that are accepted; also most routes, most escalations and most rotas."""

NEEDED: dict[ChannelType, tuple[str, ...]] = {
    ChannelType.WEBHOOK: ("url",),
    ChannelType.PAGERDUTY: ("routing_key",),
    ChannelType.COMMAND: ("command",),
    ChannelType.APPRISE: ("url", "services"),
}
"""The settings that a channel of each type must have."""

OPTIONAL: dict[ChannelType, tuple[str, ...]] = {
    ChannelType.WEBHOOK: ("headers", "ca"),
    ChannelType.PAGERDUTY: ("token", "url", "api", "ca"),
    ChannelType.COMMAND: ("environment",),
    ChannelType.APPRISE: (),
}
"""The settings that a channel of each type may have."""

COMMON = ("name", "type", "timeout", "rate", "person", "kinds")
"""The settings of channels of every type."""

BOUNDS: Bounds = {"timeout": (Milliseconds(1_000), Milliseconds(60_000)), "rate": (1, 600)}
HEARTBEAT_BOUNDS: Bounds = {"every": (Milliseconds(10_000), Milliseconds(86_400_000))}

METHODS = ("GET", "HEAD", "POST")
_SERVICE = re.compile(r"[a-z][a-z0-9+.-]{0,40}", re.ASCII)
_REFERENCE = 'write {env = "NAME"} or {file = "PATH"}.'


def channel_problems(settings: Settings, *, private: bool) -> Iterator[Problem]:
    """Every problem of the channels, each with its key."""

    def check(channel: Channel) -> Iterator[Problem]:
        return _channel_problems(channel, private=private)

    yield from fields.table_problems("channel", settings.channel, Channel, check, MOST)
    names = fields.table_names(settings.channel[:MOST], Channel)
    yield from fields.duplicate_problems("channel", names, "Every channel has its own.")


def heartbeat_problems(heartbeat: Heartbeat | None) -> Iterator[Problem]:
    """Every problem of the heartbeat, each with its key."""
    if not isinstance(heartbeat, Heartbeat):
        return
    problems = list(_address_problems("url", heartbeat.url))
    problems += fields.bound_problems(heartbeat, HEARTBEAT_BOUNDS)
    if heartbeat.method not in METHODS:
        hint = did_you_mean(heartbeat.method, METHODS, f"There are {', '.join(METHODS)}.")
        problems.append(Problem("method", "is no way to ask", hint))
    yield from fields.add_prefix("heartbeat", problems)


def _channel_problems(channel: Channel, *, private: bool) -> Iterator[Problem]:
    yield from fields.text_problems(channel)
    yield from fields.name_problems(channel.name)
    if channel.name == CONSOLE:
        yield Problem("name", f"is {CONSOLE!r}, which is always there", "Take another.")
    if channel.type not in tuple(ChannelType):
        hint = did_you_mean(channel.type, ChannelType, f"There are {', '.join(ChannelType)}.")
        yield Problem("type", "is no type of channel", hint)
        return
    yield from _settings_problems(channel, ChannelType(channel.type))
    yield from _CHECKS[ChannelType(channel.type)](channel)
    yield from fields.bound_problems(channel, BOUNDS)
    for number, kind in enumerate(channel.kinds):
        if kind not in tuple(MessageKind):
            hint = did_you_mean(kind, MessageKind, f"There are {', '.join(MessageKind)}.")
            yield Problem(f"kinds[{number}]", "is no kind of message", hint)
    if not private:
        yield from _plain_secrets(channel)


def _settings_problems(channel: Channel, kind: ChannelType) -> Iterator[Problem]:
    """Problems of settings that this type of channel needs and lacks, or cannot use."""
    known = (*COMMON, *NEEDED[kind], *OPTIONAL[kind])
    for name, value in asdict(channel).items():
        if name not in known and value:
            hint = f"It has {', '.join(one for one in known if one not in COMMON)}."
            yield Problem(name, f"is nothing that a {kind} has", hint)
    for name in NEEDED[kind]:
        if not getattr(channel, name):
            text = f"is missing, and a {kind} cannot be told without it"
            yield Problem(name, text, _MISSING[name])


_MISSING = {
    "url": 'Write url = "https://HOST/PATH", or {env = "NAME"}.',
    "routing_key": f"It is a secret: {_REFERENCE}",
    "command": 'Write command = ["/path/to/it", "argument"].',
    "services": 'Name what the address may be of, such as ["slack"].',
}


def _webhook_problems(channel: Channel) -> Iterator[Problem]:
    if channel.url:
        yield from _address_problems("url", channel.url)
    yield from fields.header_problems(_as_endpoint(channel))


def _pagerduty_problems(channel: Channel) -> Iterator[Problem]:
    for key in ("url", "api"):
        if getattr(channel, key):
            yield from _address_problems(key, getattr(channel, key))
    for key in ("routing_key", "token"):
        if getattr(channel, key) is not None:
            yield from fields.secret_problems(key, getattr(channel, key))


def _command_problems(channel: Channel) -> Iterator[Problem]:
    if channel.command and not channel.command[0].strip():
        yield Problem("command[0]", "is empty", "It is the program to run.")
    elif len(channel.command) == 1 and " " in channel.command[0].strip():
        hint = 'Each argument is a text of its own: ["page", "--now"]; no shell reads them.'
        yield Problem("command[0]", "is a whole line", hint)
    for number, name in enumerate(channel.environment):
        if not (name.isascii() and name.isidentifier()):
            hint = "Write names alone; their values are taken from the collector's."
            yield Problem(f"environment[{number}]", "is not the name of a variable", hint)


def _apprise_problems(channel: Channel) -> Iterator[Problem]:
    if isinstance(channel.url, Secret):
        yield from fields.secret_problems("url", channel.url)
    elif channel.url and channel.services:
        service = channel.url.partition(":")[0].lower()
        if service not in channel.services:
            hint = f"Allowed are {', '.join(channel.services)}."
            yield Problem("url", "is not of a service that is allowed", hint)
    for number, service in enumerate(channel.services):
        if not _SERVICE.fullmatch(service):
            hint = 'It is what stands before "://", such as slack or mailtos.'
            yield Problem(f"services[{number}]", "is not the name of a service", hint)


_CHECKS = {
    ChannelType.WEBHOOK: _webhook_problems,
    ChannelType.PAGERDUTY: _pagerduty_problems,
    ChannelType.COMMAND: _command_problems,
    ChannelType.APPRISE: _apprise_problems,
}


def _address_problems(key: str, url: str | Secret) -> Iterator[Problem]:
    if isinstance(url, Secret):
        yield from fields.secret_problems(key, url)
    elif found := fields.url_problem(url):
        yield Problem(key, *found)


def _plain_secrets(channel: Channel) -> Iterator[Problem]:
    """Problems of secrets written out in a configuration that other users can read."""
    yield from fields.plain_secret_problems(_as_endpoint(channel))
    if channel.type == ChannelType.APPRISE and isinstance(channel.url, str):
        text = "is a secret in a file that others can read"
        hint = f"Make that file yours alone (chmod 600), or {_REFERENCE}"
        yield Problem("url", text, hint)


def _as_endpoint(channel: Channel) -> Endpoint:
    """The URL and headers of a channel as an Endpoint, which the checks take."""
    url = channel.url if isinstance(channel.url, str) else ""
    return Endpoint(channel.name, url, headers=channel.headers)


def receiver_problems(
    settings: Settings, resolve: SecretResolver = resolve_secret
) -> Iterator[str]:
    """Reasons why a channel or the heartbeat could not send now, such as a missing secret."""
    for channel in settings.channel:
        for reason in _unmet_needs(channel, resolve):
            yield f"channel {clean(channel.name, 80)}: {reason}"
    if settings.heartbeat is not None and isinstance(settings.heartbeat.url, Secret):
        for reason in _missing_secret(settings.heartbeat.url, resolve):
            yield f"heartbeat: {reason}"


def _unmet_needs(channel: Channel, resolve: SecretResolver) -> Iterator[str]:
    # 5 ms, which only a check pays and not every load
    import shutil
    from importlib.util import find_spec

    for value in (channel.url, channel.routing_key, channel.token, *channel.headers.values()):
        if isinstance(value, Secret):
            yield from _missing_secret(value, resolve)
    if channel.type == ChannelType.APPRISE and find_spec("apprise") is None:
        yield "apprise is not installed; pip install 'watchdeck[notify]' brings it"
    if channel.type == ChannelType.COMMAND and shutil.which(channel.command[0]) is None:
        yield f"there is no program {clean(channel.command[0], 200)!r}"
    for name in channel.environment:
        if name not in os.environ:
            yield f"the environment variable {name} is not set"


def _missing_secret(secret: Secret, resolve: SecretResolver) -> Iterator[str]:
    try:
        resolve(secret)
    except SecretError as error:
        yield str(error)
