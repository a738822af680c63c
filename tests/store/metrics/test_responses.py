"""The last raw answers replace the ones before, and are their endpoint's alone."""

from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from store.stores import NOW, scrape, write
from watchdeck.domain.metrics.scrape import ResponseRecord
from watchdeck.store.files.directory import StoreDirectory
from watchdeck.store.migrations import prepare
from watchdeck.store.reader import Reader

PAGE = ResponseRecord("/metrics", NOW, 200, "server: x", "up 1")
LOST = ResponseRecord("/ready", NOW, None, "", "refused")


def test_the_last_answers_are_read_again(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "store")
    prepare(directory)
    first = replace(scrape("fraud", NOW), exchanges=(PAGE,))
    second = replace(scrape("fraud", NOW + 1), exchanges=(PAGE, LOST))
    other = replace(scrape("churn", NOW), exchanges=(LOST,))
    silent = scrape("fraud", NOW + 2)
    write(directory, ["fraud", "churn"], [first, other, second, silent])
    with closing(Reader(directory)) as reader:
        assert reader.responses("fraud") == (PAGE, LOST)
        assert reader.responses("churn") == (LOST,)
        assert reader.responses("nobody") == ()
