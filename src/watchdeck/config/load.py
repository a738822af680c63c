"""The configuration: found, read whole within bounds, and refused with every problem it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from watchdeck.config.checks.endpoint import RULES, wrong_retention, wrong_view
from watchdeck.config.checks.fleet import (
    FleetNames,
    same_names,
    wrong_kind,
    wrong_map,
    wrong_references,
)
from watchdeck.config.checks.headers import open_secrets, wrong_headers
from watchdeck.config.checks.text import wrong_sizes, wrong_texts, wrong_urls
from watchdeck.config.reading.files import parse, read_file
from watchdeck.config.reading.paths import resolve_paths, wrong_paths
from watchdeck.config.reading.problems import ConfigProblems, Problem
from watchdeck.config.reading.typed_reader import read
from watchdeck.domain.settings.endpoint import Endpoint, Settings

NAME = "watchdeck.toml"

RULES_FOLDER = "rules"
"""Where, beside a configuration, more files of rules lie."""

_MOST_ENDPOINTS = 10_000

_OWN = (wrong_texts, wrong_sizes, wrong_urls, wrong_headers, *RULES)
_OF_FLEET = (wrong_kind, wrong_map, wrong_references)


def _nothing(_settings: Settings) -> Iterable[Problem]:
    return ()


def find(path: str | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration to use; None when there is none.

    What was named (`--config`, WATCHDECK_CONFIG) is taken whether it exists or not; then come
    ./watchdeck.toml and the XDG configuration directory, each when it exists.
    """
    named = path or environ.get("WATCHDECK_CONFIG")
    if named:
        return Path(named)
    places = (Path(NAME), _xdg(environ, "XDG_CONFIG_HOME", ".config") / NAME)
    return next((place for place in places if place.is_file()), None)


def load(path: Path, also: Callable[[Settings], Iterable[Problem]] = _nothing) -> Settings:
    """The settings in a file, its paths absolute. Raises ConfigError with every problem in it.

    `also` finds more problems, which are told with the others.
    """
    written = read_file(path)
    raw = parse(str(path), written.text)
    problems: list[Problem] = []
    settings: Settings = read(raw, Settings, "", problems)
    settings = _with_rules(settings, path, problems)
    problems += _wrong(settings, _names(raw), private=written.private)
    told = {problem.key for problem in problems}
    wrong = _wrong_telling(settings, path, private=written.private)
    problems += (problem for problem in wrong if problem.key not in told)
    problems += also(settings)
    if problems:
        raise ConfigProblems(str(path), problems)
    return resolve_paths(settings, path)


def _with_rules(settings: Settings, path: Path, problems: list[Problem]) -> Settings:
    """The settings with the rules of all files; what is wrong with those is appended.

    What reads them costs 40 ms, which only a configuration with rules pays.
    """
    folder = path.absolute().parent / RULES_FOLDER
    if settings.rule or settings.alerts.disable or folder.is_dir():
        from watchdeck.config.rules import with_rule_files, wrong_rules

        settings = with_rule_files(settings, path, folder, problems)
        problems += wrong_rules(settings)
    if settings.maintenance:
        from watchdeck.config.maintenance import wrong_maintenance

        problems += wrong_maintenance(settings)
    return settings


def _wrong_telling(settings: Settings, path: Path, *, private: bool) -> Iterable[Problem]:
    """What is wrong with channels and routes; only a configuration that has some pays for it."""
    telling = (settings.channel, settings.route, settings.escalation, settings.rota)
    if not any(telling) and settings.heartbeat is None:
        return ()
    from watchdeck.config.routing import wrong_telling

    return wrong_telling(settings, path.absolute().parent, private=private)


def store_path(settings: Settings, environ: Mapping[str, str]) -> Path:
    """The directory of the store: the configured one, else watchdeck's in the XDG state directory.

    It may not exist yet.
    """
    if settings.store is not None:
        return Path(settings.store)
    return _xdg(environ, "XDG_STATE_HOME", ".local/state")


def _xdg(environ: Mapping[str, str], variable: str, otherwise: str) -> Path:
    """Watchdeck's folder in a base directory; a relative one is ignored, as XDG demands."""
    base = environ.get(variable, "")
    if not base.startswith("/"):
        base = f"{environ.get('HOME') or Path.home()}/{otherwise}"
    return Path(base) / "watchdeck"


def _names(raw: dict[str, Any]) -> list[str | None]:
    """The name written for each endpoint, whatever else is wrong with it."""
    listed = raw.get("endpoint")
    tables = listed if isinstance(listed, list) else []
    names = (table.get("name") if isinstance(table, dict) else None for table in tables)
    return [name if isinstance(name, str) else None for name in names]


def _wrong(settings: Settings, names: list[str | None], *, private: bool) -> Iterator[Problem]:
    fleet = FleetNames(tuple(name for name in names if name is not None))
    for number, endpoint in enumerate(settings.endpoint[:_MOST_ENDPOINTS]):
        if isinstance(endpoint, Endpoint):  # an INVALID one has said why
            for problem in _wrong_endpoint(endpoint, fleet, private=private):
                yield replace(problem, key=f"endpoint[{number}].{problem.key}")
    yield from same_names(names)
    if len(names) > _MOST_ENDPOINTS:
        yield Problem("endpoint", f"has {len(names)} entries; at most {_MOST_ENDPOINTS} are taken")
    if settings.intake or settings.alertmanager:
        from watchdeck.config.checks.intake import wrong_hearing

        yield from wrong_hearing(settings, private=private)
    yield from wrong_retention(settings.retention)
    yield from wrong_view(settings.console)
    yield from wrong_paths(settings)


def _wrong_endpoint(endpoint: Endpoint, fleet: FleetNames, *, private: bool) -> Iterator[Problem]:
    for rule in _OWN:
        yield from rule(endpoint)
    for of_fleet in _OF_FLEET:
        yield from of_fleet(endpoint, fleet)
    if not private:
        yield from open_secrets(endpoint)
