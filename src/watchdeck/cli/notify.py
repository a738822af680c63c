"""`watchdeck notify`: try a channel before an alert needs it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from watchdeck.cli.options import Context, now, operator
from watchdeck.errors import StoreError, StoreMissing, WatchdeckError

if TYPE_CHECKING:
    from watchdeck.domain.settings.configuration import Settings
    from watchdeck.domain.settings.receivers import Channel


class ChannelError(WatchdeckError):
    """A channel that is not configured; the text names those that are."""


@click.group()
def command() -> None:
    """Try the channels of notifications."""


@command.command()
@click.argument("channel")
@click.pass_context
def test(ctx: click.Context, channel: str) -> None:
    """Send one message marked [TEST] through CHANNEL, now, and say whether it was taken.

    It goes out from this process, with or without a collector, past routes and limits, and enters
    no list of alerts. At PagerDuty an incident of its own is opened and resolved. The exit code is
    1 when the message was not taken.
    """
    from watchdeck.notify.result import Sent
    from watchdeck.service.channel_check import send_test

    context: Context = ctx.obj
    found, who, at = _find_channel(context.settings(), channel), operator(), now()
    result = asyncio.run(send_test(found, context.directory(), who.user, at))
    problem = "" if isinstance(result, Sent) else result.why
    _audit(context, found.name, problem, at)
    words = f"not sent: {problem}" if problem else "sent, and taken"
    click.echo(f"{found.name} ({found.type}): {words}")
    ctx.exit(1 if problem else 0)


def _find_channel(settings: Settings, name: str) -> Channel:
    from watchdeck.config.reading.problems import did_you_mean
    from watchdeck.domain.values.text import clean

    known = {one.name: one for one in settings.channel}
    if name not in known:
        there_are = f"There are: {', '.join(known)}." if known else "Write [[channel]] first."
        hint = did_you_mean(name, known, there_are)
        raise ChannelError(f"no channel is called {clean(name, 80)!r}. {hint}")
    return known[name]


def _audit(context: Context, channel: str, problem: str, at: int) -> None:
    """Write the audit row, where there is a store; a store that cannot be written is told."""
    from watchdeck.actions.channel import record_channel_test

    try:
        record_channel_test(context.directory(), channel, problem, operator(), at)
    except StoreMissing:
        return
    except StoreError as error:
        click.echo(f"the audit has no row of this test: {error}", err=True)
