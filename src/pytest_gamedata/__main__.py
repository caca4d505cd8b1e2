"""`gamedata`, and `python -m pytest_gamedata`."""

from __future__ import annotations

import sys
from importlib.util import find_spec

NEEDED = ("click", "rich")


def main() -> int:
    """Run the command line, or say how to install what it needs; return the exit status."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(f"gamedata needs {' and '.join(missing)}: pip install 'pytest-gamedata[cli]'", file=sys.stderr)  # noqa: T201
        return 2
    try:
        from pytest_gamedata.cli.commands import main

        return main()
    except KeyboardInterrupt:  # while all that is imported
        print("Interrupted. Nothing was changed.", file=sys.stderr)  # noqa: T201
        return 130


if __name__ == "__main__":
    sys.exit(main())
