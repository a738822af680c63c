"""Finds and loads the configuration file within limits, or refuses it with all its problems."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from watchdeck.config.checks import fields
from watchdeck.config.checks.endpoint import FleetNames, endpoint_problems
from watchdeck.config.checks.fields import Bounds
from watchdeck.config.reading.files import parse, read_file, resolve_paths
from watchdeck.config.reading.problems import ConfigProblems, Problem, collect, did_you_mean
from watchdeck.config.reading.secrets import remember_settings
from watchdeck.config.reading.typed_reader import read
from watchdeck.domain.settings.configuration import (
    GLYPHS,
    NOTICES,
    ConsoleSettings,
    Retention,
    Settings,
)
from watchdeck.domain.settings.endpoint import Endpoint
from watchdeck.domain.values.text import clean
from watchdeck.domain.values.units import Bytes, Milliseconds

NAME = "watchdeck.toml"

RULES_FOLDER = "rules"
"""The folder beside a configuration that holds more rule files."""

_MOST_ENDPOINTS = 10_000

_DAY = 86_400_000
RETENTION_BOUNDS: Bounds = {
    "raw": (Milliseconds(3_600_000), Milliseconds(3_660 * _DAY)),
    "rollups": (Milliseconds(_DAY), Milliseconds(36_600 * _DAY)),
    "budget": (Bytes(16 << 20), Bytes(1 << 50)),
}


def _no_problems(_settings: Settings) -> Iterable[Problem]:
    return ()


def find(path: str | None, environ: Mapping[str, str]) -> Path | None:
    """The path of the configuration to use; None when there is none.

    A named file (`--config`, WATCHDECK_CONFIG) is used whether it exists or not; otherwise the
    first that exists of ./watchdeck.toml and watchdeck.toml in the XDG configuration directory.
    """
    named = path or environ.get("WATCHDECK_CONFIG")
    if named:
        return Path(named)
    paths = (Path(NAME), _xdg_folder(environ, "XDG_CONFIG_HOME", ".config") / NAME)
    return next((path for path in paths if path.is_file()), None)


def load(path: Path, also: Callable[[Settings], Iterable[Problem]] = _no_problems) -> Settings:
    """Load the settings in a file, with absolute paths. Raises ConfigProblems with every problem.

    `also` is a further check, whose problems are listed with the others. The secrets that the file
    writes out are hidden from then on.
    """
    file = read_file(path)
    raw = parse(str(path), file.text)
    problems: list[Problem] = []
    settings: Settings = read(raw, Settings, "", problems)
    settings = _with_rules(settings, path, problems)
    collect(problems, _settings_problems(settings, _endpoint_names(raw), private=file.private))
    listed = {problem.key for problem in problems}
    routing = _routing_problems(settings, path, private=file.private)
    collect(problems, (problem for problem in routing if problem.key not in listed))
    collect(problems, also(settings))
    if problems:
        raise ConfigProblems(str(path), problems)
    remember_settings(settings)
    return resolve_paths(settings, path)


def idle_problems(settings: Settings) -> Iterator[Problem]:
    """The problem of settings with which a collector would have nothing to do, if it is so."""
    tables = (settings.endpoint, settings.alertmanager, settings.channel)
    if not any(tables) and settings.intake is None and settings.heartbeat is None:
        hint = "Write [[endpoint]], which `watchdeck init URL` does, or [intake]."
        yield Problem("", "gives a collector nothing to do", hint)


def _with_rules(settings: Settings, path: Path, problems: list[Problem]) -> Settings:
    """Add the rules of all rule files; append the problems of rules and of maintenance.

    The modules take 40 ms to import, so they are imported only when the settings need them.
    """
    folder = path.absolute().parent / RULES_FOLDER
    if settings.rule or settings.alerts.disable or folder.is_dir():
        from watchdeck.config.rules import add_rule_folder, all_rule_problems

        settings = add_rule_folder(settings, path, folder, problems)
        collect(problems, all_rule_problems(settings))
    if settings.maintenance:
        from watchdeck.config.maintenance import maintenance_problems

        collect(problems, maintenance_problems(settings))
    return settings


def _routing_problems(settings: Settings, path: Path, *, private: bool) -> Iterable[Problem]:
    """Problems of channels and routes; the check is imported only when there are any."""
    tables = (settings.channel, settings.route, settings.escalation, settings.rota)
    if not any(tables) and settings.heartbeat is None:
        return ()
    from watchdeck.config.routing import routing_problems

    return routing_problems(settings, path.absolute().parent, private=private)


def store_path(settings: Settings, environ: Mapping[str, str]) -> Path:
    """The directory of the store: the configured one, else watchdeck's in the XDG state directory.

    It may not exist yet.
    """
    if settings.store is not None:
        return Path(settings.store)
    return _xdg_folder(environ, "XDG_STATE_HOME", ".local/state")


def _xdg_folder(environ: Mapping[str, str], variable: str, default: str) -> Path:
    """Watchdeck's folder in an XDG base directory; a relative base is ignored, as XDG demands."""
    base = environ.get(variable, "")
    if not base.startswith("/"):
        base = f"{environ.get('HOME') or Path.home()}/{default}"
    return Path(base) / "watchdeck"


def _endpoint_names(raw: dict[str, Any]) -> list[tuple[int, str]]:
    """Index and name of each endpoint that has a name, even if it is otherwise wrong."""
    listed = raw.get("endpoint")
    tables = listed if isinstance(listed, list) else []
    names = (table.get("name") if isinstance(table, dict) else None for table in tables)
    return [(number, name) for number, name in enumerate(names) if isinstance(name, str)]


def _settings_problems(
    settings: Settings, names: list[tuple[int, str]], *, private: bool
) -> Iterator[Problem]:
    fleet = FleetNames(tuple(name for _, name in names))

    def check(endpoint: Endpoint) -> Iterator[Problem]:
        return endpoint_problems(endpoint, fleet, private=private)

    yield from fields.table_problems(
        "endpoint", settings.endpoint, Endpoint, check, _MOST_ENDPOINTS
    )
    yield from fields.duplicate_problems("endpoint", names, "Every endpoint has its own.")
    if settings.intake or settings.alertmanager:
        from watchdeck.config.checks.intake import source_problems

        yield from source_problems(settings, private=private)
    yield from fields.add_prefix("retention", _retention_problems(settings.retention))
    yield from fields.add_prefix("console", _console_problems(settings.console))
    if settings.store is not None:
        yield from _store_problems(settings.store)


def _retention_problems(retention: Retention) -> Iterator[Problem]:
    yield from fields.bound_problems(retention, RETENTION_BOUNDS)
    if retention.rollups < retention.raw:
        text = f"is {retention.rollups}, shorter than raw ({retention.raw})"
        yield Problem("rollups", text, "Keep rollups at least as long as raw.")


def _console_problems(console: ConsoleSettings) -> Iterator[Problem]:
    if console.glyphs not in GLYPHS:
        hint = did_you_mean(console.glyphs, GLYPHS, f"There are: {', '.join(GLYPHS)}.")
        yield Problem("glyphs", "is not a way to draw", hint)
    if console.notices not in NOTICES:
        hint = did_you_mean(console.notices, NOTICES[1:], 'There are "osc9" and "osc777".')
        yield Problem("notices", "is no way to send desktop notices", hint)


def _store_problems(store: str) -> Iterator[Problem]:
    """Problems of a `store` that cannot be the path of a directory."""
    if not store.strip():
        yield Problem("store", "is empty", "Leave it out for the usual place.")
    elif clean(store, 4_096) != store:
        yield Problem("store", "is too long, or has a character that no screen shows")
    elif os.path.expanduser(store).startswith("~"):  # noqa: PTH111 - Path raises for no such user
        yield Problem("store", "names the home of a user that does not exist")
