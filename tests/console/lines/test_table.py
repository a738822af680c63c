from console import boards
from watchdeck.console.lines.health import HEALTH_BADGES, health_counts
from watchdeck.console.lines.line import Background, width
from watchdeck.console.lines.list_position import ListPosition
from watchdeck.console.lines.table import Columns, Table, fit_columns, row_range, table_lines
from watchdeck.console.models.columns import MODEL_COLUMNS as MODELS
from watchdeck.console.models.columns import SUMMARY_COLUMNS as FLEET
from watchdeck.domain.board.board import Health, Model, sort_worst_first


def table(columns: Columns[Model], models: tuple[Model, ...] | None = None) -> Table[Model]:
    rows = sort_worst_first(boards.small_fleet() if models is None else models)
    return Table(columns, rows, tuple(model.facts.name for model in rows), "nothing here")


def text(columns: Columns[Model], cells: int) -> list[str]:
    lines = table_lines(table(columns), ListPosition(), boards.NOW, cells, 20)
    assert all(width(str(line)) <= cells for line in lines)
    return [str(line).rstrip() for line in lines]


def test_the_fleet_is_shown_worst_first_with_its_reasons() -> None:
    assert text(FLEET, 80) == [
        "             model              since  seen  why",
        "▌✖ DOWN      churn                 1m   <5s  failed scrapes in a row: refused",
        " ▲ CRITICAL  fraud-detector        3m   <5s  latency_p95 412 ms > 400 ms",
        " ? UNKNOWN   night-batch           3m   <5s  no fresh sample for 3m",
        " ◆ WARNING   search-ranker        31m   <5s  saturation 93 % > 90 %",
        " ● ok        embeddings         2h 5m   <5s  ready, within its SLO",
        " ● ok        recommender        2h 5m   <5s  ready, within its SLO",
        " ● ok        summariser         2h 5m   <5s  ready, within its SLO",
        " ● ok        vision-ocr         2h 5m   <5s  ready, within its SLO",
    ]


def test_all_the_figures_of_a_model_fit_into_80_cells() -> None:
    dash = "–"  # noqa: RUF001 - the dash on the screen
    shown = text(MODELS, 80)
    assert shown[0].split() == [
        "model", "kind", "p50", "p95", "p99", "req/s", "err", "sat", "avail", "seen",
    ]  # fmt: skip
    assert shown[1].split() == ["▌✖", "DOWN", "churn", "mlserver", *[dash] * 7, "<5s"]
    assert shown[2].split() == [
        "▲", "CRIT", "fraud-detector", "mlserver",
        "10ms", "410ms", "580ms", "132", "0.42%", "62%", "99.7%", "<5s",
    ]  # fmt: skip


def test_columns_give_way_when_there_is_little_room() -> None:
    names = [column.name for column in fit_columns(MODELS, 64)[0]]
    assert names == [
        "state", "name", "p95", "p99", "rate", "errors", "saturation", "availability", "seen",
    ]  # fmt: skip


def test_names_are_as_wide_as_they_need_to_be() -> None:
    long = boards.model("a-model-with-quite-a-long-name")
    columns, gap = fit_columns(MODELS, 130, (long,), boards.NOW)
    assert next(column.width for column in columns if column.name == "name") == 30
    assert gap == 2


def test_columns_that_never_give_way_are_squeezed_at_last() -> None:
    columns, gap = fit_columns(FLEET, 50)
    assert sum(column.width for column in columns) + gap * (len(columns) - 1) + 1 == 50


def test_the_row_of_the_cursor_lies_on_its_own_ground_as_far_as_its_name() -> None:
    lines = table_lines(table(MODELS), ListPosition("embeddings", 4, 0), boards.NOW, 80, 20)
    lit = [
        [span.text for span in line.spans if span.background is Background.CURSOR] for line in lines
    ]
    assert [y for y, texts in enumerate(lit) if texts] == [5]
    assert "".join(lit[5]).split() == ["▌●", "ok", "embeddings"]


def test_only_the_rows_in_view_are_drawn() -> None:
    many = table(MODELS, boards.large_fleet(200))
    lines = table_lines(many, ListPosition(many.keys[30], 30, 21), boards.NOW, 80, 11)
    assert len(lines) == 11
    assert many.keys[21] in str(lines[1])
    assert row_range(many, ListPosition(many.keys[30], 30, 21), 11) == "22-31 of 200"
    assert row_range(table(MODELS), ListPosition(), 20) == "8"


def test_an_empty_table_says_why() -> None:
    lines = table_lines(Table(MODELS, (), (), "nothing here"), ListPosition(), boards.NOW, 80, 20)
    assert [str(line) for line in lines] == ["", "nothing here"]


def test_each_health_differs_in_word_and_shape_and_colour() -> None:
    assert {*HEALTH_BADGES} == {*Health}
    for field in ("shape", "word", "role"):
        assert len({getattr(mark, field) for mark in HEALTH_BADGES.values()}) == len(Health)


def test_healths_are_counted_worst_first() -> None:
    said = [span.text.strip() for span in health_counts(boards.small_fleet()).spans]
    assert said == ["✖ 1 DOWN", "▲ 1 CRITICAL", "? 1 UNKNOWN", "◆ 1 WARNING", "● 4 ok"]
