"""The shipped data folders: inside the package when installed, beside it in a checkout."""

from pathlib import Path


def folder(name: str) -> Path:
    """The path of the shipped folder `themes` or `sample_data`. Raises FileNotFoundError."""
    package = Path(__file__).parent
    places = (package / name, package.parents[1] / name)
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{name} is neither {places[0]} nor {places[1]}")
