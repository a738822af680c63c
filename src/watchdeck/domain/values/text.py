"""Foreign text made safe, once, at intake: what a terminal would obey becomes visible."""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)


def clean(text: str, limit: int = 1_024) -> str:
    """The text with control, bidi, zero-width, surrogate and noncharacters made visible, cut.

    C0 becomes caret notation (`^[`), the rest `<9b>` or `<U+202E>`. The result has at most `limit`
    characters, the last an ellipsis when something was cut. Cleaning twice changes nothing.
    """
    shown = _UNSAFE.sub(_visible, text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return f"^{chr(code + 0x40)}"
    if code < 0x100:
        return f"<{code:02x}>"
    return f"<U+{code:04X}>"
