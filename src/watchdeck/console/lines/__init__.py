"""What panels show, as lines: pure functions from the board to text; no Textual, no clock."""
