"""The report of a check, and the JSON document that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType

from watchdeck.cli.output import finite_or_none, to_json
from watchdeck.domain.metrics.scrape import ModelState, Outcome
from watchdeck.domain.metrics.signal import SIGNALS

if TYPE_CHECKING:
    from watchdeck.cli.setup.endpoint_check import EndpointCheck
    from watchdeck.config.reading.problems import ConfigProblems
    from watchdeck.domain.signals.lifetime import PageFigure
    from watchdeck.domain.signals.objectives import Objective


class ProblemDocument(Struct, frozen=True):
    """One problem of the configuration."""

    key: str
    """Path of the setting, such as `endpoint[0].every`; empty for the whole file."""
    problem: str
    """What is wrong."""
    hint: str
    """What would work; may be empty."""


class FigureDocument(Struct, frozen=True):
    """The value of a signal by one page."""

    value: float | None
    """The value in `unit`; null before the first events, and for a rate without a start time."""
    unit: str
    """Unit of the value."""
    low: float | None
    """Lower bound of a quantile's bucket; null for other signals."""
    high: float | None
    """Upper bound of a quantile's bucket; null for other signals, and above the last bucket."""
    events: float | None
    """Number of events of a share; null for other signals."""
    since_start: bool
    """Whether it is of all that the process has counted since its start, and not of now."""


class ObjectiveDocument(Struct, frozen=True):
    """One objective of the endpoint's SLO."""

    signal: str
    """Signal that it limits."""
    limit: float
    """Limit, in `unit`."""
    unit: str
    """Unit of the limit."""
    can_be_judged: bool
    """Whether the page tells enough to judge it."""
    why: str
    """Why it cannot be judged, or when it is not; may be empty."""


class MappedDocument(Struct, frozen=True):
    """What one entry of the endpoint's map reads."""

    key: str
    """Key of the map."""
    source: str
    """Series or JSON path."""
    value: float | None
    """Value in `unit`: of a histogram the mean, of a counter the count; null without a number."""
    unit: str
    """Unit in which the value is read."""
    text: str
    """The value in words, or why there is none."""


class EndpointDocument(Struct, frozen=True):
    """One endpoint, and its one scrape by this command."""

    name: str
    """Name of the endpoint."""
    url: str
    """Serving address without user, password and query."""
    kind: str | None
    """Kind of server, configured or detected; null when it was not recognised."""
    helper: bool
    """Whether it is the page of a machine or device, and not of a model server."""
    outcome: Outcome
    """How the scrape ended; all but `ok` are failures."""
    detail: str
    """Reason of a failure, in words; empty without one."""
    took_s: float
    """Duration of the scrape, in seconds."""
    asked: tuple[str, ...]
    """Requests that were sent, in order, each with its status, such as `/metrics 200`."""
    model_state: ModelState
    """State that the server reports of its model."""
    model_detail: str
    """Reason of that state, in words; may be empty."""
    models: tuple[str, ...]
    """Models that the metrics page names; empty when it names none."""
    version: str | None
    """Version that the server reports; null when it reports none."""
    cut: int
    """Number of samples of the metrics page that were left out."""
    measurable: tuple[str, ...]
    """Signals that the endpoint gives, or will with traffic; empty when its page was not read."""
    figures: dict[str, FigureDocument]
    """Figures of the page, by signal."""
    server_wide: tuple[str, ...]
    """Signals that are figures of the whole server, which serves other models too."""
    unknown: dict[str, str]
    """Signals that its kind of server has and that are not known now, each with the reason."""
    not_measurable: dict[str, str]
    """Signals that the endpoint cannot give, each with the reason."""
    objectives: list[ObjectiveDocument]
    """Objectives of its SLO."""
    rules: dict[str, str]
    """Rules of the configuration that cannot be judged on it, each with the reason."""
    mapped: list[MappedDocument]
    """Values that its map reads; empty without a map, and when its page was not read."""
    questions: tuple[str, ...]
    """Questions about values whose unit is in doubt."""
    hints: tuple[str, ...]
    """Hints what would make more of the endpoint known."""


class ConfigOverview(Struct, frozen=True):
    """What a configuration watches for and whom it tells, one text for each table."""

    rules: int
    sources: tuple[str, ...]
    channels: tuple[str, ...]
    routes: tuple[str, ...]
    escalations: tuple[str, ...]
    rotas: tuple[str, ...]


class CheckDocument(Struct, frozen=True):
    """The result of a check."""

    config: str
    """Path of the configuration file."""
    problems: tuple[ProblemDocument, ...]
    """Problems of the configuration; with one, nothing below is tried."""
    rules: int | UnsetType = UNSET
    """Number of rules, those that are switched off included; absent with a problem."""
    sources: Sequence[str] | UnsetType = UNSET
    """Sources of external alerts, each in words; empty without one, absent with a problem."""
    channels: Sequence[str] | UnsetType = UNSET
    """Channels, each in words; absent with a problem."""
    routes: Sequence[str] | UnsetType = UNSET
    """Routes in words: severities, labels, hours, receivers; absent with a problem."""
    escalations: Sequence[str] | UnsetType = UNSET
    """Escalations, each in words; empty without one, absent with a problem."""
    rotas: Sequence[str] | UnsetType = UNSET
    """On-call schedules in words, with who is on call now; absent with a problem."""
    endpoints: list[EndpointDocument] | UnsetType = UNSET
    """Endpoints, in the order of the file; absent when none was polled."""
    cannot_be_told: Sequence[str] | UnsetType = UNSET
    """Channels that could not send from here, with reasons; absent when all can."""
    cannot_be_heard: Sequence[str] | UnsetType = UNSET
    """Alert sources that could not be received here, with reasons; absent when all can."""
    remarks: Sequence[str] | UnsetType = UNSET
    """What works, and may surprise; absent when there is nothing to remark."""


class CheckReport(Struct, frozen=True):
    """All results of one check; `endpoints` is None when no endpoint was scraped."""

    config: Path
    problems: tuple[ProblemDocument, ...] = ()
    endpoints: Sequence[EndpointCheck] | None = None
    overview: ConfigOverview | None = None

    receivers: Sequence[str] = ()
    """Why some receivers cannot be notified from here."""

    intake: Sequence[str] = ()
    """Why alerts of other systems cannot be received here."""

    remarks: Sequence[str] = ()
    """What works, and may surprise."""

    @property
    def is_ok(self) -> bool:
        """Whether the configuration, all endpoints, receivers and alert sources passed."""
        failed = any(not result.is_ok for result in self.endpoints or ())
        return not (self.problems or failed or self.receivers or self.intake)


_OVERVIEW = ConfigOverview.__struct_fields__


def report_json(report: CheckReport) -> str:
    """The report as JSON, whose fields scripts rely on."""
    endpoints, overview = report.endpoints, report.overview
    words = {} if overview is None else {one: getattr(overview, one) for one in _OVERVIEW}
    return to_json(
        CheckDocument(
            config=str(report.config),
            problems=report.problems,
            **words,
            endpoints=UNSET if endpoints is None else list(map(_endpoint_document, endpoints)),
            cannot_be_told=report.receivers or UNSET,
            cannot_be_heard=report.intake or UNSET,
            remarks=report.remarks or UNSET,
        )
    )


def problem_documents(problems: ConfigProblems) -> tuple[ProblemDocument, ...]:
    """The problems of a configuration as they stand in JSON."""
    return tuple(ProblemDocument(one.key, one.text, one.hint) for one in problems.problems)


def _endpoint_document(result: EndpointCheck) -> EndpointDocument:
    scrape = result.scrape
    return EndpointDocument(
        name=result.endpoint.name,
        url=result.url,
        kind=scrape.kind,
        helper=result.kind is not None and result.kind.helper,
        outcome=scrape.outcome,
        detail=scrape.detail,
        took_s=round(scrape.duration, 4),
        asked=result.asked,
        model_state=scrape.model_state,
        model_detail=scrape.model_detail,
        models=result.models,
        version=scrape.identity.version,
        cut=scrape.truncation.total,
        measurable=result.measurable,
        figures={name: _figure_document(one) for name, one in result.figures.items()},
        server_wide=scrape.server_wide,
        unknown=result.unknown,
        not_measurable=result.not_measurable,
        objectives=list(map(_objective_document, result.objectives)),
        rules={name: one.problem for name, one in result.rule_problems.items()},
        mapped=[
            MappedDocument(one.key, one.source, finite_or_none(one.value), one.unit, one.text)
            for one in result.mapped
        ],
        questions=result.questions,
        hints=result.hints,
    )


def _figure_document(figure: PageFigure) -> FigureDocument:
    return FigureDocument(
        finite_or_none(figure.value),
        SIGNALS[figure.signal].unit,
        finite_or_none(figure.low),
        finite_or_none(figure.high),
        finite_or_none(figure.events),
        figure.since_start,
    )


def _objective_document(objective: Objective) -> ObjectiveDocument:
    return ObjectiveDocument(
        objective.signal,
        objective.limit,
        SIGNALS[objective.signal].unit,
        not objective.problem,
        objective.problem or objective.remark,
    )
