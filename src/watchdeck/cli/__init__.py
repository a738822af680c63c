"""The command line: every command is loaded only when it is asked for."""

from __future__ import annotations

import importlib
import sys
from typing import Any, NamedTuple

import click

from watchdeck import __version__
from watchdeck.cli.options import Context, with_options
from watchdeck.errors import WatchdeckError


class _Command(NamedTuple):
    """Where a command is defined, and its line in the help."""

    module: str
    help: str


_COMMANDS = {
    "console": _Command(
        "watchdeck.cli.processes.console",
        "Open the console on the configured store (what a bare `watchdeck` does).",
    ),
    "demo": _Command(
        "watchdeck.cli.processes.demo",
        "Show a simulated fleet of eight servers; needs nothing, leaves nothing.",
    ),
    "init": _Command(
        "watchdeck.cli.setup.init",
        "Write a commented watchdeck.toml, probing URLs to recognise their kind.",
    ),
    "check": _Command(
        "watchdeck.cli.setup.check",
        "Validate the configuration and poll every endpoint once.",
    ),
    "collect": _Command(
        "watchdeck.cli.processes.collect",
        "Run the collector in the foreground.",
    ),
    "status": _Command(
        "watchdeck.cli.models.status",
        "Print one board as text or JSON; the exit code is the worst model's.",
    ),
    "alerts": _Command(
        "watchdeck.cli.alerts.alerts",
        "List the open alerts and the silences in force.",
    ),
    "ack": _Command(
        "watchdeck.cli.alerts.ack",
        "Take alerts, for a while.",
    ),
    "unack": _Command(
        "watchdeck.cli.alerts.unack",
        "Give alerts back.",
    ),
    "resolve": _Command(
        "watchdeck.cli.alerts.resolve",
        "End alerts by hand, with a note.",
    ),
    "note": _Command(
        "watchdeck.cli.alerts.note",
        "Write on an alert, or say what it was worth.",
    ),
    "silence": _Command(
        "watchdeck.cli.alerts.silence",
        "Have nobody told of some alerts for a while.",
    ),
    "unsilence": _Command(
        "watchdeck.cli.alerts.unsilence",
        "End a silence before its time.",
    ),
    "pin": _Command(
        "watchdeck.cli.alerts.pin",
        "Pin a known issue on a model or a rule.",
    ),
    "rules": _Command(
        "watchdeck.cli.rules.rules",
        "List rules, check them, try them on stored history, see what they were worth.",
    ),
    "change": _Command(
        "watchdeck.cli.models.change",
        "Mark deploys, retrains and changes of configuration.",
    ),
    "export": _Command(
        "watchdeck.cli.store.export",
        "Write any window of the store as CSV, JSON lines or a plain-rows SQLite file.",
    ),
    "backup": _Command(
        "watchdeck.cli.store.backup",
        "Copy the whole store, consistent and checked.",
    ),
    "audit": _Command(
        "watchdeck.cli.store.audit",
        "Verify the audit chain.",
    ),
    "doctor": _Command(
        "watchdeck.cli.store.doctor",
        "Examine the store and the collector.",
    ),
}


class LazyGroup(click.Group):
    """Lists commands without importing them: each would cost what it alone needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order a newcomer meets them."""
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The command itself; None when there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name].module)
        command: click.Command = module.command
        command.help = command.help or _COMMANDS[cmd_name].help
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """One line a command, from the table: `--help` imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in _COMMANDS.items()])


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
    """
    ctx.obj = Context(config)
    if ctx.invoked_subcommand is None:
        console = group.get_command(ctx, "console")
        ctx.invoke(console, **options)  # type: ignore[arg-type]
    elif given := [name for name, value in options.items() if value]:
        raise click.UsageError(
            f"before a command --{given[0].replace('_', '-')} is the console's. Write it after the"
            f" command: watchdeck {ctx.invoked_subcommand} --help tells what that takes."
        )


def main() -> None:
    """Run the command line; errors are one sentence on stderr, without a traceback."""
    try:
        sys.exit(group(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except WatchdeckError as error:
        click.echo(f"watchdeck: {error}", err=True)
        sys.exit(error.exit_code)
