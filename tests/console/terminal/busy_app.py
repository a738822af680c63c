"""An application that shows everything at once, and events that change it."""

from __future__ import annotations

import random
from collections.abc import Callable

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widgets import DataTable, Input, Label, OptionList, Static

from watchdeck.console.terminal.app import DiffRenderedApp

WORDS = (
    "latency", "p95 412 ms", "模型监控", "●▲◆✖", "▁▂▃▄▅▆▇█", "⣿⣀⠤", "été", "─│┤", "naïve", "🚀",
    "ошибка", "   ", "a b c", "[b]no tag[/b]", "日本", "ｶﾅ", "\ufffd",
)  # fmt: skip
COLOURS = ("#ff0000", "#10141b", "#d7dde6", "#5ec8e5", "#000000", "default", "#7f7f7f")
THEMES = ("textual-dark", "textual-light", "nord", "gruvbox", "ansi-dark")


def some_text(chance: random.Random, words: int) -> Text:
    made = Text()
    for _ in range(chance.randint(0, words)):
        made.append(chance.choice(WORDS) + chance.choice(("", " ", "   ")), some_style(chance))
    return made


def some_style(chance: random.Random) -> Style:
    flags = ("bold", "italic", "underline", "strike", "reverse", "blink", "dim")
    on = " ".join(flag for flag in flags if chance.random() < 0.12)
    return Style.parse(f"{on} {chance.choice(COLOURS)} on {chance.choice(COLOURS)}")


class Window(ModalScreen[None]):
    """Lies over the screen, which shows dimmed behind it."""

    DEFAULT_CSS = "Window { align: center middle; } Window Static { width: 31; height: 7; }"

    def compose(self) -> ComposeResult:
        yield Static(Text("a window over 模型 all"))


class Stage(DiffRenderedApp):
    """Panels, a table, a list, an input, and a box that floats over them."""

    CSS = """
    Screen { layers: below above; }
    #box { layer: above; width: 17; height: 4; border: round; offset: 5 3; }
    #left, #right { width: 1fr; height: 1fr; }
    DataTable { height: 8; }
    """

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance

    def compose(self) -> ComposeResult:
        yield Label("top", id="top")
        with Horizontal():
            with VerticalScroll(id="left"):
                yield from (Static(some_text(self.chance, 9), classes="line") for _ in range(12))
            with VerticalScroll(id="right"):
                yield DataTable[Text]()
                yield OptionList(*(f"option {number}" for number in range(12)))
                field = Input("typed")
                field.cursor_blink = False
                yield field
        yield Static("over", id="box")

    def on_mount(self) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        for name in ("name", "値", "why"):
            table.add_column(name, key=name)
        for number in range(12):
            table.add_row(*(some_text(self.chance, 2) for _ in range(3)), key=str(number))


Event = Callable[[Stage, random.Random], None]


def change_lines(app: Stage, chance: random.Random) -> None:
    for line in chance.sample([*app.query(".line").results(Static)], 3):
        line.update(some_text(chance, 9))


def change_cells(app: Stage, chance: random.Random) -> None:
    table: DataTable[Text] = app.query_one(DataTable)
    for _ in range(4):
        table.update_cell(str(chance.randrange(12)), "why", some_text(chance, 3))


def move_box(app: Stage, chance: random.Random) -> None:
    box = app.query_one("#box")
    box.styles.offset = Offset(chance.randint(-5, 70), chance.randint(-2, 20))
    box.display = chance.random() < 0.8


def scroll(app: Stage, chance: random.Random) -> None:
    side = app.query_one(chance.choice(("#left", "#right")))
    side.scroll_to(y=chance.randint(0, 16), animate=False)


def widen(app: Stage, _: random.Random) -> None:
    """Lines over the whole width can be moved by the terminal when they scroll."""
    right = app.query_one("#right")
    right.display = not right.display


def walk(app: Stage, chance: random.Random) -> None:
    app.query_one(OptionList).highlighted = chance.randrange(12)
    app.query_one(DataTable).move_cursor(row=chance.randrange(12))


def look_elsewhere(app: Stage, chance: random.Random) -> None:
    app.set_focus(chance.choice([app.query_one(Input), app.query_one(OptionList), None]))


def open_or_close(app: Stage, chance: random.Random) -> None:
    if isinstance(app.screen, Window):
        app.pop_screen()
    elif chance.random() < 0.5:
        app.push_screen(Window())


def redraw(app: Stage, _: random.Random) -> None:
    app.redraw()


def change_theme(app: Stage, chance: random.Random) -> None:
    app.theme = chance.choice(THEMES)


EVENTS: tuple[tuple[Event, float], ...] = (
    (change_lines, 6), (change_cells, 6), (move_box, 4), (scroll, 4), (walk, 4),
    (look_elsewhere, 2), (open_or_close, 2), (redraw, 1), (widen, 2), (change_theme, 0.3),
)  # fmt: skip
"""What may happen, and how often."""
