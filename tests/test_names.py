"""One word, one meaning: what a class is called says what it is, in the whole project."""

import ast
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "watchdeck"

ALLOWED: dict[str, str] = {
    "Result": "a type variable: the result of whatever function is run",
}
"""Names that may stand for two things, and why."""


def definitions() -> dict[str, set[str]]:
    """Every top-level class and type alias, a leading underscore left out, with its modules."""
    found = defaultdict(set)
    for path in SOURCE.rglob("*.py"):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                found[node.name.lstrip("_")].add(module)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name[0].isupper() and not name.isupper():
                    found[name].add(module)
    return found


def test_a_class_name_stands_for_one_thing() -> None:
    twice = {name: where for name, where in definitions().items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in ALLOWED} == {}


def test_the_table_of_exceptions_names_only_what_it_must() -> None:
    twice = {name for name, modules in definitions().items() if len(modules) > 1}
    assert set(ALLOWED) - twice == set()


def test_a_folder_holds_twenty_modules_at_most() -> None:
    crowded = {}
    for folder in {path.parent for path in SOURCE.rglob("*.py")}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        if len(modules) > 20:
            crowded[str(folder.relative_to(SOURCE))] = len(modules)
    assert crowded == {}
