"""`watchdeck check`: validate the configuration, and scrape each endpoint once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchdeck.cli.options import now
from watchdeck.cli.setup.check_report import (
    CheckReport,
    ConfigOverview,
    problem_documents,
    report_json,
)

if TYPE_CHECKING:
    from watchdeck.cli.setup.endpoint_check import EndpointCheck
    from watchdeck.collector.scrape.attempt import MetricsPage
    from watchdeck.config.reading.problems import Problem
    from watchdeck.domain.kinds.kind import Kind
    from watchdeck.domain.rules.rule import Rule
    from watchdeck.domain.settings.configuration import Settings
    from watchdeck.domain.settings.endpoint import Endpoint

AT_ONCE = 50
"""Limit of endpoints that are scraped at the same time."""


@click.command()
@click.option("--no-poll", is_flag=True, help="Validate the configuration and ask nobody.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_context
def command(ctx: click.Context, *, no_poll: bool, as_json: bool) -> None:
    """Validate the configuration and poll every endpoint once.

    Names the channels, the routes with their hours, and who is on call. Shows what each endpoint
    was asked, the figures of its page with their units, what is not measurable and why, and which
    objectives of an SLO cannot be judged. The exit code is 1 when the configuration has a problem,
    an endpoint is not reached, a receiver cannot be notified, or an alert source cannot be
    received; else 0. Maintenance that mutes nearly every alert gets a hint.
    """
    from watchdeck.config.load import load
    from watchdeck.config.maintenance import maintenance_of_everything
    from watchdeck.config.reading.problems import ConfigProblems

    path = ctx.obj.path()
    try:
        settings = load(path, _more_problems)
    except ConfigProblems as problems:
        if not as_json:
            raise
        click.echo(report_json(CheckReport(path, problem_documents(problems))))
        ctx.exit(1)
    for hint in maintenance_of_everything(settings):
        click.echo(f"{path}: {hint}", err=True)
    overview = _overview(settings)
    report = CheckReport(path, overview=overview) if no_poll else _check(path, settings, overview)
    click.echo(report_json(report) if as_json else _report_text(report, len(settings.endpoint)))
    ctx.exit(0 if report.is_ok else 1)


def _report_text(report: CheckReport, count: int) -> str:
    from watchdeck.cli.setup.check_lines import report_lines

    return "\n".join(report_lines(report, count))


def _more_problems(settings: Settings) -> Iterator[Problem]:
    """The problems of the console's settings, and of a collector that would have no work."""
    from watchdeck.config.load import idle_problems
    from watchdeck.console.controllers.config_check import view_problems

    yield from view_problems(settings.console, os.environ)
    yield from idle_problems(settings)


def _overview(settings: Settings) -> ConfigOverview:
    from watchdeck.cli.setup import notification_lines as lines
    from watchdeck.config.routing import routing_of
    from watchdeck.config.rules import rules_in_force

    routing = routing_of(settings)
    return ConfigOverview(
        len(rules_in_force(settings)),
        tuple(lines.source_texts(settings)),
        tuple(lines.channel_texts(settings.channel)),
        tuple(lines.route_texts(routing)),
        tuple(lines.escalation_texts(settings.escalation)),
        tuple(lines.rota_texts(routing, now())),
    )


def _check(path: Path, settings: Settings, overview: ConfigOverview) -> CheckReport:
    from watchdeck.config.checks.receivers import receiver_problems

    endpoints = asyncio.run(_scrape_all(settings)) if settings.endpoint else None
    receivers = tuple(receiver_problems(settings))
    return CheckReport(
        *(path, (), endpoints, overview, receivers, _intake_problems(settings)),
        remarks=tuple(_remarks(settings)),
    )


def _remarks(settings: Settings) -> Iterator[str]:
    """What works, and may surprise."""
    from watchdeck.config.reading.secrets import short_secrets
    from watchdeck.domain.values.secret import SHORTEST_SECRET

    if short := ", ".join(short_secrets(settings)):
        yield (
            f"Not hidden in texts that repeat it, as it has fewer than {SHORTEST_SECRET}"
            f" characters: {short}"
        )


async def _scrape_all(settings: Settings) -> list[EndpointCheck]:
    """Scrape every endpoint once, AT_ONCE of them at a time, each within its own time limit."""
    from watchdeck.config.reading.kinds import load_kinds

    rules = _own_rules(settings)
    kinds, limit = load_kinds(), asyncio.Semaphore(AT_ONCE)

    async def scrape_once(endpoint: Endpoint) -> EndpointCheck:
        async with limit:
            return await _scrape(endpoint, kinds, rules)

    return await asyncio.gather(*map(scrape_once, settings.endpoint))


def _own_rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules of the configuration, without those of the pack that it does not name."""
    if not settings.rule:
        return ()
    from watchdeck.config.rules import rules_in_force

    names = {text.name for text in settings.rule}
    return tuple(rule for rule in rules_in_force(settings) if rule.name in names)


async def _scrape(
    endpoint: Endpoint, kinds: Sequence[Kind], rules: tuple[Rule, ...]
) -> EndpointCheck:
    """Scrape an endpoint once; each request and the page are part of the result."""
    from watchdeck.cli.setup.endpoint_check import EndpointCheck
    from watchdeck.cli.setup.request_log import RequestLog
    from watchdeck.collector.exposition import PageParser
    from watchdeck.collector.scrape.scraper import Scraper
    from watchdeck.domain.settings.endpoint import public_facts

    log = RequestLog()
    pages: list[MetricsPage] = []

    def observe(_name: str, _kind: Kind, page: MetricsPage, _at: int) -> None:
        pages.append(page)

    parser = PageParser(max_series=endpoint.max_series)
    scraper = Scraper(endpoint, kinds, parser, log.client(endpoint))
    scraper.observe = observe
    try:
        scrape = await scraper.scrape(now())
    finally:
        await scraper.close()
    page = pages[0] if pages else None
    kind = next((one for one in kinds if one.name == scrape.kind), None)
    is_text = page is not None and kind is not None and not kind.json_map
    document = None if is_text else log.document(page.url if page else None)
    url = public_facts(endpoint).url
    asked = log.texts(endpoint)
    return EndpointCheck(endpoint, url, scrape, kind, page, asked, document, rules)


def _intake_problems(settings: Settings) -> Sequence[str]:
    if settings.intake is None and not settings.alertmanager:
        return ()
    from watchdeck.collector.intake.alertmanager import intake_problems

    return asyncio.run(intake_problems(settings, now()))
