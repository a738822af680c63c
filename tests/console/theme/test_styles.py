import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

import watchdeck.console
from console import boards
from watchdeck.console.lines.line import Background, DotStyle, Line, Role, Span, line
from watchdeck.console.setup import dots_for
from watchdeck.console.theme.styles import OutputSanitizer, StyleSheet

BLACK = Color(0, 0, 0)

DOORS = {
    "Static", "Label", "Button", "Checkbox", "RadioButton", "Option", "ListItem", "TabPane",
    "Collapsible", "Placeholder", "Markdown", "Input", "Log", "RichLog", "Header", "Digits",
    "Pretty", "Link", "Tooltip", "update", "add_row", "add_column", "add_columns", "update_cell",
    "add_option", "add_options", "notify", "write", "write_line", "panic", "from_markup",
}  # fmt: skip
"""Constructors and methods of Textual that read a plain string as markup, or show it as it is."""

TITLES = {"border_title", "border_subtitle", "tooltip", "title", "sub_title"}
"""Attributes that do the same."""

SAFE = {"Text", "Content", "bell_sequence", "osc52_sequence", "Presence"}
"""What makes a string plain text, or base64, whatever is in it."""


def brush(dots: DotStyle = DotStyle.BRAILLE) -> StyleSheet:
    return boards.settings(dots).styles


def test_a_line_becomes_a_strip_of_exactly_the_width() -> None:
    short = brush().strip(line("ok"), 10)
    long = brush().strip(line("much too long"), 4)
    assert (short.text, short.cell_length) == ("ok        ", 10)
    assert (long.text, long.cell_length) == ("much", 4)


def test_a_role_has_its_colour_on_its_ground() -> None:
    style = brush().style(Role.DOWN, Background.CURSOR)
    colours = brush().palette.colours
    assert style.color is not None
    assert style.bgcolor is not None
    assert (style.color.name, style.bgcolor.name) == (colours["down"], colours["cursor"])
    assert style.bold


def test_a_span_may_lie_on_a_ground_of_its_own() -> None:
    strip = brush().strip(Line((Span("lit", Role.TEXT, Background.CURSOR), Span("not"))), 8)
    grounds = [segment.style and segment.style.bgcolor for segment in strip]
    names = [ground and ground.name for ground in grounds]
    colours = brush().palette.colours
    assert names == [colours["cursor"], colours["background"], colours["background"]]


def test_no_markup_and_no_link_ever_comes_of_text() -> None:
    text = "[red]x[/red] [@click=app.quit]y[/] [link=http://e]z[/link]"
    strip = brush().strip(Line((Span(text),)), 80)
    assert strip.text.rstrip() == text
    assert all(segment.style and not segment.style.meta for segment in strip)
    assert all(segment.style and segment.style.link is None for segment in strip)


def test_plain_terminals_get_plain_shapes() -> None:
    drawn = brush(DotStyle.ASCII).strip(line("── ✖ DOWN ▲ ◆ ● … – │"), 22)  # noqa: RUF001
    assert drawn.text == "-- X DOWN ! * o ~ - | "


@pytest.mark.parametrize(
    "raw", ["\x1b", "\x9b", "\x07", "\x00", "\x7f", "\n", "\u202e", "\u2066", "\u200b", "\ufeff"]
)
def test_the_gate_lets_nothing_through_that_a_terminal_obeys(raw: str) -> None:
    style = Style(bold=True)
    passed = OutputSanitizer().apply([Segment(f"a{raw}b", style)], BLACK)
    assert passed == [Segment("a\ufffdb", style)]


def test_the_gate_leaves_clean_text_and_control_segments_alone() -> None:
    segments = [Segment("clean ─ ⠿"), Segment("\x1b[2J", None, [])]
    kept = OutputSanitizer().apply([segments[0]], BLACK)
    assert kept[0] is segments[0]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANG": "en_US.UTF-8", "TERM": "xterm-256color"}, DotStyle.BRAILLE),
        ({"LANG": "C", "TERM": "screen"}, DotStyle.BRAILLE),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, DotStyle.BLOCK),
        ({"LC_ALL": "de_DE.ISO-8859-1", "LANG": "en_US.UTF-8"}, DotStyle.ASCII),
        ({}, DotStyle.BRAILLE),
    ],
)
def test_the_finest_dots_that_a_terminal_can_show(
    environ: dict[str, str], expected: DotStyle
) -> None:
    assert dots_for(environ) is expected


def sources() -> list[Path]:
    """All but what lies behind the gate: that writes cells and bytes, and knows no widget."""
    console = Path(watchdeck.console.__file__).parent
    behind = {*console.glob("terminal/*.py")}
    return sorted({*console.rglob("*.py")} - behind)


def unsafe(tree: ast.AST) -> Iterator[ast.AST]:
    """Every place where a string that is no literal would reach Textual as it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in DOORS:
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            yield from (value for value in values if not _is_safe(value))
        if isinstance(node, ast.Assign) and any(_name(t) in TITLES for t in node.targets):
            yield from (() if _is_safe(node.value) else (node.value,))


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_safe(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return _name(node.func) in SAFE
    return isinstance(node, ast.Constant)


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_no_string_reaches_a_widget_but_through_the_door(path: Path) -> None:
    found = [ast.unparse(node) for node in unsafe(ast.parse(path.read_text()))]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "Static(name)",
        "self.app.notify(f'{name}')",
        "widget.border_title = name",
        "table.add_row('x', row.name)",
        "static.update('a' + name)",
        "Option(prompt=name)",
    ],
)
def test_the_check_finds_a_string_that_takes_another_way(code: str) -> None:
    assert list(unsafe(ast.parse(code)))


def test_only_the_brush_makes_segments() -> None:
    makers = {path.name for path in sources() if "Segment(" in path.read_text()}
    assert makers == {"styles.py"}
