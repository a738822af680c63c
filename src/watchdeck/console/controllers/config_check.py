"""Whether a configuration that a person edited can be used, as `watchdeck check` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from watchdeck.config.reading.problems import Problem
from watchdeck.domain.values.text import clean


class ConfigCheck(Struct, frozen=True):
    """A file, how many endpoints it has, and every problem with it."""

    path: Path
    endpoints: int
    problems: tuple[Problem, ...] = ()

    @property
    def words(self) -> str:
        """What follows from it for those who run."""
        count = len(self.problems)
        name = clean(self.path.name, 40)
        if count:
            return (
                f"{name}: {count} problem{'s' * (count != 1)}. A running collector goes on with"
                " what it read; mend the file before its next start."
            )
        return (
            f"{name}: {self.endpoints} endpoint{'s' * (self.endpoints != 1)}, no problems."
            " A running collector reads it at its next start, and so does this console."
        )


def check(path: Path, environ: Mapping[str, str]) -> ConfigCheck:
    """Read a configuration as a start would, and ask nobody (25 ms: its types are made)."""
    from watchdeck.config.load import load
    from watchdeck.config.reading.problems import ConfigProblems
    from watchdeck.console.controllers.view_check import view_problems

    try:
        settings = load(path, lambda found: view_problems(found.console, environ))
    except ConfigProblems as error:
        return ConfigCheck(path, 0, error.problems)
    return ConfigCheck(path, len(settings.endpoint))
