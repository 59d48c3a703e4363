"""Hashes of the code that decides the outputs of a stage."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

PLUMBING = {
    "artefacts", "batches", "calls", "configuration", "connection", "endpoint_key", "errors", "gpus", "hashing", "model_card",
    "progress", "records", "stage",
}  # fmt: skip
"""Modules that carry data without deciding it: a change in them reruns nothing. Their formats are held by tests."""

SCRIPTS = Path(__file__).parents[2]


@functools.cache
def code_hash(script: str, kind: str | None = None) -> str:
    """A hash of a script and of every library module it imports, PLUMBING left out, and all kinds but a given one.

    It is taken over the syntax trees without docstrings, so that a comment retrains nothing and a changed formula does.
    Rules carry it as a param, since Snakemake reruns nothing when an imported module is edited.
    Raises FileNotFoundError for a script that does not exist.
    """
    pending, seen = [SCRIPTS / f"{script}.py"], set()
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            imported = _read(path)[0]
            if kind is not None and any(file.parent.name == "kinds" for file in imported):
                imported = [file for file in imported if file.parent.name != "kinds"]
                imported.append(SCRIPTS / "reversegen/kinds" / f"{kind}.py")
            pending += imported
    return hashlib.sha256("".join(_read(path)[1] for path in sorted(seen)).encode()).hexdigest()[:16]


@functools.cache
def _read(path: Path) -> tuple[list[Path], str]:
    """What a file imports and what it means. Read once: many scripts import the same modules."""
    tree = ast.parse(path.read_text())
    return _imports(tree), _meaning(path, tree)


def _imports(tree: ast.AST) -> list[Path]:
    """Files of the reversegen modules that a tree imports, at its top or inside a function."""
    names: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "reversegen":
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("reversegen.")}
    names |= {name.rpartition(".")[0] for name in names}  # importing a module runs its package
    names = {name for name in names if name.split(".")[-1] not in PLUMBING and name not in ("reversegen", "")}
    stems = [SCRIPTS.joinpath(*name.split(".")) for name in names]
    files = [stem.with_suffix(".py") for stem in stems] + [stem / "__init__.py" for stem in stems]
    return [file for file in files if file.is_file()]


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node: a tenth of its nodes, and no expression holds one."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        part = getattr(tree, name, None)
        for node in part if isinstance(part, list) else []:
            yield node
            yield from _statements(node)


def _meaning(path: Path, tree: ast.AST) -> str:
    for node in [tree, *_statements(tree)]:
        body = getattr(node, "body", None)
        if isinstance(body, list):  # docstrings, and the strings that document fields and constants
            node.body = [  # type: ignore[attr-defined]
                n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))
            ]
    return f"{path.relative_to(SCRIPTS)}:{ast.dump(tree)}\n"
