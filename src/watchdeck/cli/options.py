"""Parts that all commands share: the context, the operator, the clock, and option types."""

from __future__ import annotations

import os
import pwd
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NewType

import click

from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Milliseconds
from watchdeck.errors import ConfigError, WatchdeckError

if TYPE_CHECKING:
    from watchdeck.domain.board.filter import Filter, Vocabulary
    from watchdeck.domain.notifications.routing import Routing
    from watchdeck.domain.settings.configuration import Settings
    from watchdeck.domain.values.operator import Operator
    from watchdeck.store.files.directory import StoreDirectory


class Context:
    """The context that click passes to every command; the configuration is loaded only once."""

    def __init__(self, config: str | None = None) -> None:
        self.config = config

    def path(self) -> Path:
        """The configuration file. Raises ConfigError, which lists the places that were searched."""
        from watchdeck.config.load import find

        path = find(self.config, os.environ)
        if path is None:
            raise ConfigError(
                "no configuration was found (--config, WATCHDECK_CONFIG, ./watchdeck.toml, the XDG"
                " config directory). `watchdeck init URL` writes one; `watchdeck demo` needs none."
            )
        return path

    def settings(self) -> Settings:
        """The loaded configuration. Raises ConfigError with every problem in it."""
        return self._settings

    @cached_property
    def _settings(self) -> Settings:
        from watchdeck.config.load import load

        return load(self.path())

    def routing(self) -> Routing:
        """The configured routing of notifications."""
        from watchdeck.config.routing import routing_of

        return routing_of(self.settings())

    def directory(self) -> StoreDirectory:
        """The directory of the configured store; it may not exist yet."""
        from watchdeck.config.load import store_path
        from watchdeck.store.files.directory import StoreDirectory

        return StoreDirectory(store_path(self.settings(), os.environ))


def now() -> int:
    """The current time in milliseconds UTC."""
    return time.time_ns() // 1_000_000


def operator() -> Operator:
    """The person who runs this command: the OS user, and the origin of their SSH session."""
    from watchdeck.domain.values.operator import Operator

    origin = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
    return Operator(clean(user_name(os.getuid()), 64), clean(origin, 64))


def user_name(number: int) -> str:
    """The name of an OS user, from the user database and not from the environment.

    Returns the number of a user without a name, as in many containers.
    """
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


_AGO = re.compile(r"-?(\d+(?:\.\d+)?(?:ms|s|m|h|d|w))(?: ago)?")


class TimeParam(click.ParamType[int]):
    """A point in time: `2026-11-23T05:00:00Z`, a date, or an age (`90m`)."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The time in ms UTC; a time without a zone is in UTC. Raises click.BadParameter."""
        if isinstance(value, int):
            return value
        if match := _AGO.fullmatch(value.strip()):
            return now() - Milliseconds.parse(match[1])
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is not a time; write 2026-11-23T05:00:00Z, or 90m for 90 minutes ago.",
                param,
                ctx,
            )
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1_000)


class PastTimeParam(TimeParam):
    """A point in time that is not in the future."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The time in ms UTC. Raises click.BadParameter when it is after now."""
        at = super().convert(value, param, ctx)
        if at > now():
            self.fail(f"{iso(at)} has not come yet; write a moment of the past.", param, ctx)
        return at


class DurationParam(click.ParamType[int]):
    """A duration: `30m`, `2h`, `1d`."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The duration in ms. Raises click.BadParameter."""
        try:
            return int(Milliseconds.parse(str(value)))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


def read_filter(context: Context, text: str, vocabulary: Vocabulary) -> Filter:
    """The filter that a text means; `@NAME` is a saved one. Raises click.UsageError.

    The configuration is read for a saved filter only.
    """
    from watchdeck.domain.board.filter import SAVED, FilterError, parse_named

    saved = context.settings().console.filters if text.startswith(SAVED) else {}
    try:
        return parse_named(text, saved, vocabulary)
    except FilterError as error:
        raise click.UsageError(f"{error} (at character {error.position + 1})") from None


def read_named_filter(context: Context, text: str, vocabulary: Vocabulary) -> Filter:
    """The saved filter of this name, with or without `@`, or the filter that the text means."""
    from watchdeck.domain.board.filter import SAVED

    is_name = text in context.settings().console.filters
    return read_filter(context, f"{SAVED}{text}" if is_name else text, vocabulary)


Timestamp = NewType("Timestamp", str)
"""A time as ISO 8601 text in UTC: `2026-11-23T05:00:00Z`."""


def iso(at: int) -> Timestamp:
    """A time (ms UTC) as ISO 8601 in UTC, to the second."""
    return Timestamp(datetime.fromtimestamp(at // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def iso_or_none(at: int | None) -> Timestamp | None:
    """A time (ms UTC) as ISO 8601 in UTC; None for None."""
    return None if at is None else iso(at)


class CommandFailure(click.ClickException):
    """A failure of a CodedCommand, usage errors included; its exit code is 3."""

    exit_code = 3

    def __init__(self, cause: click.ClickException | WatchdeckError) -> None:
        super().__init__(str(cause))
        self.cause = cause

    def show(self, file: IO[str] | None = None) -> None:
        """Print the error that caused the failure, to stderr by default."""
        if isinstance(self.cause, click.ClickException):
            self.cause.show(file)
        else:
            click.echo(f"watchdeck: {self.cause}", file=file, err=file is None)


class CodedCommand(click.Command):
    """A command whose exit codes 1 and 2 have a meaning: its own failures must exit with 3."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Parse the arguments as click does. Raises CommandFailure for a usage error."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise CommandFailure(error) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command as click does. Raises CommandFailure for every error."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, WatchdeckError) as error:
            raise CommandFailure(error) from error


OPTIONS = (
    click.option("--read-only", is_flag=True, help="Change nothing: not even start a collector."),
    click.option("--at", type=PastTimeParam(), help="Show the fleet as it was then."),
    click.option("--slow-link", is_flag=True, help="Spare the link: fewer colours, no mouse."),
)
"""The options of `watchdeck console`, also for `watchdeck` without a command."""


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """Decorate a command with the options of the console."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function
