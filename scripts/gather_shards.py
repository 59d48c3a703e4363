"""Gather the shards of a file in order: results/{task}/{stem}.jsonl

python scripts/gather_shards.py --parts results/tiny-math/iter1/samples.1-of-2.jsonl \
results/tiny-math/iter1/samples.2-of-2.jsonl --whole results/tiny-math/iter1/samples.jsonl
"""

from pathlib import Path

from reversegen.core.files import write_bytes
from reversegen.stage import run


def main(parts: list[Path], whole: Path) -> None:
    """Join the parts byte by byte. Each part ends with a complete line, or is empty."""
    write_bytes(whole, b"".join(part.read_bytes() for part in parts))


if __name__ == "__main__":
    run(main)
