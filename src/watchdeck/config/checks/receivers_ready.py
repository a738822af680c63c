"""Whether channels can be told from here: their secrets are there, and their programs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec

from watchdeck.config.reading.secrets import SecretError, resolve_secret
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.settings.receivers import Channel, ChannelType
from watchdeck.domain.values.secret import Secret, SecretResolver
from watchdeck.domain.values.text import clean


def receiver_problems(settings: Settings, look: SecretResolver = resolve_secret) -> Iterator[str]:
    """Why somebody could not be told now, a sentence each; better known before the night."""
    for channel in settings.channel:
        for why in _wants(channel, look):
            yield f"channel {clean(channel.name, 80)}: {why}"
    if settings.heartbeat is not None and isinstance(settings.heartbeat.url, Secret):
        for why in _missing(settings.heartbeat.url, look):
            yield f"heartbeat: {why}"


def _wants(channel: Channel, look: SecretResolver) -> Iterator[str]:
    for value in (channel.url, channel.routing_key, channel.token, *channel.headers.values()):
        if isinstance(value, Secret):
            yield from _missing(value, look)
    if channel.type == ChannelType.APPRISE and find_spec("apprise") is None:
        yield "apprise is not installed; pip install 'watchdeck[notify]' brings it"
    if channel.type == ChannelType.COMMAND and shutil.which(channel.command[0]) is None:
        yield f"there is no program {clean(channel.command[0], 200)!r}"
    for name in channel.environment:
        if name not in os.environ:
            yield f"the environment variable {name} is not set"


def _missing(secret: Secret, look: SecretResolver) -> Iterator[str]:
    try:
        look(secret)
    except SecretError as error:
        yield str(error)
