"""Convert a GGUF file to a model folder in float32, with tokenizer and chat template: results/models/{model}/

python scripts/convert_gguf.py --source resources/downloads/packages/b179c9523d0e-SmolLM2-135M-Instruct.Q4_1.gguf \
--folder results/models/smollm2-135m-instruct --threads 1
"""

from pathlib import Path

from reversegen.models import gguf
from reversegen.stage import run


def main(source: Path, folder: Path, threads: int) -> None:
    """Dequantise the weights once, so that every later stage loads the model like any other."""
    gguf.convert_gguf(source, folder, threads)


if __name__ == "__main__":
    run(main)
