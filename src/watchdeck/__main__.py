"""`python -m watchdeck` is the `watchdeck` command."""

from watchdeck.cli import main

if __name__ == "__main__":
    main()
