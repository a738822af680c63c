"""The line at the bottom where a person types: a filter, a command, a moment."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input

from watchdeck.console.lines.line import Background, Line, Role, Span, cut
from watchdeck.console.state.view_state import ViewSettings
from watchdeck.console.widgets.panel import Panel


class Hint(Struct, frozen=True):
    """A word on what is typed: `at` is the character it is about, None when it is no mistake."""

    words: str = ""
    at: int | None = None


class HintLine(Panel):
    """What is wrong, under the character that it is about, or what else could be typed."""

    hint: reactive[Hint] = reactive(Hint(), repaint=False)

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
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

    def draw(self, setting: ViewSettings, cells: int, rows: int) -> tuple[Line, ...]:  # noqa: ARG002
        """One character."""
        return (Line((Span(f" {self._sign}", Role.ACCENT),)),)


class PromptInput(Input, inherit_bindings=True):
    """The line itself; up and down go through what was typed before."""

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
    """A sign, the line, and a hint above it; gone when it is done with."""

    setting: reactive[ViewSettings | None] = reactive[ViewSettings | None](None, repaint=False)

    class Changed(Message):
        """Other text; whoever asked says what it thinks of it through `hint`."""

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.text = text

    class Done(Message):
        """Enter was pressed on a text."""

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.text = text

    class Completed(Message):
        """Tab was pressed on a text."""

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.text = text

    class Left(Message):
        """Esc was pressed."""

        def __init__(self, prompt: Prompt) -> None:
            super().__init__()
            self.prompt = prompt

    def __init__(self, sign: str, text: str = "", past: Sequence[str] = ()) -> None:
        super().__init__()
        self.sign = sign
        self._text = text
        self._past = list(past)

    def compose(self) -> ComposeResult:
        """The hint over the line."""
        yield HintLine(id="hint").data_bind(Prompt.setting)
        with Horizontal():
            yield PromptSymbol(self.sign).data_bind(Prompt.setting)
            yield PromptInput(self._past)

    def on_mount(self) -> None:
        """Type at once."""
        typing = self.query_one(PromptInput)
        typing.value = self._text
        typing.cursor_position = len(self._text)
        typing.focus()

    def hint(self, hint: Hint) -> None:
        """Say something about the text."""
        self.query_one(HintLine).hint = hint

    def complete(self, text: str) -> None:
        """Put a text in the place of the typed one."""
        typing = self.query_one(PromptInput)
        typing.value = text
        typing.cursor_position = len(text)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Done(self, event.value))

    def on_key(self, event: events.Key) -> None:
        """Esc gives up, Tab completes; nothing that is typed here means anything elsewhere."""
        if event.key in ("escape", "tab"):
            event.stop()
            event.prevent_default()
            text = self.query_one(PromptInput).value
            left = event.key == "escape"
            self.post_message(self.Left(self) if left else self.Completed(self, text))
