"""The line at the bottom where a person types: a filter, a command, a moment."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from watchdeck.console.lines.line import Background, Line, Role, Span, cut
from watchdeck.console.state.view_state import ViewState
from watchdeck.console.widgets.panel import Panel

_REMEMBERED = 100
"""Lines that come back with the up key."""


class Hint(Struct, frozen=True):
    """A hint on the typed text: `at` is the index of a wrong character, None without a mistake."""

    words: str = ""
    at: int | None = None


class PromptOwner(Protocol):
    """Who asked for a text, and says what it means."""

    def hint(self, text: str) -> Hint:
        """What to say of a text that is being typed."""
        ...

    def complete(self, text: str) -> str:
        """The text that Tab makes of a beginning; empty when there is none."""
        ...

    def submit(self, text: str) -> Hint | None:
        """Take the text; returns what is wrong with it, None when it was taken."""
        ...

    def cancel(self) -> None:
        """The prompt was left without a text."""


class HintLine(Panel):
    """The line above the input: a mistake, over its character, or else what can be typed."""

    hint: reactive[Hint] = reactive(Hint(), repaint=False)

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """The hint has no age."""
        return ()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One line over the one that is typed."""
        if self.hint.at is None:
            return (
                Line((Span(f"  {cut(self.hint.words, cells - 3)}", Role.MUTED),), Background.BAR),
            )
        # under what is typed at the left; a word that would not fit begins further left
        gap = min(2 + self.hint.at, max(2, cells - len(self.hint.words) - 3))
        words = Span(f"▼ {cut(self.hint.words, cells - gap - 2)}", Role.WARNING)
        return (Line((Span(" " * gap), words), Background.BAR),)

    def watch_hint(self) -> None:
        """Something else is to be said."""
        self.redraw()


class PromptSymbol(Panel):
    """What kind of line this is."""

    def __init__(self, sign: str) -> None:
        super().__init__(id="sign")
        self._sign = sign

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """The sign has no age."""
        return ()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One character."""
        return (Line((Span(f" {self._sign}", Role.ACCENT),)),)


class PromptInput(Input, inherit_bindings=True):
    """The input line of a prompt; up and down recall the texts that were typed before."""

    def __init__(self, past: list[str]) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self._past = past
        self._back = 0

    def on_key(self, event: events.Key) -> None:
        """What the line does beside editing."""
        if event.key in ("up", "down"):
            event.prevent_default()
            event.stop()
            self._recall(1 if event.key == "up" else -1)

    def _recall(self, by: int) -> None:
        self._back = max(0, min(len(self._past), self._back + by))
        self.value = self._past[-self._back] if self._back else ""
        self.cursor_position = len(self.value)


class Prompt(Vertical):
    """A sign, the line, and a hint above it; it goes when its owner has the text.

    `past` are the texts that were typed on such a prompt, the newest last; a new one is added.
    """

    view_state: reactive[ViewState | None] = reactive[ViewState | None](None, repaint=False)

    class Requested(Message):
        """A widget asks its screen for a prompt."""

        def __init__(self, sign: str, owner: PromptOwner, text: str = "") -> None:
            super().__init__()
            self.sign = sign
            self.owner = owner
            self.text = text

    def __init__(
        self, sign: str, owner: PromptOwner, past: list[str], text: str = "", hint: str = ""
    ) -> None:
        super().__init__()
        self._sign = sign
        self._owner = owner
        self._past = past
        self._text = text
        self._first_hint = hint
        self.focus_after: Widget | None = None

    def compose(self) -> ComposeResult:
        """The hint over the line."""
        hint = HintLine(id="hint")
        hint.set_reactive(HintLine.hint, Hint(self._first_hint))
        yield hint.data_bind(Prompt.view_state)
        with Horizontal():
            yield PromptSymbol(self._sign).data_bind(Prompt.view_state)
            yield PromptInput(list(self._past))

    def on_mount(self) -> None:
        """Type at once."""
        self._write(self._text)
        self.query_one(PromptInput).focus()

    def close(self) -> None:
        """Take the prompt away; the focus goes back to where it was."""
        self.remove()
        self.screen.set_focus(self.focus_after)

    def _write(self, text: str) -> None:
        line = self.query_one(PromptInput)
        line.value = text
        line.cursor_position = len(text)

    def _hint(self, hint: Hint) -> None:
        self.query_one(HintLine).hint = hint

    @on(Input.Changed)
    def _show_hint(self, event: Input.Changed) -> None:
        event.stop()
        self._hint(self._owner.hint(event.value))

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        problem = self._owner.submit(event.value)
        if problem is not None:
            self._hint(problem)
            return
        self._remember(event.value.strip())
        self.close()

    def _remember(self, text: str) -> None:
        if text and text not in self._past[-1:]:
            self._past.append(text)
            del self._past[:-_REMEMBERED]

    def on_key(self, event: events.Key) -> None:
        """Esc gives up, Tab completes; nothing that is typed here means anything elsewhere."""
        if event.key not in ("escape", "tab"):
            return
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self._owner.cancel()
            self.close()
        elif text := self._owner.complete(self.query_one(PromptInput).value):
            self._write(text)
