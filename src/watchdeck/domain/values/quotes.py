"""Text between double quotes, in which a backslash escapes, as Prometheus and Alertmanager do."""

import re

QUOTED = r'"(?:[^"\\]|\\.)*+"'
"""The pattern of a quoted text, for expressions with DOTALL."""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_SPECIAL = str.maketrans({"\n": "\\n", '"': '\\"', "\\": "\\\\"})


def unescape(text: str) -> str:
    r"""The meaning of what stands between quotes: `\"`, `\\` and `\n` are one character each.

    A backslash before any other character stays, so that patterns need no second one.
    """
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[0]), text)


def quote(text: str) -> str:
    """The text between double quotes, from which `unescape` makes it again."""
    return f'"{text.translate(_SPECIAL)}"'
