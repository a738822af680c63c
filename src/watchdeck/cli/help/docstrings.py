"""Docstrings of fields and of enum members, read from the source of their class."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise


@cache
def field_docstrings(of: type) -> Mapping[str, str]:
    """The docstring under each field of a Struct, or under each member of an enum, by its name.

    One without a docstring is left out. A docstring of several lines becomes one line.
    """
    source = inspect.getsource(sys.modules[of.__module__])
    body = next(
        node.body
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == of.__name__
    )
    return {
        name: " ".join(docstring.split())
        for node, after in pairwise(body)
        if (docstring := _text(after))
        for name in _names(node)
    }


def summary(of: type) -> str:
    """The first paragraph of the docstring of a class, as one line."""
    return " ".join((of.__doc__ or "").partition("\n\n")[0].split())


def _names(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def _text(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return node.value.value if isinstance(node.value.value, str) else ""
    return ""
