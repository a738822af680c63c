"""Selection of alerts on the command line, by numbers of episodes or by labels."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from watchdeck.cli.options import now
from watchdeck.domain.values.matcher import Matcher, MatcherError, read_matcher
from watchdeck.domain.values.text import clean
from watchdeck.errors import WatchdeckError

if TYPE_CHECKING:
    from watchdeck.actions.transaction import ActionResult
    from watchdeck.domain.alerts.alert import ActiveAlert
    from watchdeck.store.files.directory import StoreDirectory


class AlertSelector(click.ParamType[int | Matcher]):
    """A command-line argument that selects alerts: an episode number, or a matcher."""

    name = "WHICH"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Matcher:
        """An episode number or a matcher. Raises click.BadParameter."""
        text = str(value)
        if text.isdecimal() and len(text) < 19:
            return int(text)
        try:
            return read_matcher(text)
        except MatcherError as error:
            self.fail(f"{error}. The numbers of open alerts are in `watchdeck alerts`.", param, ctx)


def board_alerts(directory: StoreDirectory, at: int | None = None) -> tuple[ActiveAlert, ...]:
    """The alerts of the live board, or of the board at `at` (ms UTC)."""
    from watchdeck.store.reader import Reader

    with closing(Reader(directory)) as reader:
        return reader.board(now(), at).alerts


def select_episodes(directory: StoreDirectory, which: Sequence[int | Matcher]) -> tuple[int, ...]:
    """The episodes with the given numbers, and the open episodes that meet every matcher.

    Raises WatchdeckError when no open alert meets the matchers.
    """
    from watchdeck.domain.alerts.muting import matching_alerts

    numbers = [one for one in which if isinstance(one, int)]
    matchers = [one for one in which if isinstance(one, Matcher)]
    if matchers:
        found = [
            one for one in matching_alerts(matchers, board_alerts(directory)) if one.episode.is_open
        ]
        if not found:
            said = clean(" ".join(map(str, matchers)))
            raise WatchdeckError(f"no open alert has {said}. `watchdeck alerts` lists them.")
        numbers += (one.episode.id for one in found)
    return tuple(dict.fromkeys(numbers))


def print_result(done: ActionResult) -> None:
    """Print the result of an action; the exit code is 1 when the action changed nothing."""
    click.echo(done.words)
    for lost in done.refusals[1:]:
        click.echo(f"  {lost}")
    if not done.affected:
        click.get_current_context().exit(1)
