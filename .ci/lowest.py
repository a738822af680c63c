"""Print the lowest versions that pyproject.toml allows, one constraint for pip a line.

Raises SystemExit when a dependency has no lower bound.
"""

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
BOUND = re.compile(r"(?P<name>[\w.-]+)(?:>=|==)(?P<version>[\d.]+)(?:,<[\d.]+)?")


def constraint(requirement: str) -> str:
    """The constraint that holds a dependency at its lower bound."""
    match = BOUND.fullmatch(requirement)
    if match is None:
        raise SystemExit(f"{requirement}: a dependency needs a lower bound, as in name>=1.2")
    return f"{match['name']}=={match['version']}"


def main() -> None:
    """Print the constraints of all dependencies, those of the extras too."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    print(*sorted({constraint(one) for requirements in lists for one in requirements}), sep="\n")


if __name__ == "__main__":
    main()
