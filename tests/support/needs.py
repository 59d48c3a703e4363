"""The marks of tests that need more than the packages of requirements-dev.txt, or more time than others.

`make test` leaves out `slow`, `slurm`, `vllm` and `real_model`; `make check` leaves out `models` as well. A mark follows from
what a test uses: a fixture, or a module that its file imports and that imports torch. Only the files of `RUNS` are listed by
name; all other `slow` tests are marked by hand. In a run without `models`, a test that imports torch all the same fails.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
MARKS_OF_FIXTURES = {
    "tiny_model": {"models"},
    "tiny_policies": {"models"},
    "minilm": {"models", "real_model"},
    "smollm2": {"models", "real_model"},
    "packaged_facts": {"real_model"},
    "vllm_python": {"models", "vllm"},
    "cluster": {"slurm"},
    "shared_data": {"shared_data"},
}
RUNS = {
    "tests/snakefile/test_kinds_run.py": {"models", "slow"},
    "tests/snakefile/test_offline.py": {"models", "slurm"},
    "tests/snakefile/test_slurm.py": {"models", "slurm"},
    "tests/snakefile/test_workflow.py": {"models"},
}
"""Files whose tests run the stages of models by Snakemake, and import no model themselves."""
HEAVY = {"torch", "transformers", "trl", "peft", "accelerate", "sentence_transformers"}
"""Packages whose import takes seconds; a test of a model imports one."""


def marks_of_fixtures(fixtures: Iterable[str]) -> set[str]:
    """The marks of a test that uses these fixtures."""
    return set().union(*(MARKS_OF_FIXTURES.get(name, set()) for name in fixtures))


@cache
def marks_of_file(path: Path) -> set[str]:
    """The marks of all tests of a file."""
    heavy = {"models"} if imports_heavy(path) else set()
    return RUNS.get(str(path.relative_to(REPOSITORY)), set()) | heavy


def imports_heavy(path: Path) -> bool:
    """Whether importing a file imports a heavy package."""
    pending, seen = list(_modules_of_file(path)), set[str]()
    while pending:
        module = pending.pop()
        if module.partition(".")[0] in HEAVY:
            return True
        if module not in seen:
            seen.add(module)
            pending += _modules_of(module)
    return False


@cache
def _modules_of(module: str) -> list[str]:
    """The modules that a module of this repository imports when it is imported. Empty for any other module."""
    for root in (REPOSITORY, REPOSITORY / "scripts"):
        stem = root.joinpath(*module.split("."))
        for file in (stem.with_suffix(".py"), stem / "__init__.py"):
            if file.is_file():
                return _modules_of_file(file)
    return []


def _modules_of_file(file: Path) -> list[str]:
    return list(_modules(_at_import(ast.parse(file.read_text()))))


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements that run when a module is imported. Bodies of functions and imports for type checkers are left out."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(tree, part, []):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                continue
            yield node
            yield from _at_import(node)


def _modules(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The modules that import statements may import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
