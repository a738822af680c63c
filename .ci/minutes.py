"""Print the minutes of tests per folder, and fail where they are over budget.

`python .ci/minutes.py REPORT SECONDS`: REPORT is what `pytest --junitxml=REPORT` writes, SECONDS
the length of the whole command. With two workers the sum of all tests is larger than that.
"""

import sys
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from xml.etree import ElementTree as ET

BUDGETS = Path(__file__).with_name("minutes.toml")


def folder(module: str) -> str:
    """The folder under tests/ of a test module such as tests.domain.alerts.test_lifecycle."""
    return "/".join(takewhile(lambda part: not part.startswith("test_"), module.split(".")[1:]))


def minutes_by_folder(report: Path) -> dict[str, float]:
    """The minutes of all tests of each folder, their fixtures included."""
    found: dict[str, float] = defaultdict(float)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - our own file
        found[folder(case.attrib["classname"])] += float(case.attrib["time"]) / 60
    return found


def excesses(found: Mapping[str, float], command: float, budgets: Mapping[str, float]) -> list[str]:
    """A sentence for each folder over its budget, and for the command."""
    limits = {name: budgets.get(name, budgets["other"]) for name in found}
    over = [
        f"tests/{name}: {minutes:.1f} minutes, {limits[name]} are allowed"
        for name, minutes in sorted(found.items())
        if minutes > limits[name]
    ]
    if command > budgets["command"]:
        over.append(f"the command: {command:.1f} minutes, {budgets['command']} are allowed")
    return over


def main(report: str, seconds: str) -> None:
    """Print the table. Raises SystemExit with what is over budget."""
    budgets, found = tomllib.loads(BUDGETS.read_text()), minutes_by_folder(Path(report))
    for name, minutes in sorted(found.items(), key=lambda row: -row[1]):
        print(f"{minutes:6.2f} of {budgets.get(name, budgets['other']):4}  tests/{name}")
    print(f"{sum(found.values()):6.2f}          all tests")
    print(f"{int(seconds) / 60:6.2f} of {budgets['command']:4}  the command, as one waits for it")
    over = excesses(found, int(seconds) / 60, budgets)
    if over:
        raise SystemExit("\n".join(["over budget (.ci/minutes.toml):", *over]))


if __name__ == "__main__":
    main(*sys.argv[1:])
