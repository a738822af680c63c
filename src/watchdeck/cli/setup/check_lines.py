"""The lines of a check: a paragraph for each endpoint, with what it gives and what it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap

from watchdeck.cli.output import count_noun
from watchdeck.cli.setup.check_report import CheckReport
from watchdeck.cli.setup.endpoint_check import EndpointCheck
from watchdeck.config.generate.figures import figure_text
from watchdeck.domain.metrics.scrape import ModelState, Outcome, Scrape, Truncation
from watchdeck.domain.metrics.signal import PROBE_SIGNALS
from watchdeck.domain.values.cells import cell_width, pad
from watchdeck.domain.values.text import clean

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

_CUT = {
    "series": "beyond max_series",
    "labels": "with too many or too long labels",
    "duplicates": "given twice",
    "malformed": "not readable",
    "stale": "too old by its own timestamp",
    "out_of_range": "outside the values that its unit can have",
}
"""Why samples were left out, by the field of Truncation."""


def report_lines(report: CheckReport, count: int) -> Iterator[str]:
    """The lines of a report on a configuration with `count` endpoints."""
    overview = report.overview
    rules = f", {count_noun(overview.rules, 'rule')}" if overview else ""
    head = f"{clean(str(report.config))}: {count_noun(count, 'endpoint')}{rules}, no problems."
    yield head if count else f"{head} `watchdeck init URL` writes endpoints."
    if overview:
        yield from _section("alerts of others", overview.sources)
        yield from _section("channels", overview.channels)
        yield from _section("routes", overview.routes)
        yield from _section("escalations", overview.escalations)
        yield from _section("on call", overview.rotas)
    if report.endpoints is not None:
        yield f"\n{_results_text(report.endpoints)}"
    if report.remarks:
        yield ""
        for remark in report.remarks:
            yield from wrap_text(f"{remark}.", 0)
    for action, problems in (("told", report.receivers), ("heard", report.intake)):
        yield from ("", *(f"Cannot be {action}: {why}." for why in problems)) if problems else ()


def _results_text(results: Sequence[EndpointCheck]) -> str:
    """A paragraph for each endpoint, then the number of those that failed."""
    failed = sum(not result.is_ok for result in results)
    total = f"{failed} of {len(results)} endpoints failed." if failed else "All were reached."
    unjudged = sum(bool(one.problem) for result in results for one in result.objectives)
    asked = sum(len(result.questions) for result in results)
    if unjudged:
        total += f" {count_noun(unjudged, 'objective')} cannot be judged."
    if asked:
        total += f" {count_noun(asked, 'question')} above."
    return "\n\n".join(["\n".join(_result_lines(result)) for result in results] + [total])


def _result_lines(result: EndpointCheck) -> Iterator[str]:
    scrape = result.scrape
    yield f"{clean(result.endpoint.name)}  {result.url}"
    outcome = _OUTCOMES[scrape.outcome]
    if result.is_ok:
        yield f"  {outcome} in {scrape.duration * 1_000:.0f} ms"
    else:
        yield f"  {outcome}: {clean(scrape.detail)}"
    yield f"  {_kind_text(result)}"
    if result.asked:
        yield from wrap_text(f"asked: {', '.join(result.asked)}", 2)
    if result.endpoint.tls.insecure:
        yield "  its certificate is not checked (tls.insecure)"
    if scrape.truncation.total:
        yield from wrap_text(f"left out of its page: {_cut_text(scrape.truncation)}", 2)
    yield from _signal_lines(result)
    yield from _section("map", (f"{one.key} = {one.source}: {one.text}" for one in result.mapped))
    yield from _section("SLO", _objective_texts(result))
    rules = result.rule_problems.items()
    yield from _section("rules", (f"{name}, {one.text}: {one.problem}" for name, one in rules))
    yield from _section("questions", result.questions)
    yield from _section("hints", result.hints)


def _signal_lines(result: EndpointCheck) -> Iterator[str]:
    if measurable := result.measurable:
        yield "  measurable:"
        figures = [name for name in measurable if name not in PROBE_SIGNALS]
        width = max(map(cell_width, figures), default=0)
        for name in figures:
            yield from wrap_text(f"{pad(name, width)}  {_figure_words(result, name)}", 4)
        scraped = [name for name in measurable if name in PROBE_SIGNALS]
        yield from wrap_text(f"by the scrapes: {', '.join(scraped)}", 4)
    yield from _reason_lines("unknown now", result.unknown)
    yield from _reason_lines("not measurable", result.not_measurable)


def _figure_words(result: EndpointCheck, name: str) -> str:
    wide = ", server-wide" if name in result.scrape.server_wide else ""
    doubt = result.scrape.remarks.get(name)
    return f"{figure_text(result.figures[name])}{wide}{f' ({doubt})' if doubt else ''}"


def _objective_texts(result: EndpointCheck) -> Iterator[str]:
    for one in result.objectives:
        yield f"{one.text}: {one.problem or one.remark or 'can be judged'}"


def _kind_text(result: EndpointCheck) -> str:
    scrape = result.scrape
    version = f"; version {clean(scrape.identity.version)}" if scrape.identity.version else ""
    if result.kind is None:
        return f"of no known kind; {_state_text(scrape)}{version}"
    if result.kind.helper:
        return f"{result.kind.title}: a page of a machine or device, not of a model server{version}"
    return f"{result.kind.title}; {_state_text(scrape)}{version}"


def _state_text(scrape: Scrape) -> str:
    why = f" ({clean(scrape.model_detail)})" if scrape.model_detail else ""
    return f"{_STATES[scrape.model_state]}{why}"


def _cut_text(cut: Truncation) -> str:
    counts = ((getattr(cut, name), why) for name, why in _CUT.items())
    return ", ".join(f"{count_noun(number, 'sample')} {why}" for number, why in counts if number)


def _reason_lines(title: str, reasons: Mapping[str, str]) -> Iterator[str]:
    """The signals with their reasons; those with the same reason in one line."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    yield from _section(title, (f"{', '.join(found)}: {why}" for why, found in names.items()))


def _section(title: str, texts: Iterable[str]) -> Iterator[str]:
    """A title and its texts, wrapped and indented; nothing without texts."""
    found = list(texts)
    if found:
        yield f"  {title}:"
    for text in found:
        yield from wrap_text(text, 4)


def wrap_text(text: str, indent: int) -> list[str]:
    """Clean text from outside as lines of limited width, further lines indented more."""
    first, further = " " * indent, " " * (indent + 2)
    return wrap(clean(text, 4_000), _WIDTH, initial_indent=first, subsequent_indent=further)
