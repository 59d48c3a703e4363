"""Each path is decided in one place: the user's file or folder, or the file or folder of the rule that makes it."""

from typing import Any

import pytest

from reversegen.config import paths
from reversegen.config.data import DataSource
from reversegen.config.models import Model
from reversegen.config.workflow import Configuration

HUB = {"repo": "a/b", "name": "main", "split": "train"}
URL = {"address": "https://example.org/rows.jsonl", "sha256": "0123456789ab" + "c" * 52}
PACKAGE = {"name": "a", "version": "1", "path": "a/model", "sha256": URL["sha256"]}
GGUF = PACKAGE | {"path": "a/b/small.gguf"}
CORPUS = {"world": "arithmetic", "mix": "uniform", "part": "all", "count": 1, "random_seed": 0, "distinct": False}
ENDPOINT = {"base_url": "https://api.example.org/v1", "model": "m", "api_key_env": "KEY"}


@pytest.mark.parametrize(
    ("origin", "download", "file"),
    [
        ({"hub": HUB}, "resources/downloads/data/a--b--main--train.jsonl", None),
        ({"url": URL}, "resources/downloads/files/0123456789ab-rows.jsonl", None),
        ({"package": PACKAGE | {"path": "a/rows.csv"}}, "resources/downloads/packages/0123456789ab-rows.csv", None),
        ({"file": "own/rows.csv"}, None, "own/rows.csv"),
        ({"corpus": CORPUS}, None, None),
    ],
)
def test_the_rows_of_a_source_lie_where_its_origin_puts_them(
    origin: dict[str, Any], download: str | None, file: str | None
) -> None:
    source = DataSource.model_validate({"licence": "MIT", **origin})
    sources = paths.download_path(source), paths.source_file(source)
    assert [path and str(path) for path in sources] == [download, download or file]


@pytest.mark.parametrize(
    ("origin", "folder"),
    [
        ({"hub": "a/b"}, "resources/downloads/models/name"),
        ({"hub": "a/b", "weights": "bin"}, "resources/downloads/models/name"),
        ({"folder": "own/model"}, "own/model"),
        ({"package": PACKAGE}, "resources/downloads/models/name"),
        ({"package": GGUF}, "results/models/name"),
        ({"gguf": "own/small.gguf"}, "results/models/name"),
        ({"endpoint": ENDPOINT}, None),
    ],
)
def test_a_model_lies_where_its_origin_puts_it(origin: dict[str, Any], folder: str | None) -> None:
    place = paths.model_folder("name", Model.model_validate({"size": "tiny", **origin}))
    assert (place and str(place)) == folder


def test_a_gguf_file_is_the_users_or_out_of_a_package() -> None:
    origins: list[dict[str, Any]] = [
        {"package": GGUF},
        {"gguf": "own/small.gguf"},
        {"package": PACKAGE},
        {"hub": "a/b"},
    ]
    files = [paths.gguf_file(Model.model_validate({"size": "tiny", **origin})) for origin in origins]
    assert [file and str(file) for file in files] == [
        "resources/downloads/packages/0123456789ab-small.gguf",
        "own/small.gguf",
        None,
        None,
    ]


def test_a_model_that_a_rule_trains_lies_in_the_results(shipped: Configuration) -> None:
    folder = paths.model_folder("tiny-arithmetic", shipped.models["tiny-arithmetic"])
    assert str(folder) == "results/models/tiny-arithmetic"
    assert str(paths.embedding_cache("minilm")) == "results/models/minilm.embeddings"


def test_roles_and_sources_of_a_task_are_all_that_it_names(shipped: Configuration) -> None:
    more = {"transfer": ["llama2-7b", "llama3-8b"], "embedding": shipped.task("math").embedding}
    task = shipped.task("tiny-safety").model_copy(update=more)
    assert task.judge
    assert task.embedding
    assert paths.task_models(task) == {
        "proposer": task.proposer,
        "target": task.target,
        "teacher": task.teacher,
        "judge tiny-policy-judge": "tiny-policy-judge",
        "embedding": task.embedding.model,
        "transfer llama2-7b": "llama2-7b",
        "transfer llama3-8b": "llama3-8b",
    }
    alone = task.model_copy(update={"judge": None, "embedding": None, "transfer": []})
    assert list(paths.task_models(alone)) == ["proposer", "target", "teacher"]
    sets = task.data.labelled_sets
    assert len(sets) == 1
    assert paths.task_sources(task) == [*task.data.seeds.values(), *task.data.tests.values(), *sets]
