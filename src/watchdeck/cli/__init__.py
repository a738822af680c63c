"""The command line: a command's module is imported only when the command runs."""

import logging
import sys
import traceback
from importlib import import_module
from types import TracebackType
from typing import Any, NamedTuple

import click

from watchdeck import __version__
from watchdeck.cli.options import Context, with_options
from watchdeck.cli.streams import CLOSED_CODE, OutputClosed, use_output_stream
from watchdeck.errors import WatchdeckError


class _ShellCommand(NamedTuple):
    """A shell command: its MODULE:ATTRIBUTE below watchdeck.cli, and its line in the help."""

    path: str
    help: str


_COMMANDS = {
    "console": _ShellCommand(
        "processes:console",
        "Open the console on the configured store (what a bare `watchdeck` does).",
    ),
    "demo": _ShellCommand(
        "processes:demo", "Show a simulated fleet of eight servers; needs nothing, leaves nothing."
    ),
    "init": _ShellCommand(
        "setup.init:command",
        "Write a commented watchdeck.toml, probing URLs to recognise their kind.",
    ),
    "check": _ShellCommand(
        "setup.check:command", "Validate the configuration and poll every endpoint once."
    ),
    "collect": _ShellCommand("processes:collect", "Run the collector in the foreground."),
    "status": _ShellCommand(
        "models.status:command",
        "Print one board as text or JSON; the exit code is the worst model's.",
    ),
    "alerts": _ShellCommand(
        "alerts.alerts:command", "List the open alerts and the silences in force."
    ),
    "rules": _ShellCommand(
        "rules.rules:command",
        "List rules, check them, try them on stored history, see what they were worth.",
    ),
    "notify": _ShellCommand("notify:command", "Try a channel: send one message marked [TEST]."),
    "change": _ShellCommand(
        "models.change:command", "Mark deploys, retrains and changes of configuration."
    ),
    "export": _ShellCommand(
        "store:export",
        "Write any window of the store as CSV, JSON lines or a plain-rows SQLite file.",
    ),
    "backup": _ShellCommand("store:backup", "Copy the whole store, consistent and checked."),
    "restore": _ShellCommand(
        "store:restore", "Put a backup in the place of the store; the old files are kept."
    ),
    "audit": _ShellCommand("store:audit", "Verify the audit chain."),
    "doctor": _ShellCommand("store:doctor", "Examine the store and the collector."),
    "help": _ShellCommand(
        "help.command:command", "Print the reference: config, rules, filter, json or keys."
    ),
}


def _summaries() -> dict[str, str]:
    """The help line of each command, in order; commands that act on alerts follow `alerts`."""
    from watchdeck.actions.table import shell_summaries

    found = {}
    for name, command in _COMMANDS.items():
        found[name] = command.help
        if name == "alerts":
            found |= shell_summaries()
    return found


def _action_command(name: str) -> click.Command | None:
    """The command built from the actions of this name; None when no action has the name."""
    from watchdeck.actions.table import shell_summaries

    if name not in shell_summaries():
        return None
    from watchdeck.cli.alerts.commands import build_command

    return build_command(name)


class LazyGroup(click.Group):
    """A group that lists its commands without importing their modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of the commands, in the order of the help."""
        return list(_summaries())

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The command with this name; None when there is none. Imports its module."""
        if cmd_name not in _COMMANDS:
            return _action_command(cmd_name)
        module, _, attribute = _COMMANDS[cmd_name].path.partition(":")
        command: click.Command = getattr(import_module(f"watchdeck.cli.{module}"), attribute)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the help line of each command, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_summaries().items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--config",
    metavar="FILE",
    help="The configuration; else WATCHDECK_CONFIG, ./watchdeck.toml, the XDG config directory.",
)
@with_options
@click.version_option(__version__, prog_name="watchdeck")
@click.pass_context
def group(ctx: click.Context, /, config: str | None, **options: Any) -> None:
    """A terminal operations console for machine-learning models in production.

    Without a command: the console on the configured store; a collector is started if none runs.

    The exit code is 1 after an error, 2 after wrong usage, 3 when the output cannot be written, and
    141 when the program that reads it has ended; the help of a command says where it differs.
    """
    ctx.obj = Context(config)
    if ctx.invoked_subcommand is None:
        console = group.get_command(ctx, "console")
        ctx.invoke(console, **options)  # type: ignore[arg-type]
    elif given := [name for name, value in options.items() if value]:
        raise click.UsageError(
            f"before a command --{given[0].replace('_', '-')} is the console's. Write it after the"
            f" command: watchdeck {ctx.invoked_subcommand} --help lists its options."
        )


def main() -> None:
    """Run the command line; errors are one sentence on stderr, without a traceback."""
    # what `logs.discard` does, whose module takes 10 ms to import
    logging.getLogger().addHandler(logging.NullHandler())
    sys.excepthook = _print_fault
    output = use_output_stream()
    try:
        code = group(standalone_mode=False) or 0
        if output is not None:
            output.flush()
        sys.exit(code)
    except OutputClosed:
        sys.exit(CLOSED_CODE)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except WatchdeckError as error:
        click.echo(f"watchdeck: {error}", err=True)
        sys.exit(error.exit_code)


def _print_fault(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print the traceback of a fault without secrets: the text of an exception may hold one."""
    from watchdeck.redaction import redact

    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))
