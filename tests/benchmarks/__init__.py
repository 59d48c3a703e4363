"""Speed and memory, measured beside what they must not exceed; `make bench` runs them, the tests do not."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))  # where a script of the workflow finds the library
