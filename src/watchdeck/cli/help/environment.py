"""The environment variables that watchdeck reads."""

from watchdeck.cli.help.layout import Entry, Section

VARIABLES = {
    "WATCHDECK_CONFIG": "Path of the configuration, when --config is not given.",
    "WATCHDECK_LOG_LEVEL": "Lowest level that `watchdeck collect` logs, as --log-level.",
    "XDG_CONFIG_HOME": "Directory with `watchdeck/watchdeck.toml` and `watchdeck/themes`; when not"
    " set, ~/.config.",
    "XDG_STATE_HOME": "Directory of the store, as `watchdeck`; when not set, ~/.local/state.",
    "HOME": "Home directory, when an XDG directory is not set.",
    "CREDENTIALS_DIRECTORY": "Directory in which systemd puts credentials; a secret there may have"
    " the mode that systemd gives.",
    "JOURNAL_STREAM": "Set by systemd; the log then has the priorities of the journal.",
    "NOTIFY_SOCKET": "Set by systemd; the collector tells it there that it started, and that it"
    " stores.",
    "VISUAL": "Editor of `:edit`.",
    "EDITOR": "Editor of `:edit`, when VISUAL is not set.",
    "PAGER": "Program that shows raw responses, and this help.",
    "LESS": "Options of less, kept when the pager is less.",
    "PATH": "Where editors, pagers and commands are searched.",
    "NO_COLOR": "Without colours when set to any text.",
    "TERM": "Type of the terminal.",
    "TMUX": "Set by tmux; copies and notices are then passed through it.",
    "STY": "Set by screen; copies are then passed through it.",
    "LC_ALL": "Locale; charts are drawn in ASCII where it is not UTF-8.",
    "LC_CTYPE": "Locale, when LC_ALL is not set.",
    "LANG": "Locale, when neither is set.",
    "SSH_CONNECTION": "Set by ssh; the audit log records its address as the origin of an action.",
}
"""What each variable means. Secrets come from variables that the configuration names."""


def section() -> Section:
    """The environment variables, as a section."""
    return Section(
        ("environment",),
        "Environment variables",
        ("Besides these, the configuration names the variables that hold secrets.",),
        tuple(Entry(name, (means,), name) for name, means in VARIABLES.items()),
    )
