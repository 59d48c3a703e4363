"""Speed, memory and the errors of small judges; `make bench` runs these benchmarks, the tests do not."""

import sys
from pathlib import Path

sys.path.insert(
    0, str(Path(__file__).parents[2] / "scripts")
)  # the folder in which the workflow's scripts find the library
