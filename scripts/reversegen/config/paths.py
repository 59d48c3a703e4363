"""The paths of models, data and results, and the models and data that a task names.

| file or folder | function |
|---|---|
| `results/TASK/...` | `run_path` |
| `results/models/MODEL`, `resources/downloads/models/MODEL`, or the user's folder | `model_folder` |
| `resources/downloads/packages/NAME` of a model, or the user's GGUF file | `gguf_file` |
| `results/models/MODEL.embeddings` | `embedding_cache` |
| `results/worlds/facts.jsonl` | `FACTS_TABLE` |
| `resources/downloads/data/NAME.jsonl`, `resources/downloads/{files,packages}/NAME` | `download_path` |
| the same, or the user's file | `source_file` |
"""

from __future__ import annotations

from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.config.models import Model
from reversegen.config.task import Task

DOWNLOADS = Path("resources/downloads")
TRAINED_MODELS = Path("results/models")
FACTS_TABLE = Path("results/worlds/facts.jsonl")
"""The table of the world `facts`."""


def run_path(run: str, path: str) -> str:
    """The path of a file in the folder of a run, such as `tiny-math.s2`."""
    return f"results/{run}/{path}"


def task_models(task: Task) -> dict[str, str]:
    """The names of a task's models by role. A judge has the role `judge NAME`, a model of `transfer` `transfer NAME`.

    The teacher may be the name of a solver instead of a model. A judge without a model is left out.
    """
    names = {"proposer": task.proposer, "target": task.target, "teacher": task.teacher}
    names |= {f"judge {judge.model}": judge.model for judge in task.judges if judge.model}
    names |= {"embedding": task.embedding.model} if task.embedding else {}
    return names | {f"transfer {name}": name for name in task.transfer}


def task_sources(task: Task) -> list[DataSource]:
    """The data sources that a task names: those of seeds and tests, and the labelled sets of the judge check."""
    return [*task.data.seeds.values(), *task.data.tests.values(), *task.data.labelled_sets]


def model_folder(name: str, model: Model) -> Path | None:
    """The folder of a model: the user's folder, or the folder that a rule makes or fetches. None for an endpoint."""
    if model.endpoint:
        return None
    rule_makes = model.train or gguf_file(model)
    return model.folder or (TRAINED_MODELS if rule_makes else DOWNLOADS / "models") / name


def gguf_file(model: Model) -> Path | None:
    """The GGUF file that a rule converts to the model's folder. None for a model of another form."""
    if model.package and not model.package.is_folder:
        return DOWNLOADS / "packages" / model.package.file_name
    return model.gguf


def embedding_cache(name: str) -> Path:
    """The file that caches a model's vectors for all tasks."""
    return TRAINED_MODELS / f"{name}.embeddings"


def download_path(source: DataSource) -> Path | None:
    """The file into which a rule downloads a data source. None for a corpus and for the user's own file."""
    if source.url:
        return DOWNLOADS / "files" / source.url.file_name
    if source.package:
        return DOWNLOADS / "packages" / source.package.file_name
    return DOWNLOADS / "data" / f"{source.hub.file_name}.jsonl" if source.hub else None


def source_file(source: DataSource) -> Path | None:
    """The file of a data source: the user's file, or the file that a rule downloads. None for a corpus."""
    return source.file or download_path(source)
