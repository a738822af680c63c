"""Themes by name: those that come along, and a person's own folder, which wins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from watchdeck.console.theme.palette import Palette, load_palette
from watchdeck.domain.values.text import clean
from watchdeck.errors import ConfigError
from watchdeck.resources import folder

DEFAULT = "dark"

_MOST = 200


def own_folder(environ: Mapping[str, str]) -> Path | None:
    """Where a person's own themes lie; it need not exist. None for somebody without a home."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = f"{environ.get('HOME', '')}/.config"
    return None if base == "/.config" else Path(base) / "watchdeck" / "themes"


def themes(environ: Mapping[str, str]) -> dict[str, Path]:
    """The file of every theme there is, by its name; what is no plain file may never end."""
    found: dict[str, Path] = {}
    for place in (folder("themes"), own_folder(environ)):
        if place is not None and place.is_dir():
            files = (path for path in sorted(place.glob("*.toml"))[:_MOST] if path.is_file())
            found |= {path.stem: path for path in files}
    return found


def load_theme(name: str, environ: Mapping[str, str]) -> Palette:
    """A theme by the name of its file, whatever it calls itself: by that one it is chosen.

    Raises ConfigError that names what there is, or what is wrong.
    """
    known = themes(environ)
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
        raise ConfigError(f"there is no theme {clean(name, 40)!r}. {hint}")
    return replace(load_palette(known[name]), name=name)
