"""`watchdeck doctor`: what is well and what is not with the store and its collector."""

from __future__ import annotations

import click

from watchdeck.cli.options import Context, now


@click.command()
@click.pass_context
def command(ctx: click.Context) -> None:
    """Examine the store and the collector; exit code 1 when a check fails."""
    from watchdeck.store.doctor import CheckStatus, examine

    context: Context = ctx.obj
    budget = context.settings().retention.budget
    findings = examine(context.directory(), now(), budget)
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        click.echo(f"{finding.state:<7}  {finding.name:<{width}}  {finding.text}")
    ctx.exit(1 if any(finding.state is CheckStatus.FAIL for finding in findings) else 0)
