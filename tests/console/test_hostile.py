"""Every text that the console can show, hostile: what it sends, and what it does."""

from console import hostile
from console.pty_console import Terminal


def test_no_text_of_a_store_reaches_the_terminal_raw_or_does_anything() -> None:
    terminal = Terminal(str(hostile.__file__), "1", "3", cells=120, rows=40)
    try:
        terminal.wait_for(b"collector")
        output = terminal.output + b"".join(hostile.walk(terminal, 3))
        assert not hostile.raw(output)
        for text in (b"[@click=app.bell]", b"[link=http://evil]", b"^[[", b"<9b>"):
            assert text in output
        terminal.type(b"Q")
        assert terminal.ended() == 0
    finally:
        terminal.close()


def test_what_a_terminal_would_obey_is_found() -> None:
    own = b"\x1b[2;9H\x1b[38;2;1;2;3mtext\x1b[K\r\n"
    assert not hostile.raw(own)
    for text in ("\x1b]0;title", "\x07", "\x9b2J", "\u202e"):
        assert hostile.raw(own + text.encode())
