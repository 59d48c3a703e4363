"""Convert .bin weights to safetensors in a process without network access: resources/downloads/models/{model}/

python scripts/convert_model.py --source resources/downloads/bin/vicuna-7b-v1.5 \
--folder resources/downloads/models/vicuna-7b-v1.5
"""

from pathlib import Path

from reversegen.models import conversion
from reversegen.stage import run


def main(source: Path, folder: Path) -> None:
    """Make a model folder from one that fetch_bin has fetched. A pickle that needs more than tensors is refused."""
    conversion.refuse_ways_out()
    conversion.convert_model(source, folder)


if __name__ == "__main__":
    run(main)
