"""Whether others could be heard, tried once: for `check`."""

from __future__ import annotations

from watchdeck.collector.failure import Failed
from watchdeck.collector.hearing.client import ALERTS, Client
from watchdeck.config.secrets import SecretError, reveal
from watchdeck.domain.endpoint import Settings
from watchdeck.domain.intake import Alertmanager, Intake
from watchdeck.domain.saying import SayingError, read_listed


async def unheard(settings: Settings, now: int) -> list[str]:
    """Whom a collector could not hear, and why: nobody without a token, no Alertmanager down."""
    problems = [_admitted(settings.intake)] if settings.intake else []
    problems += [await _asked(asked, now) for asked in settings.alertmanager]
    return [problem for problem in problems if problem]


def _admitted(intake: Intake) -> str:
    try:
        reveal(intake.token)
    except SecretError as error:
        return f"anybody at the intake: {error}"
    return ""


async def _asked(asked: Alertmanager, now: int) -> str:
    client = Client(asked)
    try:
        read_listed(await client.get(ALERTS), asked.name, now)
    except (Failed, SayingError) as error:
        return f"{asked.name}: {error}"
    finally:
        await client.close()
    return ""
