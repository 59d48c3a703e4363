"""List everything that a task has fetched: results/{task}/prefetch.json

python scripts/prefetch_task.py --models resources/downloads/models/llama3-8b \
--data resources/downloads/data/openai--gsm8k--main--train.jsonl --prefetch results/math/prefetch.json
"""

from pathlib import Path

from reversegen.core.files import check_manifest, read_json, write_json
from reversegen.stage import run


def main(models: list[Path], data: list[Path], prefetch: Path) -> None:
    """Check every file against its manifest, then write the manifests."""
    manifests = [folder / "manifest.json" for folder in models]
    manifests += [file.with_name(f"{file.name}.manifest.json") for file in data]
    for manifest in manifests:
        check_manifest(manifest)
    places = [*models, *data]
    write_json(prefetch, {str(p): read_json(m) for p, m in zip(places, manifests, strict=True)})


if __name__ == "__main__":
    run(main)
