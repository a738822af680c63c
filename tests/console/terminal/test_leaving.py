"""What the console leaves behind on a terminal that it leaves."""

from console.pty_console import RESTORED, STUB, Terminal


def test_a_terminal_without_a_second_screen_is_left_empty() -> None:
    """GNU screen and the Linux console ignore the way back: a prompt would be in the picture."""
    terminal = Terminal(STUB, "still", environ={"TERM": "linux"})
    terminal.wait_for(b"vision-ocr")
    terminal.type(b"Q")
    assert terminal.ended() == 0
    terminal.close()
    last = terminal.output[: terminal.output.index(RESTORED)]
    assert b"\x1b[2J\x1b[H" in last
    assert not any(word in last.rpartition(b"\x1b[2J\x1b[H")[2] for word in (b"vision", b"churn"))
