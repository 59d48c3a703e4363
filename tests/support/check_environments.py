"""Build a virtual environment from each file in envs/, and import in it every module that its stages import.

    python -m tests.support.check_environments [FOLDER [NAME ...]]

Conda is not needed: the packages are those of the file's pip part, on this machine's Python, with CPU_VARIANTS where a
package has no CPU build. An environment takes one to three minutes and up to 2 GB; FOLDER keeps it. Run it after a pin
changes; `.github/workflows/environments.yaml` does the same with conda and the files as they are.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tempfile
from importlib.metadata import packages_distributions
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
CPU_VARIANTS = {"faiss-gpu": "faiss-cpu", "vllm": None}
"""The packages that replace packages without a CPU build; None if no package does."""
DISTRIBUTIONS = {
    "faiss": "faiss-gpu",
    "vllm": "vllm",
    "pydantic_core": "pydantic",
    "sympy": "math-verify",
    "tokenizers": "transformers",
    "safetensors": "transformers",
    "threadpoolctl": "scikit-learn",
}
"""The package of each module that the tests may lack, or that another package installs."""

METRICS = {
    "faiss-gpu",
    "nltk",
    "openvino",
    "sentence-transformers",
    "sentencepiece",
    "torch",
    "transformers",
}
UNREACHED = {
    "base": (
        {"datasets", "torch"},
        "download.fetch_data and gpus.check_gpus alone load them, in environments of models",
    ),
    "generate": (set[str](), "all is reached"),
    "report": (METRICS, "tables and pages read what evaluation measured in the environment text"),
    "text": (set[str](), "all is reached"),
    "train": ({"vllm"}, "train_model opens the engine transformers"),
}
"""Packages that an environment's scripts import in functions that they do not call, and why."""


@functools.cache
def pinned(name: str) -> dict[str, str]:
    """The versions that the pip part of an environment pins, by normalised package name."""
    dependencies = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())["dependencies"]
    [pip] = [part["pip"] for part in dependencies if isinstance(part, dict)]
    return dict(parse(line) for line in pip)


def required(file: str) -> dict[str, str]:
    """The versions that a requirements file and the files that it includes pin."""
    found: dict[str, str] = {}
    for line in (ROOT / file).read_text().splitlines():
        if line.startswith("-r "):
            found |= required(line.removeprefix("-r ").strip())
        elif line.strip() and not line.startswith("#"):
            found |= [parse(line)]
    return found


def parse(line: str) -> tuple[str, str]:
    """Name and version of `name==version`, the only form that is an exact pin."""
    match = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?==([\w.!+]+)", line.strip())
    assert match, f"{line!r} is no exact pin"
    return normal(match[1]), match[2]


def normal(name: str) -> str:
    """A package's name in the form in which package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def stages() -> dict[str, set[str]]:
    """The scripts that the rules run in each environment.

    A rule made by `use rule` has the script and the environment of its parent if it sets no others.
    """
    found: dict[str, set[str]] = {path.stem: set() for path in (ROOT / "envs").glob("*.yaml")}
    for rule, environment, script in rules():
        assert environment in found, f"rule {rule} names the environment {environment}, which envs/ lacks"
        found[environment].add(script)
    return found


def rules() -> list[tuple[str, str | None, str]]:
    """Name, environment and script of each rule that runs one."""
    found = []
    for path in sorted((ROOT / "rules").glob("*.smk")):
        for block in re.split(r"^(?=(?:use )?rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            name = re.match(r"rule (\w+):", block)
            script = re.search(r'"\.\./scripts/(\w+)\.py"|=stage\("\w+", "(\w+)"|=training_stage\("(\w+)"', block)
            environment = re.search(r'^    conda:\n        "\.\./envs/(\w+)\.yaml"', block, re.MULTILINE)
            if name and script:
                found.append((name[1], environment and environment[1], script[1] or script[2] or script[3]))
    return found


@functools.cache
def modules(script: str) -> set[str]:
    """Every module of other packages that a script may import: at its top, or in a function of a module that it may reach."""
    pending, seen, found = [SCRIPTS / f"{script}.py"], set(), set()
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imports_of(path):
            stem = SCRIPTS.joinpath(*name.split("."))
            ours = [file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()]
            pending += ours
            found |= set() if name.split(".")[0] == "reversegen" else {name.split(".")[0]}
    return found - sys.stdlib_module_names


@functools.cache
def imports_of(path: Path) -> set[str]:
    """Every module that a file may import. It is parsed once for all scripts that reach it."""
    tree = ast.parse(path.read_text())
    unseen = {n for node in ast.walk(tree) if is_type_checking(node) for n in ast.walk(node)}
    return {name for node in ast.walk(tree) if node not in unseen for name in imported(node)}


def is_type_checking(node: ast.AST) -> bool:
    """Whether a statement is `if TYPE_CHECKING:`. No stage runs the imports below it."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(node: ast.AST) -> list[str]:
    """Modules that a statement imports. For `from package import name`, the package, and the name in case it is a module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


_distributions = functools.cache(packages_distributions)


def package(environment: str, module: str) -> str:
    """The package that has a module: if several have it, one that the environment pins."""
    brings = [normal(name) for name in _distributions().get(module, [module])]
    brings = [DISTRIBUTIONS[module]] if module in DISTRIBUTIONS else brings
    return next((name for name in brings if name in pinned(environment)), brings[0])


def check(name: str, folder: Path) -> None:
    """Build an environment in a folder and import there what its stages import. Raises CalledProcessError."""
    venv = folder / name
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    variants = {package: CPU_VARIANTS.get(package, package) for package in pinned(name)}
    pins = [f"{variants[package]}=={version}" for package, version in pinned(name).items() if variants[package]]
    pip = [venv / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *pins], check=True)
    for script in sorted(stages()[name]):
        wanted = sorted(module for module in modules(script) if variants.get(package(name, module)))
        code = f"import importlib, sys; sys.path.insert(0, {str(SCRIPTS)!r})\nfor m in {wanted}: importlib.import_module(m)"
        subprocess.run([venv / "bin/python", "-c", code], check=True)
        subprocess.run([venv / "bin/python", SCRIPTS / f"{script}.py", "--help"], check=True, stdout=subprocess.DEVNULL)
        print(f"{name}: {script} imports {', '.join(wanted)}", flush=True)
    left_out = [
        f"{package} left out" if variant is None else f"{variant} for {package}"
        for package, variant in variants.items()
        if variant != package
    ]
    print(f"{name}: whole" + (f", with {'; '.join(left_out)}" if left_out else ""), flush=True)


if __name__ == "__main__":
    names = sys.argv[2:] or sorted(stages())
    if len(sys.argv) > 1:
        for environment in names:
            check(environment, Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as own:
            for environment in names:
                check(environment, Path(own))
