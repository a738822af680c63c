"""Cleaning of text from outside, once, at intake: terminal control characters become visible."""

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)


def clean(text: str, limit: int = 1_024) -> str:
    """Escape control, bidi, zero-width, surrogate and noncharacters, and cut to `limit` characters.

    C0 becomes caret notation (`^[`), the rest `<9b>` or `<U+202E>`. A cut text ends in an ellipsis.
    Cleaning twice changes nothing.
    """
    escaped = _UNSAFE.sub(_escape, text[: limit + 1])
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + "…"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return f"^{chr(code + 0x40)}"
    if code < 0x100:
        return f"<{code:02x}>"
    return f"<U+{code:04X}>"
