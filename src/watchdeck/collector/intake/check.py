"""Whether others could be heard, tried once: for `check`."""

from __future__ import annotations

from watchdeck.collector.intake.alertmanager_client import ALERTS, AlertmanagerClient
from watchdeck.config.reading.secrets import SecretError, resolve_secret
from watchdeck.domain.external.alertmanager import PayloadError, read_listed
from watchdeck.domain.settings.endpoint import Settings
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.net.failure import RequestError


async def intake_problems(settings: Settings, now: int) -> list[str]:
    """Whom a collector could not hear, and why: nobody without a token, no Alertmanager down."""
    problems = [_admitted(settings.intake)] if settings.intake else []
    problems += [await _asked(asked, now) for asked in settings.alertmanager]
    return [problem for problem in problems if problem]


def _admitted(intake: Intake) -> str:
    try:
        resolve_secret(intake.token)
    except SecretError as error:
        return f"anybody at the intake: {error}"
    return ""


async def _asked(asked: Alertmanager, now: int) -> str:
    client = AlertmanagerClient(asked)
    try:
        read_listed(await client.get(ALERTS), asked.name, now)
    except (RequestError, PayloadError) as error:
        return f"{asked.name}: {error}"
    finally:
        await client.close()
    return ""
