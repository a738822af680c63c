"""`watchdeck check`: the configuration, and one real scrape of everything in it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdeck.cli.options import now
from watchdeck.domain.values.text import clean

if TYPE_CHECKING:
    from watchdeck.cli.setup.check_output import EndpointCheckResult
    from watchdeck.config.reading.problems import ConfigProblems
    from watchdeck.domain.settings.endpoint import Endpoint, Settings

AT_ONCE = 50
"""Endpoints that are asked side by side."""


@click.command()
@click.option("--no-poll", is_flag=True, help="Validate the configuration and ask nobody.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_context
def command(ctx: click.Context, *, no_poll: bool, as_json: bool) -> None:
    """Validate the configuration and poll every endpoint once.

    It says what is measurable, what is not, and why. The exit code is 1 when the configuration has
    a problem, an endpoint was not reached, or somebody cannot be told or heard from here, else 0.
    """
    from watchdeck.config.checks.receivers_ready import receiver_problems
    from watchdeck.config.load import load
    from watchdeck.config.reading.problems import ConfigProblems
    from watchdeck.console.controllers.view_check import view_problems

    path = ctx.obj.path()
    try:
        settings = load(path, lambda settings: view_problems(settings.console, os.environ))
    except ConfigProblems as problems:
        if not as_json:
            raise
        click.echo(_json(path, _problems(problems), None, [], []))
        ctx.exit(1)
    findings = None if no_poll or not settings.endpoint else asyncio.run(_poll(settings))
    untold = [] if no_poll else list(receiver_problems(settings))
    unheard = [] if no_poll else _unheard(settings)
    if as_json:
        click.echo(_json(path, [], findings, untold, unheard))
    else:
        warnings = [*_warnings("told", untold), *_warnings("heard", unheard)]
        click.echo("\n".join([_text(path, settings, findings), *warnings]))
    good = all(finding.good for finding in findings or ()) and not untold and not unheard
    ctx.exit(0 if good else 1)


def _unheard(settings: Settings) -> list[str]:
    """Whose alerts could not be heard from here, and why."""
    if settings.intake is None and not settings.alertmanager:
        return []
    from watchdeck.collector.intake.check import intake_problems

    return asyncio.run(intake_problems(settings, now()))


async def _poll(settings: Settings) -> list[EndpointCheckResult]:
    """Scrape every endpoint once, some at a time, each within its own time limit."""
    from watchdeck.cli.setup.check_output import EndpointCheckResult
    from watchdeck.collector.exposition import PageParser
    from watchdeck.collector.scrape.scraper import Scraper
    from watchdeck.config.reading.kinds import load_kinds
    from watchdeck.service.endpoint_facts import facts

    kinds, turn = load_kinds(), asyncio.Semaphore(AT_ONCE)
    by_name = {kind.name: kind for kind in kinds}

    async def look(endpoint: Endpoint) -> EndpointCheckResult:
        async with turn:
            scraper = Scraper(endpoint, kinds, PageParser(max_series=endpoint.max_series))
            try:
                scrape = await scraper.scrape(now())
            finally:
                await scraper.close()
        return EndpointCheckResult(
            endpoint, facts(endpoint).url, scrape, by_name.get(scrape.kind or "")
        )

    return await asyncio.gather(*map(look, settings.endpoint))


def _text(path: Path, settings: Settings, findings: list[EndpointCheckResult] | None) -> str:
    from watchdeck.cli.setup.check_output import as_text

    count = len(settings.endpoint)
    head = f"{clean(str(path))}: {count} endpoint{'s' * (count != 1)}, no problems."
    if not count:
        return f"{head} `watchdeck init URL` writes some."
    return head if findings is None else f"{head}\n\n{as_text(findings)}"


def _warnings(what: str, whom: list[str]) -> list[str]:
    """Who cannot be told, or heard, and why, after all that was asked."""
    return ["", *(f"Cannot be {what}: {why}." for why in whom)] if whom else []


def _problems(problems: ConfigProblems) -> list[dict[str, str]]:
    return [{"key": one.key, "problem": one.text, "hint": one.hint} for one in problems.problems]


def _json(
    path: Path,
    problems: list[dict[str, str]],
    findings: list[EndpointCheckResult] | None,
    untold: list[str],
    unheard: list[str],
) -> str:
    from watchdeck.cli.setup.check_output import as_json

    answer: dict[str, object] = {"config": str(path), "problems": problems}
    if findings is not None:
        answer["endpoints"] = [as_json(finding) for finding in findings]
    if untold:
        answer["cannot_be_told"] = untold
    if unheard:
        answer["cannot_be_heard"] = unheard
    return json.dumps(answer, indent=1, ensure_ascii=False, allow_nan=False)
