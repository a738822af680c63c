"""The reference of the configuration, generated from its types, its checks and its examples."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from watchdeck.cli.help import environment
from watchdeck.cli.help.docstrings import field_docstrings, summary
from watchdeck.cli.help.layout import Entry, Reference, Section
from watchdeck.cli.help.type_words import item_type, listed, options_of, table_type, type_words
from watchdeck.config import load, maintenance, routing
from watchdeck.config.checks import endpoint, intake, receivers, rule
from watchdeck.config.checks.fields import Bounds
from watchdeck.config.reading.problems import SYNONYMS
from watchdeck.config.reading.typed_reader import settings_of
from watchdeck.console.models.columns import column_names
from watchdeck.console.theme.layouts import LAYOUT_NAMES
from watchdeck.console.theme.themes import theme_files
from watchdeck.domain.notifications.message import MessageKind
from watchdeck.domain.notifications.on_call import TURN_LENGTHS
from watchdeck.domain.rules.rule import NoData, Rule, RuleFamily
from watchdeck.domain.settings.configuration import (
    GLYPHS,
    NOTICES,
    ConsoleSettings,
    Retention,
    Settings,
)
from watchdeck.domain.settings.endpoint import Canary, Endpoint
from watchdeck.domain.settings.intake import Alertmanager, Intake
from watchdeck.domain.settings.receivers import (
    Channel,
    ChannelType,
    Escalation,
    Heartbeat,
    OnCallSchedule,
)
from watchdeck.domain.settings.rules import MaintenanceText, RuleText
from watchdeck.domain.values.secret import Secret
from watchdeck.domain.values.units import DURATIONS, SIZES, Bytes, Milliseconds, Ratio

EXAMPLES = Path(__file__).with_name("config_examples.toml")

_TOP = "file"
"""The name of the section of keys outside every table."""

_SECRET = "secret"  # noqa: S105 - the name of a section
_SECRET_TABLE = "alertmanager.headers."  # noqa: S105 - the beginning of a table's path

_BOUNDS: Mapping[type, Bounds] = {
    Endpoint: endpoint.BOUNDS,
    Canary: endpoint.CANARY_BOUNDS,
    Retention: load.RETENTION_BOUNDS,
    RuleText: rule.BOUNDS,
    Intake: intake.INTAKE_BOUNDS,
    Alertmanager: intake.BOUNDS,
    Channel: receivers.BOUNDS,
    Escalation: routing.ESCALATION_BOUNDS,
    Heartbeat: receivers.HEARTBEAT_BOUNDS,
}
"""The bounds that the checks hold, by the type of the table."""

_EXPLAINED: Mapping[tuple[type, str], type[StrEnum]] = {(RuleText, "no_data"): NoData}
"""The settings whose values have a docstring each."""

_LABELS = {"map": "Keys", "theme": "Shipped"}
"""The words before the choices of settings that have others too."""

_RULE_TIMES = ("for_", "resolve_for", "no_data_after")

_WHERE = (
    "The configuration is the file of --config, else of WATCHDECK_CONFIG, else ./watchdeck.toml,"
    " else watchdeck/watchdeck.toml in the XDG configuration directory. `watchdeck init URL` writes"
    " one, `watchdeck check` tries all of it. Only the name and url of an endpoint are needed."
)

_LINE = re.compile(r"\[\[?(?P<table>[\w.-]+)\]\]?|(?P<key>\w+) = (?P<value>.*)")


def reference() -> Reference:
    """The reference of the configuration."""
    return Reference(
        "watchdeck help config: the settings of watchdeck.toml",
        (
            _WHERE,
            "Each setting is an example line, with its type, bounds, default and meaning.",
        ),
        (
            _values_section(),
            *table_sections(),
            _synonyms_section(),
            environment.section(),
        ),
    )


def _values_section() -> Section:
    return Section(
        ("values",),
        "How values are written",
        (),
        (
            Entry("duration", (f'"10s", "1.5m", "30d"; units are {listed(DURATIONS)}.',)),
            Entry("size", (f'"1MiB", "512kB"; units are {listed(SIZES)}.',)),
            Entry("share", ('"99.9%", or a number from 0 to 1 such as 0.999.',)),
            Entry("text", ("\"in double quotes\", or 'in single quotes', which keep a \\.",)),
            Entry("list", ('["a", "b"]; a list of tables has one [[table]] for each entry.',)),
            Entry("secret", ('{ env = "NAME" } or { file = "PATH" }, never the secret itself.',)),
            Entry("path", ("Relative to the directory of the configuration; ~ is the home.",)),
        ),
    )


def _synonyms_section() -> Section:
    """The names of other tools, which the errors of the reader explain too."""
    names: dict[str, list[str]] = defaultdict(list)
    for other, ours in SYNONYMS.items():
        names[ours].append(other)
    return Section(
        ("names",),
        "Names of other tools",
        ("These names are refused, with a hint at the name here.",),
        tuple(Entry(ours, (listed(others),)) for ours, others in names.items()),
    )


def table_sections() -> tuple[Section, ...]:
    """A section for each type of table, in the order of the types."""
    places = _places()
    return tuple(_table_section(table, paths) for table, paths in places.items())


def _places() -> dict[type[Struct], list[str]]:
    """Every type of table, with the headers by which the file writes it."""
    found: dict[type[Struct], list[str]] = defaultdict(list)
    _add_places(Settings, "", found)
    found[Secret].append("")
    return found


def _add_places(table: type[Struct], path: str, found: dict[type[Struct], list[str]]) -> None:
    found[table].append(path)
    for name, of in settings_of(table).items():
        inner = table_type(of)
        if inner is not None:
            is_list = any(item_type(option) for option in options_of(of))
            child = f"{path.strip('[]')}.{name}".lstrip(".")
            _add_places(inner, f"[[{child}]]" if is_list else f"[{child}]", found)


def _table_section(table: type[Struct], headers: list[str]) -> Section:
    names, title = tuple(header.strip("[]") for header in headers), listed(headers)
    paragraph = summary(table)
    if table is Settings:
        names, title = (_TOP,), "Keys and tables of the file"
        paragraph = "A key of the file itself stands before the first table."
    elif table is Secret:
        names, title = (_SECRET,), "{ env = ... } or { file = ... }"
    return Section(names, title, (paragraph,), table_entries(table, names[0]))


def table_entries(table: type[Struct], path: str) -> tuple[Entry, ...]:
    """An entry for each setting of a table, whose examples are those of the table at `path`."""
    return tuple(_entry(table, name, of, path) for name, of in settings_of(table).items())


def _entry(table: type[Struct], name: str, of: Any, path: str) -> Entry:
    info = _field(table, name)
    means = field_docstrings(table).get(info.name, "")
    notes = _notes(table, name)
    if table is Settings and table_type(of):
        is_list = any(item_type(option) for option in options_of(of))
        return Entry(f"[[{name}]]" if is_list else f"[{name}]", (means,), name)
    facts = "; ".join(filter(None, (_type_and_bounds(table, name, of), _default(table, info))))
    return Entry(f"{name} = {examples()[path][name]}", (f"{facts}.", means, *notes), name)


def _field(table: type[Struct], name: str) -> FieldInfo:
    return next(one for one in fields(table) if one.name.rstrip("_") == name)


def _type_and_bounds(table: type[Struct], name: str, of: Any) -> str:
    options = [option for option in options_of(of) if option is not type(None)]
    words = " or ".join(map(type_words, options))
    least, most = _BOUNDS.get(table, {}).get(name, (None, None))
    return words if least is None else f"{words} from {least} to {most}"


def _default(table: type[Struct], info: FieldInfo) -> str:
    if info.required:
        return "required"
    value = _rule_default(info.name) if table is RuleText else _default_value(info)
    least, most = _BOUNDS.get(table, {}).get(info.name, (value, value))
    if value is None or isinstance(value, Struct) or value in ("", (), {}):
        return "optional"
    if not least <= value <= most:  # it cannot be written, and stands for something else
        return "optional"
    return f"default {_toml(value)}"


def _default_value(info: FieldInfo) -> Any:
    return info.default if info.default is not NODEFAULT else info.default_factory()


def _rule_default(name: str) -> Any:
    """The default of a rule's key: what the rule that is evaluated has without it."""
    field = {"for_": "hold"}.get(name, name)
    info = next(one for one in fields(Rule) if one.name == field)
    if info.required:
        return None
    value = _default_value(info)
    return Milliseconds(value) if name in _RULE_TIMES else value


def _toml(value: Any) -> str:
    """A default as the configuration would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Milliseconds | Bytes | Ratio):
        return f'"{value}"'
    return f"[{listed(map(_toml, value))}]" if isinstance(value, tuple) else f"{value:d}"


def _notes(table: type[Struct], name: str) -> tuple[str, ...]:
    """Further paragraphs of a setting: the channels that have it, and its possible values."""
    types = _channel_types(name) if table is Channel else ""
    if (table, name) in _EXPLAINED:
        members = _EXPLAINED[table, name]
        docstrings = field_docstrings(members)
        return tuple(f'"{one.value}": {docstrings[one.name]}' for one in members)
    choices = _choices().get((table, name), ())
    texts = listed(f'"{one}"' for one in choices)
    label = _LABELS.get(name, "One of")
    return tuple(filter(None, (types, f"{label}: {texts}." if choices else "")))


def _channel_types(name: str) -> str:
    """The types of channel that have a setting; empty when all have it."""
    if name in receivers.COMMON:
        return ""
    needing = [str(one) for one in ChannelType if name in receivers.NEEDED[one]]
    taking = [str(one) for one in ChannelType if name in receivers.OPTIONAL[one]]
    needed = f"Required by {listed(needing)}." if needing else ""
    return " ".join(filter(None, (needed, f"Optional for {listed(taking)}." if taking else "")))


@cache
def _choices() -> Mapping[tuple[type, str], Sequence[str]]:
    """The possible values of settings that have only a few."""
    return {
        (ConsoleSettings, "theme"): tuple(theme_files({})),
        (ConsoleSettings, "glyphs"): GLYPHS,
        (ConsoleSettings, "layout"): LAYOUT_NAMES,
        (ConsoleSettings, "columns"): column_names(),
        (ConsoleSettings, "notices"): NOTICES,
        (Endpoint, "kind"): (endpoint.AUTO, *endpoint.FleetNames(()).kind_names),
        (Endpoint, "map"): endpoint.MAPPABLE,
        (Canary, "method"): endpoint.METHODS,
        (RuleText, "family"): tuple(RuleFamily),
        (MaintenanceText, "weeks"): tuple(maintenance.WEEKS),
        (Channel, "type"): tuple(ChannelType),
        (Channel, "kinds"): tuple(MessageKind),
        (OnCallSchedule, "turn"): tuple(TURN_LENGTHS),
        (Heartbeat, "method"): receivers.METHODS,
    }


@cache
def examples() -> Mapping[str, Mapping[str, str]]:
    """The example of each setting as TOML text: by the path of its table, then by its name."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for table, key, value in _example_lines():
        path = _SECRET if table.startswith(_SECRET_TABLE) else table
        found[path].setdefault(key, value)
    return found


def _example_lines() -> Iterator[tuple[str, str, str]]:
    table = _TOP
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        table = match["table"] or table
        if match["key"]:
            yield table, match["key"], match["value"]
