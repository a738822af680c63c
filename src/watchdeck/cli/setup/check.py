"""`watchdeck check`: validate the configuration, and scrape each endpoint once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import click
from msgspec import UNSET, Struct, UnsetType

from watchdeck.cli.options import now
from watchdeck.cli.output import count_noun, to_json
from watchdeck.domain.kinds.kind import Kind
from watchdeck.domain.metrics.scrape import ModelState, Outcome, Scrape
from watchdeck.domain.metrics.signal import SIGNALS
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.signals.plan_builder import reason_not_measurable
from watchdeck.domain.values.text import clean

if TYPE_CHECKING:
    from watchdeck.config.reading.problems import ConfigProblems
    from watchdeck.domain.settings.configuration import Settings

AT_ONCE = 50
"""Limit of endpoints that are scraped at the same time."""

_WIDTH = 98

_STATES = {
    ModelState.READY: "the model is ready",
    ModelState.NOT_READY: "the model is not ready",
    ModelState.LOADING: "the model is loading",
    ModelState.SLEEPING: "the model sleeps",
    ModelState.SCALED_TO_ZERO: "the model is scaled to zero",
    ModelState.UNKNOWN: "nothing tells whether the model is ready",
}

_OUTCOMES = {
    Outcome.OK: "answered",
    Outcome.TIMED_OUT: "no answer in time",
    Outcome.REFUSED: "refused",
    Outcome.RESET: "reset",
    Outcome.DNS: "no such host",
    Outcome.TLS: "not trusted",
    Outcome.HTTP_STATUS: "answered with an error",
    Outcome.TOO_LARGE: "too large",
    Outcome.UNREADABLE: "unreadable",
    Outcome.REDIRECTED: "redirected away",
    Outcome.NOT_METRICS: "no metrics",
    Outcome.UNREACHABLE: "not reached",
    Outcome.WRONG_ANSWER: "the canary's answer is wrong",
}


class EndpointCheckResult(Struct, frozen=True):
    """One endpoint and its one scrape; `url` is without user and password."""

    endpoint: Endpoint
    url: str
    scrape: Scrape
    kind: Kind | None

    @property
    def is_ok(self) -> bool:
        """Whether the scrape got every response it needs."""
        return self.scrape.outcome is Outcome.OK

    def measurable(self) -> tuple[str, ...]:
        """The signals that this endpoint gives, or will with traffic.

        Empty when its metrics page was not read.
        """
        if self.scrape.series is None and not self.is_ok:
            return ()
        columns = {series.name for series in self.scrape.signals.layout.series}
        missing = {*self.scrape.not_measurable, *(() if self._has_tls() else ("tls_days_left",))}
        return tuple(name for name in SIGNALS if name in columns and name not in missing)

    def _has_tls(self) -> bool:
        urls = (self.endpoint.url, self.endpoint.metrics_url or "")
        return any(url.startswith("https:") for url in urls)

    def not_measurable(self) -> dict[str, str]:
        """The signals that this endpoint cannot give, with reasons; empty for unknown kinds."""
        if self.kind is None:
            return {}
        return {name: reason_not_measurable(self.kind, name) for name in self.scrape.not_measurable}


class CheckReport(Struct, frozen=True):
    """All results of one check; `endpoints` is None when no endpoint was scraped."""

    config: Path
    problems: tuple[ProblemDocument, ...] = ()
    endpoints: Sequence[EndpointCheckResult] | None = None

    receivers: Sequence[str] = ()
    """Why some receivers cannot be notified from here."""

    intake: Sequence[str] = ()
    """Why alerts of other systems cannot be received here."""

    @property
    def is_ok(self) -> bool:
        """Whether the configuration, all endpoints, receivers and alert sources passed."""
        failed = any(not result.is_ok for result in self.endpoints or ())
        return not (self.problems or failed or self.receivers or self.intake)


@click.command()
@click.option("--no-poll", is_flag=True, help="Validate the configuration and ask nobody.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_context
def command(ctx: click.Context, *, no_poll: bool, as_json: bool) -> None:
    """Validate the configuration and poll every endpoint once.

    Shows what is measurable, what is not, and why. The exit code is 1 when the configuration has a
    problem, an endpoint is not reached, a receiver cannot be notified, or an alert source cannot be
    received; else 0.
    """
    from watchdeck.config.load import load
    from watchdeck.config.reading.problems import ConfigProblems
    from watchdeck.console.controllers.config_check import view_problems

    path = ctx.obj.path()
    try:
        settings = load(path, lambda settings: view_problems(settings.console, os.environ))
    except ConfigProblems as problems:
        if not as_json:
            raise
        click.echo(report_json(CheckReport(path, _problem_documents(problems))))
        ctx.exit(1)
    report = CheckReport(path) if no_poll else _check(path, settings)
    if as_json:
        click.echo(report_json(report))
    else:
        click.echo("\n".join(_report_lines(report, len(settings.endpoint))))
    ctx.exit(0 if report.is_ok else 1)


def _check(path: Path, settings: Settings) -> CheckReport:
    from watchdeck.config.checks.receivers import receiver_problems

    endpoints = asyncio.run(_scrape_all(settings)) if settings.endpoint else None
    receivers = tuple(receiver_problems(settings))
    return CheckReport(path, (), endpoints, receivers, _intake_problems(settings))


async def _scrape_all(settings: Settings) -> list[EndpointCheckResult]:
    """Scrape every endpoint once, AT_ONCE of them at a time, each within its own time limit."""
    from watchdeck.collector.exposition import PageParser
    from watchdeck.collector.scrape.scraper import Scraper
    from watchdeck.config.reading.kinds import load_kinds
    from watchdeck.domain.settings.endpoint import public_facts

    kinds, limit = load_kinds(), asyncio.Semaphore(AT_ONCE)
    by_name = {kind.name: kind for kind in kinds}

    async def scrape_once(endpoint: Endpoint) -> EndpointCheckResult:
        async with limit:
            scraper = Scraper(endpoint, kinds, PageParser(max_series=endpoint.max_series))
            try:
                scrape = await scraper.scrape(now())
            finally:
                await scraper.close()
        url, kind = public_facts(endpoint).url, by_name.get(scrape.kind or "")
        return EndpointCheckResult(endpoint, url, scrape, kind)

    return await asyncio.gather(*map(scrape_once, settings.endpoint))


def _intake_problems(settings: Settings) -> Sequence[str]:
    if settings.intake is None and not settings.alertmanager:
        return ()
    from watchdeck.collector.intake.alertmanager import intake_problems

    return asyncio.run(intake_problems(settings, now()))


def _report_lines(report: CheckReport, count: int) -> Iterator[str]:
    head = f"{clean(str(report.config))}: {count_noun(count, 'endpoint')}, no problems."
    yield head if count else f"{head} `watchdeck init URL` writes some."
    if report.endpoints is not None:
        yield f"\n{results_text(report.endpoints)}"
    for action, problems in (("told", report.receivers), ("heard", report.intake)):
        yield from ("", *(f"Cannot be {action}: {why}." for why in problems)) if problems else ()


def results_text(results: Sequence[EndpointCheckResult]) -> str:
    """A paragraph for each endpoint, then the number of those that failed."""
    failed = sum(not result.is_ok for result in results)
    total = f"{failed} of {len(results)} endpoints failed." if failed else "All were reached."
    return "\n\n".join(["\n".join(_result_lines(result)) for result in results] + [total])


def _result_lines(result: EndpointCheckResult) -> Iterator[str]:
    scrape = result.scrape
    yield f"{clean(result.endpoint.name)}  {result.url}"
    outcome = _OUTCOMES[scrape.outcome]
    if result.is_ok:
        yield f"  {outcome} in {scrape.duration * 1_000:.0f} ms"
    else:
        yield f"  {outcome}: {clean(scrape.detail)}"
    kind = result.kind.title if result.kind else "of no known kind"
    version = f"; version {clean(scrape.identity.version)}" if scrape.identity.version else ""
    yield f"  {kind}; {_state_text(scrape)}{version}"
    if result.endpoint.tls.insecure:
        yield "  its certificate is not checked (tls.insecure)"
    if scrape.truncation.total:
        yield f"  {scrape.truncation.total} lines of its page were left out: it passes the bounds"
    if measurable := result.measurable():
        yield "  measurable:"
        yield from _indent(", ".join(measurable))
    if reasons := result.not_measurable():
        yield "  not measurable:"
        for why, names in _names_by_reason(reasons).items():
            yield from _indent(f"{', '.join(names)}: {why}")


def _state_text(scrape: Scrape) -> str:
    why = f" ({clean(scrape.model_detail)})" if scrape.model_detail else ""
    return f"{_STATES[scrape.model_state]}{why}"


def _names_by_reason(reasons: dict[str, str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return names


def _indent(text: str) -> list[str]:
    return wrap(clean(text, 4_000), _WIDTH, initial_indent="    ", subsequent_indent="      ")


class ProblemDocument(Struct, frozen=True):
    """One problem of the configuration."""

    key: str
    """Path of the setting, such as `endpoint[0].every`; empty for the whole file."""
    problem: str
    """What is wrong."""
    hint: str
    """What would work; may be empty."""


class EndpointDocument(Struct, frozen=True):
    """One endpoint, and its one scrape by this command."""

    name: str
    """Name of the endpoint."""
    url: str
    """Serving address without user, password and query."""
    kind: str | None
    """Kind of server, configured or detected; null when it was not recognised."""
    outcome: Outcome
    """How the scrape ended; all but `ok` are failures."""
    detail: str
    """Reason of a failure, in words; empty without one."""
    took_s: float
    """Duration of the scrape, in seconds."""
    model_state: ModelState
    """State that the server reports of its model."""
    model_detail: str
    """Reason of that state, in words; may be empty."""
    version: str | None
    """Version that the server reports; null when it reports none."""
    cut: int
    """Number of lines of the metrics page that were left out because of a limit."""
    measurable: tuple[str, ...]
    """Signals that the endpoint gives, or will with traffic; empty when its page was not read."""
    not_measurable: dict[str, str]
    """Signals that the endpoint cannot give, each with the reason."""


class CheckDocument(Struct, frozen=True):
    """The result of a check."""

    config: str
    """Path of the configuration file."""
    problems: tuple[ProblemDocument, ...]
    """Problems of the configuration; with one, nothing below is tried."""
    endpoints: list[EndpointDocument] | UnsetType = UNSET
    """Endpoints, in the order of the file; absent when none was polled."""
    cannot_be_told: Sequence[str] | UnsetType = UNSET
    """Channels that could not send from here, with reasons; absent when all can."""
    cannot_be_heard: Sequence[str] | UnsetType = UNSET
    """Alert sources that could not be received here, with reasons; absent when all can."""


def report_json(report: CheckReport) -> str:
    """The report as JSON, whose fields scripts rely on."""
    endpoints = report.endpoints
    return to_json(
        CheckDocument(
            config=str(report.config),
            problems=report.problems,
            endpoints=UNSET if endpoints is None else list(map(_endpoint_document, endpoints)),
            cannot_be_told=report.receivers or UNSET,
            cannot_be_heard=report.intake or UNSET,
        )
    )


def _problem_documents(problems: ConfigProblems) -> tuple[ProblemDocument, ...]:
    return tuple(ProblemDocument(one.key, one.text, one.hint) for one in problems.problems)


def _endpoint_document(result: EndpointCheckResult) -> EndpointDocument:
    scrape = result.scrape
    return EndpointDocument(
        name=result.endpoint.name,
        url=result.url,
        kind=scrape.kind,
        outcome=scrape.outcome,
        detail=scrape.detail,
        took_s=round(scrape.duration, 4),
        model_state=scrape.model_state,
        model_detail=scrape.model_detail,
        version=scrape.identity.version,
        cut=scrape.truncation.total,
        measurable=result.measurable(),
        not_measurable=result.not_measurable(),
    )
