"""A copy of config/ to break, and entries to break it with."""

import functools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from reversegen.config.load import task_files
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.workflow.configuration import load_configuration

CONFIG = Path(__file__).parents[2] / "config"
TASK, OTHER, MODELS, WORKFLOW = "tasks/tiny-math.yaml", "tasks/math.yaml", "models.yaml", "config.yaml"
SAFETY = "tasks/safety.yaml"
SHIPPED = sorted(str(path.relative_to(CONFIG)) for path in [*CONFIG.glob("*.yaml"), *task_files(CONFIG / "tasks")])


def read(path: Path) -> Any:
    """A YAML file, parsed by libyaml, to change; its aliases become separate objects."""
    return json.loads(_as_json(path.read_text()))


@functools.cache
def _as_json(text: str) -> str:
    return json.dumps(yaml.load(text, Loader=yaml.CSafeLoader))


def content(file: str) -> Any:
    return read(CONFIG / file)


class Edited:
    """A copy of config/ to break, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("schema", "accelerate", "*.md")
        shutil.copytree(CONFIG, folder, ignore=ignored, copy_function=shutil.copyfile)

    def load(self) -> Configuration:
        return load_configuration(read(self.folder / WORKFLOW), self.folder)

    def write(self, file: str, value: Any) -> None:
        text = json.dumps(value)  # JSON is YAML except for these numbers
        (self.folder / file).write_text(text.replace("Infinity", ".inf").replace("NaN", ".nan"))

    def set(self, file: str, key: str, value: Any) -> None:
        *above, last = key.split(".")
        whole = part = read(self.folder / file)
        for name in above:
            part = part.setdefault(name, {})
        part[last] = value
        self.write(file, whole)

    def refusal(self) -> str:
        """The message of the first fault in the keys that all tasks share, in a model or in a task."""
        try:
            fault = next(iter(self.load().faults.values()))
        except BadInput as error:
            fault = str(error)
        assert "\n" not in fault
        return fault


def names(message: str, file: Path, key: str) -> bool:
    """Whether a refusal starts with the file and the key; pydantic may add a part of the key."""
    return re.match(rf"{re.escape(f'{file}: {key}')}(\.[^:]*)?: \S", message) is not None


CORPUS = {"world": "arithmetic", "mix": "uniform", "part": "all", "count": 1, "random_seed": 0, "distinct": False}
SOURCE = {"licence": "MIT"}
JUDGE = {"model": "llama3-8b", "format": "instructed", "batch_size": 4}
LLAMA = {"size": "8b", "hub": "meta-llama/Meta-Llama-3-8B"}
ENDPOINT = {"base_url": "https://api.example.org/v1", "model": "m", "api_key_env": "KEY"}


def extending(edited: Edited, name: str, parent: str, **own: Any) -> None:
    edited.write(f"tasks/{name}.yaml", {"extends": parent, **own})
