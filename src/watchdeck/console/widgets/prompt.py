"""The prompt at the bottom of a screen, for a filter, a command or a time."""

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
"""The most texts that a prompt keeps for recall with the up key."""


class Hint(Struct, frozen=True):
    """A hint on the typed text: `at` is the index of a wrong character, None without a mistake."""

    words: str = ""
    at: int | None = None


class PromptOwner(Protocol):
    """The object that opened a prompt: it gives hints, completes and takes the text."""

    def hint(self, text: str) -> Hint:
        """The hint to show for a text that is being typed."""
        ...

    def complete(self, text: str) -> str:
        """The text that Tab replaces a typed beginning with; empty without a completion."""
        ...

    def submit(self, text: str) -> Hint | None:
        """Act on the text; returns None, which closes the prompt, or the mistake in the text."""
        ...

    def cancel(self) -> None:
        """Called when Esc closes the prompt: no text is submitted."""


class HintLine(Panel):
    """The line above the input: a mistake, placed over the wrong character, or a hint."""

    hint: reactive[Hint] = reactive(Hint(), repaint=False)

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """Nothing: the hint shows no ages, so it is not redrawn when time passes."""
        return ()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One line with the hint; a mistake stands over its character."""
        if self.hint.at is None:
            return (
                Line((Span(f"  {cut(self.hint.words, cells - 3)}", Role.MUTED),), Background.BAR),
            )
        # over the wrong character; words that would not fit there begin further left
        gap = min(2 + self.hint.at, max(2, cells - len(self.hint.words) - 3))
        words = Span(f"▼ {cut(self.hint.words, cells - gap - 2)}", Role.WARNING)
        return (Line((Span(" " * gap), words), Background.BAR),)

    def watch_hint(self) -> None:
        """Redraw: Textual calls this when `hint` has changed."""
        self.redraw()


class PromptSymbol(Panel):
    """The sign before the input, which tells what is typed: `:` a command, `/` a filter."""

    def __init__(self, sign: str) -> None:
        super().__init__(id="sign")
        self._sign = sign

    def ages(self, state: ViewState) -> tuple[object, ...]:  # noqa: ARG002 - no data is shown
        """Nothing: the sign shows no ages, so it is not redrawn when time passes."""
        return ()

    def draw(self, state: ViewState, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One line with the sign."""
        return (Line((Span(f" {self._sign}", Role.ACCENT),)),)


class PromptInput(Input, inherit_bindings=True):
    """The input line of a prompt; up and down recall the texts that were typed before."""

    def __init__(self, past: list[str]) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self._past = past
        self._back = 0

    def on_key(self, event: events.Key) -> None:
        """Recall texts on up and down; Textual's input handles all other keys."""
        if event.key in ("up", "down"):
            event.prevent_default()
            event.stop()
            self._recall(1 if event.key == "up" else -1)

    def _recall(self, by: int) -> None:
        self._back = max(0, min(len(self._past), self._back + by))
        self.value = self._past[-self._back] if self._back else ""
        self.cursor_position = len(self.value)


class Prompt(Vertical):
    """A sign and an input line, with a hint above; closes when the owner has taken the text.

    A closed prompt ignores the keys that were typed with the one that closed it: no text is
    submitted twice.

    `past` holds the texts typed on prompts of this sign, the newest last; a new text is added.
    """

    view_state: reactive[ViewState | None] = reactive[ViewState | None](None, repaint=False)

    class Requested(Message):
        """A widget asks its screen for a prompt, with `text` already typed."""

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
        self._is_closed = False
        self.focus_after: Widget | None = None

    def compose(self) -> ComposeResult:
        """The hint above, and under it the sign and the input line."""
        hint = HintLine(id="hint")
        hint.set_reactive(HintLine.hint, Hint(self._first_hint))
        yield hint.data_bind(Prompt.view_state)
        with Horizontal():
            yield PromptSymbol(self._sign).data_bind(Prompt.view_state)
            yield PromptInput(list(self._past))

    def on_mount(self) -> None:
        """Fill in the first text, and focus the input."""
        self._write(self._text)
        self.query(PromptInput).focus()

    def close(self) -> None:
        """Remove the prompt, unless it is closed; the focus goes back to where it was."""
        if self._is_closed:
            return
        self._is_closed = True
        self.screen.set_focus(self.focus_after)
        self.remove()

    def _write(self, text: str) -> None:
        for line in self.query(PromptInput):  # none when its screen closes meanwhile
            line.value = text
            line.cursor_position = len(text)

    def _hint(self, hint: Hint) -> None:
        for line in self.query(HintLine):
            line.hint = hint

    @on(Input.Changed)
    def _show_hint(self, event: Input.Changed) -> None:
        event.stop()
        if not self._is_closed:
            self._hint(self._owner.hint(event.value))

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        if self._is_closed:
            return
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
        """Cancel on Esc, complete on Tab; the screen does not get these two keys."""
        if event.key not in ("escape", "tab"):
            return
        event.stop()
        event.prevent_default()
        if self._is_closed:
            return
        if event.key == "escape":
            self._owner.cancel()
            self.close()
        elif text := self._owner.complete(self.query_one(PromptInput).value):
            self._write(text)
