"""Hashes of the code that decides the outputs of a stage, so that moving code reruns nothing and changing it does.

A hash covers the syntax trees of a script and of every library module that it imports, without comments, docstrings, module
paths and their order. Each import is replaced by a hash of the imported module, so a moved or renamed module changes nothing,
but another module in its place does. The hash covers only those entries of a façade that the job uses, and the shell command.
Rules have it as a param, because Snakemake reruns nothing after a change of an imported module.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from reversegen.workflow.used_entries import UsedEntries

SCRIPTS = Path(__file__).parents[2]

CARRIERS = frozenset(
    {
        "reversegen.config",
        "reversegen.core.errors",
        "reversegen.core.failure_records",
        "reversegen.core.files",
        "reversegen.core.progress",
        "reversegen.core.records",
        "reversegen.core.running",
        "reversegen.core.used_resources",
        "reversegen.core.validation",
        "reversegen.engines.endpoint.batch_api",
        "reversegen.engines.endpoint.batch_replies",
        "reversegen.engines.endpoint.call_log",
        "reversegen.engines.endpoint.calls",
        "reversegen.engines.endpoint.connection",
        "reversegen.engines.endpoint.key",
        "reversegen.models.card",
        "reversegen.models.gpus",
        "reversegen.stage",
        "reversegen.workflow.environment",
    }
)
"""Modules and packages that transport data without deciding it. A change in them reruns nothing, and tests check their
formats. Values that their classes compute do decide outputs, so the properties of a class are hashed with each module that
imports it."""

FACADES = {f"reversegen.{package}": package.upper() for package in ("engines", "judges", "kinds", "worlds")}
"""Packages of which a job uses only some entries, with the name of the dictionary of all entries."""


class Import(NamedTuple):
    """A name that a module imports from another module of the library."""

    bound: str
    """Its name in the module that imports it."""
    name: str
    module: str


class Text(NamedTuple):
    """Code in which each name of a library module is replaced by a number."""

    code: str
    modules: tuple[str, ...]
    """The modules, in the order of their numbers."""
    names: frozenset[str]
    """All names in the code."""


@dataclass(frozen=True)
class Module:
    """The content of a script or of a module of the library."""

    text: Text
    imports: frozenset[Import]
    entries: Mapping[str, Text] | None
    """The dictionary of a façade, which is left out of `text`. None for any other module."""


@functools.cache
def code_hash(script: str, command: str = "", used: UsedEntries | None = None) -> str:
    """A hash of a script, of its rules' shell `command`, and of every module that it imports.

    It covers only the `used` entries of façades, or all entries if `used` is None. Raises FileNotFoundError for a missing
    script.
    """
    pending, hashes = [script], dict[str, str]()
    while pending:
        name = pending.pop()
        if name not in hashes:
            hashes[name], followed = _module_hash(name, used)
            pending += followed
    return _hash(command, *sorted(hashes.values()))[:16]


def shell_commands(rules: Path) -> dict[str, str]:
    """The shell commands in a folder of rule files, by the script that the rule's param `code=code("script")` names.

    Raises ValueError for a command that is not a plain string.
    """
    commands: dict[str, list[str]] = {}
    for file in sorted(rules.glob("*.smk")):
        for rule in re.split(r"^(?=\S)", file.read_text(), flags=re.MULTILINE):
            script = re.search(r"\bcode\(\"(\w+)\"\)", rule)
            shell = re.search(r"^( +)shell:(.*\n(?:(?:\1 .*)?\n)*)", rule, re.MULTILINE)
            if script and shell:
                commands.setdefault(script[1], []).append(ast.literal_eval(f"({shell[2]})"))
    return {script: "\n".join(sorted(several)) for script, several in commands.items()}


@functools.cache
def _module_hash(name: str, used: UsedEntries | None) -> tuple[str, set[str]]:
    """The hash of a module with its imports, and the names of the imported modules, which must be hashed too."""
    module = _read(name)
    package = FACADES.get(name, "").lower()
    entries = {
        key: text for key, text in (module.entries or {}).items() if used is None or key in getattr(used, package)
    }
    texts = [module.text, *(entries[key] for key in sorted(entries))]
    mentioned = frozenset[str]().union(*(text.names for text in texts))
    imports = [i for i in module.imports if module.entries is None or i.bound in mentioned]
    parts = [(text.code, *(_reference(named) for named in text.modules)) for text in texts]
    parts += sorted((i.bound, i.name, _reference(i.module, i.name)) for i in imports)
    followed = {i.module for i in imports}.union(*(text.modules for text in texts))
    return _hash(repr(sorted(entries)), *map(repr, parts)), {one for one in followed if not _carries(one)}


@functools.cache
def _reference(module: str, name: str = "") -> str:
    """The hash that replaces a module in another module that imports `name` from it, or imports it whole."""
    return _properties(module).get(name, "") if _carries(module) else _hash(_read(module).text.code)


def _carries(module: str) -> bool:
    return module == "reversegen" or module in CARRIERS or module.rpartition(".")[0] in CARRIERS


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@functools.cache
def _file(module: str) -> Path | None:
    """The file of a library module. None for any other name."""
    stem = SCRIPTS.joinpath(*module.split("."))
    return next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)


def _is_module(name: str) -> bool:
    return name.startswith("reversegen.") and re.fullmatch(r"[\w.]+", name) is not None and _file(name) is not None


@functools.cache
def _read(name: str) -> Module:
    """The content of a module. Cached, because many scripts import the same modules."""
    file = _file(name) or SCRIPTS / f"{name}.py"
    tree = ast.parse(file.read_text())
    external, imports, modules = _take_imports(tree)
    # text files that a module reads decide outputs as its code does
    texts = sorted(file.parent.glob(f"{file.stem}.*.txt"))
    external |= {f"{''.join(text.suffixes)} is {_hash(text.read_text(encoding='utf-8'))}" for text in texts}
    entries = _take_entries(tree, FACADES[name], modules) if name in FACADES else None
    text = _text(tree, modules)
    if entries is None:  # a module that is imported but not named is imported for its side effects
        imports |= {Import("", "", module) for module in {*modules.values()} - {*text.modules}}
    return Module(text._replace(code=f"{sorted(external)} {text.code}"), frozenset(imports), entries)


def _take_imports(tree: ast.Module) -> tuple[set[str], set[Import], dict[str, str]]:
    """Remove imports, docstrings and the strings that document fields from a tree.

    Returns the imports of other packages as text, the names from library modules, and the library modules by their names in
    the tree.
    """
    external, imports, modules = set[str](), set[Import](), dict[str, str]()
    for node in [tree, *_statements(tree)]:
        for part in ("body", "orelse", "finalbody"):
            statements = []
            for statement in getattr(node, part, []):
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    origin = getattr(statement, "module", None)
                    for alias in statement.names:
                        whole, bound = f"{origin}.{alias.name}" if origin else alias.name, alias.asname or alias.name
                        if _is_module(whole):
                            modules[bound] = whole
                        elif origin and _is_module(origin):
                            imports.add(Import(bound, alias.name, origin))
                        else:
                            external.add(f"{bound} is {origin} {alias.name}")
                elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                    statements.append(statement)
            if hasattr(node, part):
                setattr(node, part, statements)
    return external, imports, modules


def _take_entries(tree: ast.Module, dictionary: str, modules: Mapping[str, str]) -> dict[str, Text]:
    """Empty the dictionary of a façade and return its entries by key. Raises ValueError if it has no such dictionary."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == dictionary:
            value = node.value  # type: ignore[attr-defined]
            entries = {
                ast.literal_eval(key): _text(entry, modules)
                for key, entry in zip(value.keys, value.values, strict=True)
            }
            value.keys, value.values = [], []
            return entries
    raise ValueError(f"no dictionary {dictionary} in the façade")


def _text(tree: ast.AST, modules: Mapping[str, str]) -> Text:
    """The code of a tree. Numbers replace the names of library modules, also inside strings."""
    numbers, names = dict[str, int](), set[str]()

    def code(part: object) -> str:
        if isinstance(part, ast.Name):
            names.add(part.id)
            return number(modules[part.id]) if part.id in modules else part.id
        if isinstance(part, ast.AST):
            return f"{type(part).__name__}({','.join([code(getattr(part, name, None)) for name in part._fields])})"
        if isinstance(part, list):
            return f"[{','.join([code(one) for one in part])}]"
        return number(part) if isinstance(part, str) and _is_module(part) else repr(part)

    def number(module: str) -> str:
        return f"module {numbers.setdefault(module, len(numbers))}"

    return Text(code(tree), tuple(numbers), frozenset(names))


@functools.cache
def _properties(module: str) -> dict[str, str]:
    """By class of a module, a hash of its properties and of those that it inherits. Classes without properties are left out."""
    file = _file(module)
    assert file is not None
    computed: dict[str, str] = {}
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef):
            _take_imports(ast.Module([node], []))
            bases = [computed[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in computed]
            parts = [
                _text(part, {}).code for part in node.body if isinstance(part, ast.FunctionDef) and _is_property(part)
            ]
            if bases or parts:
                computed[node.name] = _hash(*bases, *parts)
    return computed


def _is_property(function: ast.FunctionDef) -> bool:
    decorators = (d.attr if isinstance(d, ast.Attribute) else getattr(d, "id", "") for d in function.decorator_list)
    return not {"property", "cached_property"}.isdisjoint(decorators)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node. They are a tenth of its nodes, and expressions, which have none, need no visit."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        part = getattr(tree, name, None)
        for node in part if isinstance(part, list) else []:
            yield node
            yield from _statements(node)
