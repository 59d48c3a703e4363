"""Rules, library, scripts and tests use only documented names of Snakemake, and rule files have no functions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.workflows import REPOSITORY

RULES = [REPOSITORY / "Snakefile", *sorted((REPOSITORY / "rules").glob("*.smk"))]
PYTHON = [path for folder in ("scripts", "tests") for path in sorted((REPOSITORY / folder).rglob("*.py"))]
PUBLIC = r"utils|iocontainers"
PRIVATE = {
    "a module": rf"\bsnakemake\.(?!{PUBLIC}|readthedocs|git|yaml)\w+\b(?!\()",
    "an import": rf"^\s*(?:from snakemake(?!\.(?:{PUBLIC})\b|_interface_|_executor_|_logger_)|import snakemake(?!_interface_))",
    "an attribute": r"\bworkflow\.(?:dag|global_resources|output_settings|is_main_process|persistence|modifier|globals|_\w+)\b",
    "an underscore": r"\bsnakemake(?:\.\w+)*\._\w+",
}
JOB = re.compile(r"\bsnakemake\.(?:input|output|params|wildcards|threads|log|config|resources|rule|scriptdir)\b")


@pytest.mark.parametrize("path", [*RULES, *PYTHON], ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_only_public_names_of_snakemake_are_used(path: Path) -> None:
    if path == Path(__file__):
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for what, pattern in PRIVATE.items():
            assert not re.search(pattern, JOB.sub("", line)), f"{path}, line {number}: {what} of Snakemake: {line}"


@pytest.mark.parametrize(
    ("line", "private"),
    [
        ("import snakemake.jobs", True),
        ("from snakemake.dag import DAG", True),
        ("snakemake.output_index.OutputIndex", True),
        ("snakemake.common.get_function_params = f", True),
        ("workflow.dag.needrun_jobs()", True),
        ("workflow._rules", True),
        ("workflow.global_resources.get('gpu')", True),
        ("from snakemake.logging import logger", True),
        ("from snakemake.utils import min_version", False),
        ("    from snakemake.iocontainers import Wildcards", False),
        ("workflow.basedir", False),
        ("the command snakemake --profile slurm", False),
    ],
)
def test_the_search_knows_them(line: str, private: bool) -> None:
    assert any(re.search(pattern, line) for pattern in PRIVATE.values()) == private


def test_only_common_has_functions_and_it_is_short() -> None:
    with_functions = [path.name for path in RULES if re.search(r"^\s*def |\blambda\b", path.read_text(), re.MULTILINE)]
    assert with_functions == ["common.smk"]
    assert len((REPOSITORY / "rules/common.smk").read_text().splitlines()) <= 250


@pytest.mark.parametrize("path", [path for path in RULES[1:] if path.name != "common.smk"], ids=lambda path: path.name)
def test_a_rule_file_opens_with_what_it_needs_makes_and_does(path: Path) -> None:
    """Each rule is in the file whose header names it among the steps."""
    text = path.read_text()
    header = re.match(r"(#.*\n)+", text)
    assert header
    assert all(f"# {word}: " in header[0] for word in ("Needs", "Makes", "Steps"))
    steps = set(re.findall(r"\w+", header[0].split("# Steps: ")[1])) - {"or", "and"}
    assert steps == set(re.findall(r"^(?:use rule \w+ as|rule) (\w+)", text, re.MULTILINE))
