"""Run pytest on a file, and print as JSON the milliseconds that each module took to import by itself.

As `python -X importtime` does, which however does not see what importlib.import_module() imports: plugins.
"""

import importlib
import json
import sys
import time
from typing import Any

import pytest

bootstrap: Any = importlib.import_module("importlib._bootstrap")
within: list[float] = [0.0]  # what the imports inside of each unfinished import have taken
found: dict[str, float] = {}
find_and_load = bootstrap._find_and_load


def timed(name: str, import_: Any) -> Any:
    """Import a module, and note its time without that of the modules it imports."""
    within.append(0.0)
    began = time.perf_counter()
    try:
        return find_and_load(name, import_)
    finally:
        took = time.perf_counter() - began
        found[name] = found.get(name, 0.0) + (took - within.pop()) * 1000
        within[-1] += took


if __name__ == "__main__":
    bootstrap._find_and_load = timed
    status = pytest.main(sys.argv[1:])
    print(f"\n{json.dumps(found)}")
    sys.exit(status)
