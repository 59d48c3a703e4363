"""Provenance of the numbers in an `eval.json`: hashes of configuration, models and data, package versions, and training."""

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
"""The packages whose version may change a number."""


def provenance(
    configuration: str, models: Mapping[str, Sequence[Path]], data: Sequence[Path], random_seed: int
) -> dict[str, Any]:
    """Hashes of the configuration, of the manifests of model folders and of the data files, with random seeds and versions.

    In `models`, a model without a folder, such as one behind an endpoint, has an empty sequence.
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
    """The part of `provenance` that only proposers have. `pairs` is the file that trained it, and is empty for proposer 0."""
    return {
        "system_texts": read_json(system_texts),
        "words": WORDS,
        "pairs": pair_statistics(read_records(pairs[0], Pair)) if pairs else None,
    }


def target_provenance(
    system_texts: Path, selection: Sequence[Path], target: Sequence[Path], variant: str
) -> dict[str, Any]:
    """The part of `provenance` that only targets have.

    For an enhanced target it includes the counts of its training rows, from `selection` and from the target's manifest.
    """
    training = None
    if selection:
        manifest = read_json(target[0] / "manifest.json")
        training = read_json(selection[0])[variant.removeprefix("enhanced/")]
        training |= {"rows": manifest["rows"] - manifest["replay_rows"]}  # training drops rows that are too long
        training |= {name: manifest[name] for name in ("replay_rows", "dropped_rows", "steps", "tokens")}
    return {"system_texts": read_json(system_texts), "training": training}


def kept_metric(folder: Path) -> dict[str, Metric]:
    """`training_kept`, the share of the gain of training that a saved model keeps; empty for a folder not made by training.

    It is not a proportion, since it may be above 1. The folder's manifest holds the two gains that it is made of.
    """
    manifest = folder / "manifest.json"
    facts = read_json(manifest).get("kept") if manifest.is_file() else None
    return {"training_kept": Metric(value=facts["share"], reason=facts["reason"])} if facts else {}
