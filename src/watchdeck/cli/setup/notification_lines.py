"""The lines of a check about notifications: channels, routes, escalations, and who is on call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from watchdeck.domain.notifications.on_call import person_on_call
from watchdeck.domain.notifications.routing import Routing
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.receivers import Channel, Escalation, OnCallSchedule, Route


def source_texts(settings: Settings) -> Iterator[str]:
    """One text for each source of external alerts."""
    if settings.intake is not None:
        yield f"intake at {settings.intake.listen}"
    for source in settings.alertmanager:
        yield f"Alertmanager {source.name}, polled every {source.every}"


def channel_texts(channels: Iterable[Channel]) -> Iterator[str]:
    """One text for each channel; without one, that only consoles show alerts."""
    found = list(channels)
    for channel in found:
        parts = [channel.type]
        parts += [f"of {channel.person}"] if channel.person else []
        parts += [f"only {', '.join(channel.kinds)}"] if channel.kinds else []
        yield f"{channel.name}: {', '.join(parts)}"
    if not found:
        yield "none: alerts are shown on consoles alone"


def route_texts(routing: Routing) -> Iterator[str]:
    """One text for each route: which alerts, when, and to whom."""
    for number, route in enumerate(routing.routes, 1):
        yield f"{number}. {_condition_text(route)}: {_receiver_text(route)}"
    if routing.channels and not routing.routes:
        yield "none: every page goes to every channel"


def _condition_text(route: Route) -> str:
    """Which alerts a route takes, and when."""
    severities = ", ".join(map(str, route.severity))
    parts = [f"severity {severities}" if severities else "every severity", *route.match]
    if route.hours or route.days:
        parts.append(" ".join(filter(None, (route.hours, route.days, route.zone))))
    return "; ".join(parts)


def _receiver_text(route: Route) -> str:
    parts = [f"to {', '.join(route.to)}"] if route.to else []
    parts += [f"escalation {route.escalation}"] if route.escalation else []
    parts += ["later routes too"] if route.continue_ else []
    return "; ".join(parts)


def escalation_texts(escalations: Iterable[Escalation]) -> Iterator[str]:
    """One text for each escalation: whom it tells after which time without an acknowledgement."""
    for escalation in escalations:
        steps = [
            f"{', '.join(step.to)} {f'after {step.after}' if step.after else 'at once'}"
            for step in escalation.step
        ]
        again = [f"the last again every {escalation.again}"] if escalation.again else []
        yield f"{escalation.name}: {'; '.join([*steps, *again])}"


def rota_texts(routing: Routing, now: int) -> Iterator[str]:
    """One text for each rota, with the person on call at `now` (ms UTC)."""
    for rota in routing.rotas:
        shifts = routing.calendars[rota.name](now) if rota.name in routing.calendars else ()
        person = person_on_call(rota, shifts, now)
        current = f"{person} is on call now" if person else "nobody is on call now"
        yield f"{rota.name}: {current}; {_turns_text(rota)}"


def _turns_text(rota: OnCallSchedule) -> str:
    turns = f"{rota.turn} {', '.join(rota.people)}" if rota.people else "by its calendar"
    others = f", else to {', '.join(rota.to)}" if rota.to else ""
    return f"{turns} ({rota.zone}){others}"
