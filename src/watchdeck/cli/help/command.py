"""`watchdeck help`: print the reference of a topic, or of one of its sections."""

import shutil
import sys
from importlib import import_module

import click
from msgspec import Struct

from watchdeck.cli.help.layout import Reference, render, render_sections, select
from watchdeck.config.reading.problems import did_you_mean
from watchdeck.domain.values.text import clean

WIDTH = 80
"""Columns when the output is not a terminal."""

_WIDEST = 100
"""Columns on a wider terminal: longer lines are hard to read."""


class Topic(Struct, frozen=True):
    """A topic: the module below watchdeck.cli.help whose `reference` builds the text; its line."""

    module: str
    summary: str


TOPICS = {
    "config": Topic("config", "Every table and key of watchdeck.toml, and the environment."),
    "rules": Topic("rules", "Alerting rules: conditions, signals, keys, built-in rules."),
    "filter": Topic("filters", "Filters of models and alerts, and matchers of labels."),
    "json": Topic("documents", "Every field of every JSON that watchdeck prints or sends."),
    "keys": Topic("keys", "Every key of the console, with the id that remaps the key."),
}


@click.command()
@click.argument("topic", default="")
@click.argument("section", default="")
def command(topic: str, section: str) -> None:
    """Print the reference of TOPIC: config, rules, filter, json or keys.

    With SECTION, only that part: `help config endpoint`, `help config endpoint.every`, `help rules
    signals`. On a terminal a long text opens in $PAGER. Without a topic, the topics are listed.
    """
    width = _width()
    if not topic:
        click.echo(topics_text())
        return
    name, _, inner = topic.partition(".")
    wanted = ".".join(filter(None, (inner, section)))
    _print(reference_text(name, wanted, width))


def topics_text() -> str:
    """The topics, one a line."""
    lines = [f"  watchdeck help {name:<8}{topic.summary}" for name, topic in TOPICS.items()]
    advice = "watchdeck help TOPIC SECTION prints one section: watchdeck help config endpoint"
    return "\n".join(["Topics:", *lines, "", advice])


def reference_text(topic: str, section: str, width: int) -> str:
    """The text of a topic, or of what `section` names in it. Raises click.UsageError."""
    reference = reference_of(topic)
    if not section:
        return render(reference, width)
    found = select(reference.sections, section)
    if not found:
        text = _unknown(section, f"a section of {topic}", reference.names, reference.entry_names)
        raise click.UsageError(text)
    return render_sections(found, width)


def reference_of(topic: str) -> Reference:
    """The reference of a topic. Raises click.UsageError when there is no such topic."""
    if topic not in TOPICS:
        text = _unknown(topic, "a topic", tuple(TOPICS))
        advice = "" if not _is_command(topic) else f" `watchdeck {topic} --help` explains that."
        raise click.UsageError(f"{text}{advice}")
    module = import_module(f"watchdeck.cli.help.{TOPICS[topic].module}")
    reference: Reference = module.reference()
    return reference


def _unknown(name: str, noun: str, known: tuple[str, ...], more: tuple[str, ...] = ()) -> str:
    """The text of an error: the nearest name, of `more` too, and all that are `known`."""
    near = did_you_mean(name, (*known, *more))
    hint = f"{near} " if near else ""
    return f"{clean(name, 40)!r} is not {noun}. {hint}There are: {', '.join(known)}."


def _is_command(name: str) -> bool:
    context = click.get_current_context(silent=True)
    group = context.find_root().command if context else None
    return isinstance(group, click.Group) and name in group.list_commands(click.Context(group))


def _width() -> int:
    """The columns to fill: those of the terminal, 80 in a pipe or file."""
    return min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else WIDTH


def _print(text: str) -> None:
    """Print a text; on a terminal with fewer lines, in the pager."""
    lines = shutil.get_terminal_size().lines
    if sys.stdout.isatty() and text.count("\n") >= lines - 1:
        click.echo_via_pager(text)
    else:
        click.echo(text)
