"""Wildcards as Snakemake gives them to the functions of rules, and the shipped configuration for these functions."""

from __future__ import annotations

from collections.abc import ItemsView
from types import SimpleNamespace
from typing import Any

from tests.support.workflows import REPOSITORY

from reversegen.config.load import merge, read_yaml
from reversegen.config.workflow import Configuration
from reversegen.workflow.configuration import load_configuration


class Wildcards(SimpleNamespace):
    """Named values, as attributes and as items."""

    def items(self) -> ItemsView[str, Any]:
        return vars(self).items()


def wild(task: str = "tiny-math", **more: str) -> Any:
    return Wildcards(task=task, **more)


def shipped(**overrides: Any) -> Configuration:
    """The configuration of the repository, with keys of config.yaml as `--config` gives them."""
    content = merge(read_yaml(REPOSITORY / "config/config.yaml"), overrides)
    return load_configuration(content, REPOSITORY / "config")
