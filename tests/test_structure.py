"""The limits on sizes, names and imports in the library. `lint-imports` checks layers and the place of packages."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.support.workflows import REPOSITORY

from reversegen import stage
from reversegen.kinds import KINDS, kind_modules
from reversegen.kinds.base import ACCURACY, RETAINED, JudgeShare

SCRIPTS = REPOSITORY / "scripts"
LIBRARY = SCRIPTS / "reversegen"
LAYERS = (
    *(
        "ids",
        "core",
        "config",
        "models",
        "worlds",
        "engines",
        "kinds",
        "judges",
        "text",
        "loop",
        "training",
        "evaluation",
    ),
    *("workflow", "operations", "reporting", "stage"),
)
"""A folder or module imports only from those before it."""
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_SCRIPT, MOST_PARAMETERS = 350, 60, 40, 8
CUSTOMARY = {("numpy", "np"), ("numpy.typing", "npt"), ("pyarrow", "pa"), ("pyarrow.parquet", "pq")}
"""The names by which the documentation of these packages calls them."""
BARE = {"of", "own", "found", "said", "told", "made", "asks"}
"""Prepositions, pronouns and participles, which do not show what a name holds."""
BARE_CLASSES = {"Found", "Stored", "Measured", "Asked", "Kept", "Own"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Imported = ast.Import | ast.ImportFrom


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(layer: str) -> list[Path]:
    module = LIBRARY / f"{layer}.py"
    return [module] if module.is_file() else sorted((LIBRARY / layer).rglob("*.py"))


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(SCRIPTS)}:{getattr(node, 'lineno', 1)}"


def parameters(function: Function) -> int:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, [given.vararg, given.kwarg])]
    return sum(one.arg not in ("self", "cls") for one in every)


def names(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """The names that a file defines: variables, parameters, functions and classes."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr, node
        elif isinstance(node, ast.arg):
            yield node.arg, node
        elif isinstance(node, Function | ast.ClassDef):
            yield node.name, node


def aliases(path: Path) -> list[str]:
    return [
        f"{place(path, node)}: {alias.name} as {alias.asname}"
        for node in ast.walk(parsed(path))
        if isinstance(node, Imported)
        for alias in node.names
        if alias.asname and (alias.name, alias.asname) not in CUSTOMARY
    ]


def imported_layers(path: Path) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reversegen":
            parts = str(node.module).split(".")
            yield from ((part, node) for part in (parts[1:2] or [alias.name for alias in node.names]))
        elif isinstance(node, ast.Import):
            parts = [alias.name.split(".") for alias in node.names]  # type: ignore[misc]
            yield from ((part[1], node) for part in parts if part[0] == "reversegen" and len(part) > 1)


def test_the_layers_are_all_that_the_library_has() -> None:
    there = {path.stem for path in LIBRARY.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert there - {"__init__", "__pycache__"} <= {*LAYERS}


@pytest.mark.parametrize("layer", LAYERS)
def test_no_file_of_the_library_is_long(layer: str) -> None:
    assert [f"{p.relative_to(SCRIPTS)}: {lines(p)}" for p in modules(layer) if lines(p) > LONGEST_FILE] == []


@pytest.mark.parametrize("layer", LAYERS)
def test_no_function_is_long_or_takes_many_parameters(layer: str) -> None:
    functions = [
        (path, node) for path in modules(layer) for node in ast.walk(parsed(path)) if isinstance(node, Function)
    ]
    lengths = [(path, node, (node.end_lineno or node.lineno) - node.lineno + 1) for path, node in functions]
    assert [f"{place(path, node)}: {node.name}: {n} lines" for path, node, n in lengths if n > LONGEST_FUNCTION] == []
    many = [(path, node) for path, node in functions if parameters(node) > MOST_PARAMETERS]
    assert [f"{place(path, node)}: {node.name}: {parameters(node)} parameters" for path, node in many] == []


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_from_those_before_it(layer: str) -> None:
    later = LAYERS[LAYERS.index(layer) + 1 :]
    imports = [(path, name, node) for path in modules(layer) for name, node in imported_layers(path)]
    assert [f"{place(path, node)}: {name}" for path, name, node in imports if name in later] == []


@pytest.mark.parametrize("layer", LAYERS)
def test_no_import_has_another_name_and_no_name_is_a_bare_preposition_pronoun_or_participle(layer: str) -> None:
    assert [alias for path in modules(layer) for alias in aliases(path)] == []
    every = [(path, name, node) for path in modules(layer) for name, node in names(path)]
    bare = [one for one in every if one[1].strip("_") in BARE or one[1].strip("_") in BARE_CLASSES]
    assert sorted({f"{place(path, node)}: {name}" for path, name, node in bare}) == []


def kind_words() -> set[str]:
    """The names of kinds, of the metrics that only one kind declares, and of the classes of kinds' settings.

    The numbers of `judge.json` are the judge check's own, and a kind names them.
    """
    words = set(KINDS)
    for module in kind_modules().values():
        words |= {metric.name for metric in module.METRICS if not isinstance(metric, JudgeShare)}
        words |= {module.SETTINGS.__name__} if module.SETTINGS else set()
    return words - {ACCURACY.name, RETAINED.name}


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer != "kinds"])
def test_no_module_but_a_kinds_own_names_a_kind_its_metrics_or_its_settings(layer: str) -> None:
    words = kind_words()
    spoken = re.compile(rf"\bkinds? ({'|'.join(KINDS)})\b")
    naming = []
    for path in modules(layer):
        for node in ast.walk(parsed(path)):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            imported = {one.name for one in node.names} if isinstance(node, ast.ImportFrom) else set()
            if text in words or spoken.search(text) or imported & words - {"math"}:
                naming.append(place(path, node))
    assert not naming


def test_no_two_classes_share_a_name() -> None:
    classes = defaultdict(list)
    for path in sorted(LIBRARY.rglob("*.py")):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(place(path, node))
    assert {name: places for name, places in classes.items() if len(places) > 1} == {}


def script_lines(path: Path) -> int:
    """The lines of a stage script, of which the command in its docstring counts as one."""
    docstring = parsed(path).body[0]
    shown = (docstring.end_lineno or docstring.lineno) - docstring.lineno  # without the line of the closing quotes
    return lines(path) - shown + len((ast.get_docstring(parsed(path)) or "").splitlines())


def test_a_stage_script_is_short_and_shows_how_it_is_called() -> None:
    scripts = sorted(SCRIPTS.glob("*.py"))
    assert [f"{path.name}: {script_lines(path)}" for path in scripts if script_lines(path) > LONGEST_SCRIPT] == []
    commands = {path.name: (ast.get_docstring(parsed(path)) or "").splitlines()[-1:] for path in scripts}
    starts = {name: (f"python scripts/{name} ", "make ", "snakemake ") for name in commands}
    assert [name for name, [command] in commands.items() if not command.startswith(starts[name])] == []
    assert [name for name, [command] in commands.items() if command.endswith("--help")] == []
    assert [alias for path in scripts for alias in aliases(path)] == []


def test_code_that_several_tests_use_is_in_the_support_folder() -> None:
    tests = REPOSITORY / "tests"
    shared = ("tests.support", "tests.benchmarks")
    other = re.compile(r"^ *from tests\.(?!support|benchmarks)", re.MULTILINE)  # only files with such a line are parsed
    imports = [
        f"{path.relative_to(tests)}: {node.module}"
        for path in sorted(tests.rglob("*.py"))
        if other.search(path.read_text(encoding="utf-8"))
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests.")
        if not str(node.module).startswith(shared)
    ]
    assert imports == []


def shown_command(path: Path) -> list[str]:
    """The words of the command that a stage script shows; a backslash at the end of a line joins it to the next."""
    return shlex.split((ast.get_docstring(parsed(path)) or "").splitlines()[-1])


def full_command(path: Path) -> list[str]:
    """The arguments in the command that a script shows, or in the Makefile; empty if only a rule or the doctor runs it."""
    program, _, *words = shown_command(path)
    if program == "python":
        return words
    made = re.findall(rf"python scripts/{path.name} (.*)", (REPOSITORY / "Makefile").read_text())
    return made[0].split() if made else []


FULL_COMMANDS = {path: words for path in sorted(SCRIPTS.glob("*.py")) if (words := full_command(path))}


def test_only_scripts_that_take_the_whole_configuration_show_no_python_command() -> None:
    scripts = {path.stem for path in SCRIPTS.glob("*.py")} - {path.stem for path in FULL_COMMANDS}
    assert scripts == {"check_models", "write_plan", "write_rendered", "write_report"}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=path.stem, marks=[pytest.mark.models] if path.stem in ("convert_gguf", "convert_model") else []
        )
        for path in FULL_COMMANDS
    ],
)
def test_the_command_that_a_script_shows_gives_every_parameter_of_its_main(path: Path) -> None:
    words = FULL_COMMANDS[path]
    main = runpy.run_path(str(path))["main"]
    values = stage._values_of_command_line(main, words)
    for name, kind in stage._parameters(main).items():
        stage._convert(name, kind, values)
