"""Files of rules: those that hold without a line of configuration, and those beside one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from msgspec.structs import replace

from watchdeck.config.reading.files import parse, read_file
from watchdeck.config.reading.problems import ConfigProblems, Problem
from watchdeck.config.reading.typed_reader import read
from watchdeck.domain.settings.rules import RuleFile, RuleText

PACKAGED = Path(__file__).parents[1] / "rules"


@cache
def load_pack(folder: Path = PACKAGED) -> tuple[RuleText, ...]:
    """The rules of the pack, by file and in the order in which they stand there.

    Raises ConfigProblems with every problem of its files.
    """
    problems: list[Problem] = []
    rules = read_folder(folder, problems)
    if problems:
        raise ConfigProblems(str(folder), problems)
    return rules


def read_folder(folder: Path, problems: list[Problem]) -> tuple[RuleText, ...]:
    """The rules of all files in a folder, which need not exist; their problems are appended."""
    paths = sorted(folder.glob("*.toml"))
    return tuple(rule for path in paths for rule in read_rules(path, problems))


def read_rules(path: Path, problems: list[Problem]) -> tuple[RuleText, ...]:
    """The rules of one file that could be read; its problems are appended."""
    found: list[Problem] = []
    try:
        raw = parse(str(path), read_file(path).text)
        rules = with_origin(read(raw, RuleFile, "", found).rule, path)
    except ConfigProblems as error:
        found, rules = list(error.problems), ()
    problems += (replace(problem, file=str(path)) for problem in found)
    return rules


def with_origin(rules: tuple[object, ...], path: Path) -> tuple[RuleText, ...]:
    """Rules that know where they stand, without those that could not be read."""
    return tuple(
        replace(rule, origin=str(path), place=f"rule[{number}]")
        for number, rule in enumerate(rules)
        if isinstance(rule, RuleText)
    )
