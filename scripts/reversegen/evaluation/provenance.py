"""Where the numbers of an `eval.json` come from: hashes of configuration, models and data, versions, and training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from reversegen.core.files import file_sha256, read_json
from reversegen.core.metric import Metric
from reversegen.core.records import Pair, read_records
from reversegen.loop.pairs import pair_statistics
from reversegen.text.words import WORDS

PACKAGES = ("faiss-cpu", "math-verify", "nltk", "numba", "numpy", "openvino", "sentence-transformers", "snakemake")
"""Those whose version may change a number."""


def provenance(
    configuration: str, models: Mapping[str, Sequence[Path]], data: Sequence[Path], random_seed: int
) -> dict[str, Any]:
    """Hashes of the configuration, of the manifests of the models' folders and of the data files; versions.

    A model without a folder, such as one behind an endpoint, has an empty sequence.
    """
    manifests = {name: folder / "manifest.json" for name, folders in models.items() for folder in folders}
    return {
        "configuration": configuration,
        "models": {
            name: {"manifest": file_sha256(file), "versions": read_json(file).get("versions", {})}
            for name, file in manifests.items()
            if file.is_file()
        },
        "data": {str(path): file_sha256(path) for path in data},
        "random_seeds": {"task": random_seed},
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def proposer_provenance(system_texts: Path, pairs: Sequence[Path]) -> dict[str, Any]:
    """What `provenance` has of proposers alone; `pairs` are those that trained it, of proposer 0 none."""
    return {
        "system_texts": read_json(system_texts),
        "words": WORDS,
        "pairs": pair_statistics(read_records(pairs[0], Pair)) if pairs else None,
    }


def target_provenance(
    system_texts: Path, selection: Sequence[Path], target: Sequence[Path], variant: str
) -> dict[str, Any]:
    """What `provenance` has of targets alone: also what an enhanced one was trained on, by `selection` and its manifest."""
    training = None
    if selection:
        manifest = read_json(target[0] / "manifest.json")
        training = read_json(selection[0])[variant.removeprefix("enhanced/")]
        training |= {"rows": manifest["rows"] - manifest["replay_rows"]}  # training leaves out what does not fit
        training |= {name: manifest[name] for name in ("replay_rows", "dropped_rows", "steps", "tokens")}
    return {"system_texts": read_json(system_texts), "training": training}


def kept_metric(folder: Path) -> dict[str, Metric]:
    """What a model folder kept of the gain of its training, `training_kept`; nothing of a folder that no training wrote.

    No proportion: it may be above 1, and the manifest of the folder holds the two gains.
    """
    manifest = folder / "manifest.json"
    facts = read_json(manifest).get("kept") if manifest.is_file() else None
    return {"training_kept": Metric(value=facts["share"], reason=facts["reason"])} if facts else {}
