"""The reference of the configuration has every setting that the reader takes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from msgspec import Struct

import watchdeck
from cli.help.help_pages import entries, page
from watchdeck.cli.help.config import EXAMPLES, examples
from watchdeck.cli.help.docstrings import field_docstrings
from watchdeck.cli.help.environment import VARIABLES
from watchdeck.config.checks import receivers
from watchdeck.config.load import load
from watchdeck.config.reading.problems import SYNONYMS, Problem
from watchdeck.config.reading.typed_reader import settings_of
from watchdeck.console.controllers.config_check import view_problems
from watchdeck.domain.settings.configuration import Settings
from watchdeck.domain.settings.receivers import ChannelType
from watchdeck.domain.values.secret import Secret

SOURCE = Path(watchdeck.__file__).parent

CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:anna
DTSTART:20260105T090000Z
DTEND:20260112T090000Z
END:VEVENT
END:VCALENDAR
"""


def structs(of: Any) -> Iterator[type[Struct]]:
    """Every type of table inside a type, however deep in unions, lists and tables."""
    if isinstance(of, type) and issubclass(of, Struct):
        yield of
    for inner in get_args(of):
        yield from structs(inner)


def settings(table: type[Struct] = Settings, path: str = "file") -> Iterator[tuple[Any, ...]]:
    """Every setting that the reader takes: the section of its table, its name, its type."""
    for name, of in settings_of(table).items():
        yield path, name, table, of
        for inner in structs(of):
            place = "secret" if inner is Secret else f"{path}.{name}".removeprefix("file.")
            yield from settings(inner, place)


SETTINGS = list({(path, name): (table, of) for path, name, table, of in settings()}.items())
BY_NAME = pytest.mark.parametrize(
    ("path", "name", "table"),
    [pytest.param(*key, table, id=".".join(key)) for key, (table, _) in SETTINGS],
)


def test_the_reader_has_the_settings_that_these_tests_go_through() -> None:
    names = {".".join(key) for key, _ in SETTINGS}
    assert len(names) > 140
    assert names > {"file.store", "rule.for", "endpoint.slo.latency_p95", "alertmanager.tls.ca"}
    assert names > {"secret.env", "escalation.step.after", "rota.override.from", "route.continue"}
    assert not {"rule.origin", "rule.place"} & names


@BY_NAME
def test_a_setting_is_explained(path: str, name: str, table: type[Struct]) -> None:
    entry = entries("config", path)[name]
    field = next(one for one in table.__struct_fields__ if one.rstrip("_") == name)
    means = field_docstrings(table)[field]
    assert means in entry.paragraphs
    assert re.fullmatch(r"[A-Z0-9`\[].{8,}[.`]", means)


@BY_NAME
def test_a_setting_has_an_example(path: str, name: str, table: type[Struct]) -> None:
    entry = entries("config", path)[name]
    if table is Settings and name != "store":
        assert entry.term in (f"[{name}]", f"[[{name}]]")
    else:
        assert entry.term.startswith(f"{name} = ")
        assert len(entry.term) <= 78, "an inline table cannot be broken"
        assert f"\n  {entry.term}\n" in page("config")


def test_nothing_is_explained_that_the_reader_does_not_take() -> None:
    known = {key for key, _ in SETTINGS}
    for path in {path for path, _ in known}:
        assert {(path, name) for name in entries("config", path)} <= known
    shown = {(path, name) for path, names in examples().items() for name in names}
    assert shown <= known


def test_the_examples_are_a_configuration_without_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "watchdeck.toml"
    path.write_text(EXAMPLES.read_text())
    path.chmod(0o600)
    (tmp_path / "on-call.ics").write_text(CALENDAR.replace("\n", "\r\n"))

    def console_problems(found: Settings) -> Iterator[Problem]:
        return view_problems(found.console, {})

    assert len(load(path, console_problems).endpoint) == 3


def test_a_new_setting_without_a_docstring_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "sample_settings.py").write_text(
        "from msgspec import Struct\n\n\nclass Sample(Struct):\n"
        '    known: int = 1\n    """Known."""\n    new: int = 2\n    last: int = 3\n'
        '    """Two\n    lines."""\n'
    )
    import importlib.util
    import sys

    spec = importlib.util.spec_from_file_location(
        "sample_settings", tmp_path / "sample_settings.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["sample_settings"] = module
    try:
        spec.loader.exec_module(module)
        assert field_docstrings(module.Sample) == {"known": "Known.", "last": "Two lines."}
    finally:
        del sys.modules["sample_settings"]


@pytest.mark.parametrize(
    ("path", "name", "facts"),
    [
        pytest.param("file", "store", "text; optional.", id="no default"),
        pytest.param("endpoint", "name", "text; required.", id="needed"),
        pytest.param("endpoint", "every", 'duration from 1s to 1d; default "10s".', id="duration"),
        pytest.param("endpoint", "max_body", 'size from 1KiB to 64MiB; default "1MiB".', id="size"),
        pytest.param("endpoint", "tier", "whole number from 0 to 9; optional.", id="number"),
        pytest.param("endpoint.slo", "error_ratio", "share; optional.", id="share"),
        pytest.param("channel", "url", "text or secret; optional.", id="two types"),
        pytest.param("route", "severity", "list of whole numbers; optional.", id="list"),
        pytest.param("escalation", "step", "list of tables; required.", id="list of tables"),
        pytest.param("rule", "severity", "whole number from 1 to 4; default 3.", id="of the rule"),
        pytest.param("rule", "group_by", 'list of texts; default ["owner"].', id="list default"),
        pytest.param("rule", "no_data_after", "duration from 1s to 31d; optional.", id="not 0"),
        pytest.param("console", "bell", "true or false; default false.", id="flag"),
    ],
)
def test_a_setting_has_its_type_bounds_and_default(path: str, name: str, facts: str) -> None:
    assert entries("config", path)[name].paragraphs[0] == facts


@pytest.mark.parametrize("kind", ChannelType)
def test_a_channel_says_what_its_type_needs(kind: ChannelType) -> None:
    found = entries("config", "channel")
    for name in receivers.NEEDED[kind]:
        assert re.search(rf"Required by [\w, ]*{kind}", found[name].paragraphs[2])
    for name in receivers.OPTIONAL[kind]:
        assert re.search(rf"Optional for [\w, ]*{kind}", found[name].paragraphs[2])


@pytest.mark.parametrize(
    ("path", "name", "choices"),
    [
        pytest.param("endpoint", "kind", '"auto", "bentoml", "cadvisor"', id="kinds"),
        pytest.param("console", "theme", '"ansi", "dark"', id="themes"),
        pytest.param("console", "layout", '"auto", "focus"', id="layouts"),
        pytest.param("maintenance", "weeks", '"first", "second"', id="weeks"),
        pytest.param("rule", "no_data", '"hold": The alert stays', id="values with a meaning"),
        pytest.param("endpoint", "map", 'Keys: "requests", "errors"', id="keys of a table"),
    ],
)
def test_a_setting_with_few_values_lists_them(path: str, name: str, choices: str) -> None:
    assert choices in " ".join(entries("config", path)[name].paragraphs)


def test_the_names_of_other_tools_are_listed() -> None:
    shown = {
        (other, ours)
        for ours, entry in ((one.term, one) for one in entries_of("names"))
        for other in entry.paragraphs[0].split(", ")
    }
    assert shown == set(SYNONYMS.items())


def entries_of(name: str) -> tuple[Any, ...]:
    from cli.help.help_pages import section

    return section("config", name).entries


READ = re.compile(r"""environ(?:\.get\(|\[)\s*"([A-Z_]+)"|envvar="([A-Z_]+)\"""")
NAMED = re.compile(r'"([A-Z][A-Z_]{2,})"')


def test_every_environment_variable_that_is_read_is_explained() -> None:
    code = "".join(path.read_text() for path in SOURCE.rglob("*.py") if path.parent.name != "help")
    read = {name for pair in READ.findall(code) for name in pair if name}
    assert len(read) > 12
    assert read - VARIABLES.keys() == set()
    assert VARIABLES.keys() - set(NAMED.findall(code)) == set()
    assert all(name in page("config") for name in VARIABLES)


def test_a_type_of_a_setting_has_words() -> None:
    hints = get_type_hints(Settings)
    assert all(entries("config", "file")[name] for name in hints)
