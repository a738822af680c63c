"""Sources that fall silent: what they last said is held, and one alert tells of each."""

from __future__ import annotations

from msgspec.structs import replace

from watchdeck.domain.alerts.alert import Alert, AlertEvent, AlertState, DataState, Episode
from watchdeck.domain.alerts.lifecycle import Evaluation, advance, mark_no_data
from watchdeck.domain.external.lifecycle import apply_event
from watchdeck.domain.external.source import ExternalSource, SourceProtocol, repeat_event
from watchdeck.domain.rules.rule import Absent, Rule, RuleFamily
from watchdeck.domain.values.format import format_duration
from watchdeck.domain.values.severity import Severity
from watchdeck.engine.external.evaluation import ExternalEvaluation
from watchdeck.store.alerts.episodes import alert_id

SILENT = Rule(
    name="source_silent",
    when="a source of alerts is silent",
    test=Absent(),
    severity=Severity.HIGH,
    resolve_for=0,
    family=RuleFamily.FAILURE,
)
"""The rule behind the one alert that a silent source is."""

_SILENT = "source silent"
"""Its fingerprint: with a blank, so that no sender can have it too."""


def check_liveness(bench: ExternalEvaluation, source: ExternalSource) -> None:
    """Hold what a silent source last said, and tell once that it is silent."""
    mine = [
        (episode, alert)
        for (name, identity), (episode, alert) in list(bench.open.items())
        if name == source.name and identity != _SILENT
    ]
    raised = [last for _, alert in mine if (last := bench.last(alert))]
    silence = source.silence(bench.now, raised)
    for episode, alert in mine:
        if silence:
            _hold(bench, episode, alert, f"{source.name} is silent for {format_duration(silence)}")
        else:
            _listen(bench, source, episode, alert)
    _tell(bench, source, silence)


def _hold(
    bench: ExternalEvaluation,
    episode: Episode,
    alert: Alert,
    why: str,
    verb: AlertEvent = AlertEvent.HELD,
) -> None:
    last = bench.last(alert)
    seen = replace(episode, seen_at=max(episode.seen_at, last.at if last else 0))
    after, steps = mark_no_data(seen, bench.now, why, verb)
    if steps:
        bench.kept(alert, episode, after, steps)


def _listen(
    bench: ExternalEvaluation, source: ExternalSource, episode: Episode, alert: Alert
) -> None:
    """What its source repeats fires on; what it promised to repeat and does not, is held."""
    last = bench.last(alert)
    if last is None:
        return
    sure = episode.condition is AlertState.FIRING and episode.data is DataState.FRESH
    quiet = bench.now - last.at
    if not sure and last.at > episode.seen_at:
        bench.kept(alert, episode, *apply_event(episode, repeat_event(alert, episode, last)))
    elif source.way is SourceProtocol.POST and quiet > last.promised:
        why = f"{last.sender or source.name} said nothing of it for {format_duration(quiet)}"
        _hold(bench, episode, alert, why, AlertEvent.NO_DATA)


def _tell(bench: ExternalEvaluation, source: ExternalSource, silence: int) -> None:
    """One alert for the whole source, with all that it is about."""
    pair = bench.open.get((source.name, _SILENT))
    if bool(silence) is (pair is not None):
        return
    alert = Alert(0, source.name, _SILENT, SILENT.name, "", {"source": source.name})
    alert = replace(alert, id=alert_id(bench.db, alert))
    finding = Evaluation(bool(silence), None, None, _words(source, silence), bench.now)
    bench.begun(alert, *advance(SILENT, 1_000, pair and pair[0], finding, bench.previous(alert)))


def _words(source: ExternalSource, silence: int) -> str:
    if source.retired:
        return f"{source.name} is not listened to any more"
    said = (
        f"{source.name} is silent for {format_duration(silence)}"
        if silence
        else "it is heard again"
    )
    return "; ".join(filter(None, (said, source.problem)))
