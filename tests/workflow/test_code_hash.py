"""Equal instructions have equal ids, neighbouring draws share nothing, a rule's hash follows its script's imports."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from reversegen import ids as hashing
from reversegen.core.files import file_sha256
from reversegen.ids import content_id, hashed_seed, instruction_id
from reversegen.workflow.code_hash import code_hash

ROOT = Path(__file__).parents[2]
STAGES = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
RULES = {path.name: path.read_text() for path in sorted((ROOT / "rules").glob("*.smk"))}
LIGHT = sorted({stem for text in RULES.values() for stem in re.findall(r'"\.\./scripts/(\w+)\.py"', text)})


@pytest.mark.parametrize(
    "variant",
    [
        "What is 35 plus 7 ?",
        "WHAT IS 35 PLUS 7 ?",
        "  what is\t35\n\nplus 7 ?\r\n",
        "what\u00a0is\u200335\u2028plus 7 ?",
        "what is \uff13\uff15 plus \u2077 \uff1f",
        "\uff37\uff48\uff41\uff54 is 35 plus 7 ?",
    ],
)
def test_an_instruction_has_one_id_however_it_is_written(variant: str) -> None:
    # printf '["what is 35 plus 7 ?"]' | sha256sum
    assert instruction_id(variant) == "3ce8490263b120d6"


def test_case_and_compatibility_variants_of_every_character_have_one_id() -> None:
    letters = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) not in ("Cn", "Co", "Cs")]
    forms = [lambda c, form=form: unicodedata.normalize(form, c) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    forms += [str.lower, str.casefold, lambda c: c if c == "\u0131" else c.upper()]  # a dotless i is no i
    different = [(c, v) for c in letters for v in {f(c) for f in forms} - {c} if instruction_id(c) != instruction_id(v)]
    assert not different


@pytest.mark.parametrize(
    "other", ["what is 35 plus 8 ?", "what is 35 minus 7 ?", "what is 3 5 plus 7 ?", "whatis 35 plus 7 ?", "35 + 7", ""]
)
def test_different_instructions_have_different_ids(other: str) -> None:
    assert instruction_id(other) != instruction_id("what is 35 plus 7 ?")


def test_ids_never_run_parts_together() -> None:
    lists = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("abc", ""), ("", "abc"), (), ("",), (1,), ("1",)]
    lists += [(1, 1), (11,), ('a", "b',), ("a", "b"), ("a\\",), ("\ud800",), ("\\ud800",), (-1,)]
    assert len({content_id(*parts) for parts in lists}) == len(lists)
    # printf '[1, "a", "\u00fc"]' | sha256sum
    assert content_id(1, "a", "\u00fc") == "44406e19c8ed61d5"


def test_seeds_of_neighbouring_draws_share_no_structure() -> None:
    grid = [(seed, n, stage, batch) for seed in range(3) for n in range(4) for stage in "ab" for batch in range(250)]
    seeds = [hashed_seed(*parts) for parts in grid]
    assert len(set(seeds)) == len(seeds) == 6000
    assert all(0 <= seed < 2**64 for seed in seeds)
    for bit in range(64):  # standard deviation of a fair coin here: 39
        assert abs(sum(seed >> bit & 1 for seed in seeds) - 3000) < 5 * 39
    flips = [(one ^ other).bit_count() for one, other in itertools.pairwise(seeds)]
    assert abs(sum(flips) / len(flips) - 32) < 5 * 4 / len(flips) ** 0.5
    steps = {other - one for one, other in itertools.pairwise(seeds)}
    assert len(steps) == len(seeds) - 1


def test_the_hash_of_a_file_is_that_of_sha256sum(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(os.urandom(300_000) + b"\r\n")
    done = subprocess.run(["sha256sum", file], capture_output=True, text=True, check=True)
    assert file_sha256(file) == done.stdout[:64]


def forget() -> None:
    """Read all code anew."""
    code_hash.cache_clear()
    hashing._read.cache_clear()


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of scripts/ that code_hash reads."""
    folder = tmp_path / "scripts"
    shutil.copytree(ROOT / "scripts", folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(hashing, "SCRIPTS", folder)
    forget()
    yield folder
    forget()


def hash_with(file: Path, script: str, text: str) -> str:
    """The hash of a script where a file has more text at its end."""
    before = file.read_text()
    file.write_text(before + text)
    forget()
    result = code_hash(script)
    file.write_text(before)
    return result


FORMULA = """
RATIO: float = 0.5

class Ratio:
    half: float = 0.5

def ratio(a: float, b: float) -> float:
    return a / b
"""
COMMENTED = '''

# A comment.
RATIO: float = 0.5  # another
"""What it is."""


class Ratio:
    """A ratio."""

    half: float = 0.5
    """Half."""


def ratio(
    a: float,
    b: float,
) -> float:
    """Divide."""
    return (a / b)  # the formula
'''


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("build_pairs", "build_pairs"),
        ("build_pairs", "reversegen/pairs"),
        ("build_pairs", "reversegen/kinds/__init__"),
        ("build_pairs", "reversegen/kinds/math"),
        ("build_pairs", "reversegen/arithmetic"),
        ("train_warmup", "reversegen/training"),  # imported inside main
    ],
)
def test_a_changed_formula_changes_the_hash_and_a_comment_does_not(copied: Path, script: str, module: str) -> None:
    file = copied / f"{module}.py"
    code = hash_with(file, script, FORMULA)
    assert hash_with(file, script, COMMENTED) == code
    assert hash_with(file, script, "") != code
    assert hash_with(file, script, FORMULA.replace("a / b", "b / a")) != code


@pytest.mark.parametrize(
    ("old", "new"), [("0.5", "0.4"), ("ratio(", "share("), ("a: float", "a: int"), ("(a", "(*, a")]
)
def test_any_change_of_code_changes_the_hash(copied: Path, old: str, new: str) -> None:
    file = copied / "reversegen/loop/pairs.py"
    changed = FORMULA.replace(old, new)
    assert changed != FORMULA
    assert hash_with(file, "build_pairs", changed) != hash_with(file, "build_pairs", FORMULA)


def test_the_hash_does_not_depend_on_where_the_repository_lies(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = code_hash("build_pairs")
    monkeypatch.setattr(hashing, "SCRIPTS", ROOT / "scripts")
    forget()
    assert code_hash("build_pairs") == there


def test_modules_that_do_not_decide_the_output_leave_the_hash(copied: Path) -> None:
    before = code_hash("build_pairs")
    for module in ["build_prompts", "reversegen/tables", *(f"reversegen/**/{name}" for name in hashing.PLUMBING)]:
        [path] = copied.glob(f"{module}.py")
        with path.open("a") as file:
            file.write(FORMULA)
    forget()
    assert code_hash("build_pairs") == before


def test_an_import_inside_a_function_of_an_imported_module_is_followed(copied: Path) -> None:
    for folder, name in [(copied / "reversegen", "deep"), (copied / "reversegen/kinds", "deeper")]:
        (folder / f"{name}.py").write_text(FORMULA)
    with (copied / "reversegen/loop/pairs.py").open("a") as file:
        file.write("\ndef late() -> None:\n    from reversegen.deep import ratio\n    import reversegen.kinds.deeper\n")
    forget()
    before = code_hash("build_pairs")
    for module in ("deep", "kinds/deeper"):
        assert hash_with(copied / f"reversegen/{module}.py", "build_pairs", "\nX = 1\n") != before


def test_a_script_that_does_not_exist_has_no_hash() -> None:
    with pytest.raises(FileNotFoundError):
        code_hash("build_nothing")


IMPORT_EACH = """
import importlib, json, os, sys
sys.path.insert(0, "scripts")
import numba  # once, to save time, like the modules that nearly every script loads
import reversegen.config.load, reversegen.stage
for script in sys.argv[1:]:
    if (child := os.fork()) == 0:
        importlib.import_module(script)
        print(json.dumps([script, sorted(sys.modules)]), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """What Python loads for each script, each in a process of its own."""
    command = [sys.executable, "-c", IMPORT_EACH, *STAGES]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    modules = {script: set(names) for script, names in map(json.loads, done.stdout.splitlines())}
    assert sorted(modules) == STAGES
    return modules


@pytest.mark.parametrize("script", STAGES)
def test_the_hash_follows_all_that_python_loads(
    script: str, loaded: dict[str, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = set()
    read_text = Path.read_text

    def noted(path: Path) -> str:
        followed.add(".".join(path.relative_to(hashing.SCRIPTS).with_suffix("").parts).removesuffix(".__init__"))
        return read_text(path)

    monkeypatch.setattr(Path, "read_text", noted)
    forget()
    code_hash(script)
    own = {name for name in loaded[script] if name.startswith("reversegen.")}
    own -= {"reversegen.kinds"}  # `kinds.answers` runs it and uses nothing of it; who opens a kind imports it by name
    assert {name for name in own if name.split(".")[-1] not in hashing.PLUMBING} <= followed


def test_light_scripts_are_found_in_the_rules() -> None:
    assert len(LIGHT) >= 12
    assert set(LIGHT) <= set(STAGES)


@pytest.mark.parametrize("script", LIGHT)
def test_a_light_script_loads_no_deep_learning_library(script: str, loaded: dict[str, set[str]]) -> None:
    assert not {"torch", "transformers", "trl", "datasets", "accelerate", "vllm"} & loaded[script]


JOBS = [
    (name, rule)
    for name, text in RULES.items()
    for rule in re.split(r"^(?=rule |use rule |checkpoint )", text, flags=re.MULTILINE)
    if re.match(r"rule |checkpoint ", rule)
]


@pytest.mark.parametrize(("file", "rule"), JOBS, ids=lambda part: part.split(":")[0])
def test_a_rule_carries_the_hash_of_the_script_it_runs(file: str, rule: str) -> None:
    scripts = re.findall(r'"\.\./scripts/(\w+)\.py"|\bstage\("\w+", "(\w+)"\)|\btraining_stage\("(\w+)"', rule)
    assert len(scripts) == 1, f"{file}: one script to a rule"
    assert re.findall(r'code=code\("(\w+)"\)', rule) == ["".join(scripts[0])]


def test_a_stage_of_one_kind_is_not_rerun_for_another() -> None:
    scripts = hashing.SCRIPTS / "reversegen"
    files = {name: scripts / f"kinds/{name}.py" for name in ("math", "safety", "__init__")}
    before = {kind: hashing.code_hash("answer_instructions", kind) for kind in ("math", "safety", "honesty")}
    assert len(set(before.values())) == 3
    followed: dict[str, set[str]] = {}
    meaning = hashing._meaning
    for kind in before:
        seen: set[str] = set()
        forget()
        hashing._meaning = lambda path, tree, seen=seen: seen.add(str(path)) or meaning(path, tree)
        try:
            hashing.code_hash("answer_instructions", kind)
        finally:
            hashing._meaning = meaning
            forget()
        followed[kind] = seen
    assert str(files["math"]) in followed["math"]
    assert not {str(files["safety"]), str(files["__init__"])} & followed["math"]
    assert str(files["safety"]) in followed["safety"]
    assert str(files["math"]) not in followed["safety"]
