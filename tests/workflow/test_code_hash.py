"""Moving, renaming and documenting code reruns nothing. Changing code that decides an output reruns its stages."""

import ast
import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.needs import imports_heavy

from reversegen.workflow import code_hash as hashing
from reversegen.workflow.code_hash import CARRIERS, FACADES, code_hash, shell_commands
from reversegen.workflow.used_entries import UsedEntries

ROOT = Path(__file__).parents[2]
STAGES = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
RULES = {path.name: path.read_text() for path in sorted((ROOT / "rules").glob("*.smk"))}
LIGHT = sorted({stem for text in RULES.values() for stem in re.findall(r'"\.\./scripts/(\w+)\.py"', text)})
MATH = UsedEntries(frozenset(["transformers"]), frozenset(), frozenset(["math"]), frozenset(["arithmetic"]))
SAFETY = UsedEntries(frozenset(["openai"]), frozenset(["wildguard"]), frozenset(["safety"]), frozenset(["policy"]))


read_module = hashing._read.__wrapped__
read_properties = hashing._properties.__wrapped__
"""Both read a module. What they return depends on its file, on the texts beside the file, and on which of the modules that it
names there are."""
as_read: dict[tuple[object, ...], hashing.Module] = {}
properties_as_read: dict[tuple[object, ...], dict[str, str]] = {}


@functools.cache
def modules() -> dict[str, frozenset[Path]]:
    """The files of all modules, by the last part of the name by which Python imports them."""
    named: dict[str, set[Path]] = {}
    for path in hashing.SCRIPTS.rglob("*.py"):
        named.setdefault(path.parent.name if path.stem == "__init__" else path.stem, set()).add(path)
    return {name: frozenset(path.relative_to(hashing.SCRIPTS) for path in paths) for name, paths in named.items()}


@functools.cache
def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


@functools.cache
def texts_by_folder() -> dict[Path, list[tuple[str, str]]]:
    """Names and contents of all text files, by their folder."""
    texts: dict[Path, list[tuple[str, str]]] = {}
    for path in sorted(hashing.SCRIPTS.rglob("*.txt")):
        texts.setdefault(path.parent, []).append((path.name, path.read_text()))
    return texts


@functools.cache
def state(name: str) -> tuple[object, ...]:
    """All that decides what is read of a module. Of the other modules, those do whose names occur in its text."""
    file = hashing._file(name) or hashing.SCRIPTS / f"{name}.py"
    text = file.read_text()
    named = (modules()[word] for word in sorted(words(text) & modules().keys()))
    return (name, text, *texts_by_folder().get(file.parent, ()), *named)


@functools.cache
def read_once(name: str) -> hashing.Module:
    """A module as `hashing._read` gives it. It is read again only if something that decides the result has changed."""
    if state(name) not in as_read:
        as_read[state(name)] = read_module(name)
    return as_read[state(name)]


@functools.cache
def read_properties_once(name: str) -> dict[str, str]:
    """The properties of a module as `hashing._properties` gives them, read again only as `read_once` reads again."""
    if state(name) not in properties_as_read:
        properties_as_read[state(name)] = read_properties(name)
    return properties_as_read[state(name)]


@pytest.fixture(autouse=True, scope="module")
def unchanged_modules_are_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_read", read_once)
        patch.setattr(hashing, "_properties", read_properties_once)
        yield


def forget() -> None:
    """Look for changes of all code again."""
    of_library = (code_hash, hashing._module_hash, hashing._reference, hashing._file, hashing._properties)
    for cached in (*of_library, read_once, state, modules, texts_by_folder):
        cached.cache_clear()


def all_hashes(used: UsedEntries | None = None) -> dict[str, str]:
    """The hash of each stage, from files that are read again."""
    forget()
    return {stage: code_hash(stage, "", used) for stage in STAGES}


@functools.cache
def original(used: UsedEntries | None = None) -> dict[str, str]:
    """The hashes before anything is edited."""
    return all_hashes(used)


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {stage for stage in before if before[stage] != after[stage]}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of scripts/ whose code is hashed."""
    folder = tmp_path / "scripts"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "scripts", folder, ignore=ignored, copy_function=shutil.copyfile)
    monkeypatch.setattr(hashing, "SCRIPTS", folder)
    forget()
    yield folder
    forget()


def followed_by(script: str, used: UsedEntries | None = None) -> set[str]:
    """The modules whose code a hash covers."""
    followed: set[str] = set()
    read: Callable[..., tuple[str, set[str]]] = hashing._module_hash
    code_hash.cache_clear()
    hashing._module_hash = lambda name, used: (followed.add(name), read(name, used))[1]  # type: ignore[assignment]
    try:
        code_hash(script, "", used)
    finally:
        hashing._module_hash = read  # type: ignore[assignment]
        code_hash.cache_clear()
    return followed


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, f"{file}: {old}"
    file.write_text(text.replace(old, new, 1))


def move(folder: Path, old: str, new: str) -> None:
    """Move a module and rewrite the modules that import it, as a developer does."""
    source, target = (folder.joinpath(*name.split(".")).with_suffix(".py") for name in (old, new))
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    (package, _, name), (new_package, _, new_name) = old.rpartition("."), new.rpartition(".")
    importer = re.compile(rf"^( *)from {re.escape(package)} import (.*\b{name}\b.*)\n", re.MULTILINE)
    for file in folder.rglob("*.py"):
        before = file.read_text()
        if name not in before:
            continue
        text = re.sub(rf"\b{re.escape(old)}\b", new, before)

        def rewritten(match: re.Match[str]) -> str:
            names = match[2].split(", ")
            moved = next(one for one in names if one.split(" as ")[0] == name)
            names.remove(moved)
            rest = f"{match[1]}from {package} import {', '.join(names)}\n" if names else ""
            return f"{match[1]}from {new_package} import {moved.replace(name, new_name, 1)}\n{rest}"

        after = importer.sub(rewritten, text)
        if after != text and f"{name} as " not in text:
            after = re.sub(rf"(?<![\w.]){name}(?=\.\w)", new_name, after)
        file.write_text(after)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reversegen.loop.pairs", "reversegen.text.pairing"),
        ("reversegen.ids", "reversegen.core.identities"),
        ("reversegen.loop.seeds", "reversegen.seed_reading"),  # one file imports it as a module under another name
        ("reversegen.kinds.answers.equivalence", "reversegen.kinds.answers.comparing"),  # names itself in a string
        ("reversegen.kinds.base", "reversegen.kinds.shape"),
        ("reversegen.kinds.math", "reversegen.kinds.school.sums"),
        ("reversegen.judges.formats.wildguard", "reversegen.judges.wild"),
        ("reversegen.engines.vllm", "reversegen.engines.offline"),
        ("reversegen.worlds.arithmetic", "reversegen.worlds.numbers"),
        ("reversegen.worlds.base", "reversegen.core.worlds"),
    ],
)
def test_a_module_that_is_moved_or_renamed_changes_no_hash(copied: Path, old: str, new: str) -> None:
    before, of_math = original(), original(MATH)
    files = {path: path.read_text() for path in copied.rglob("*.py")}
    move(copied, old, new)
    assert sum(path.exists() and path.read_text() != text for path, text in files.items()) > 0
    assert all_hashes() == before
    assert all_hashes(MATH) == of_math


@pytest.mark.slow
def test_a_carrier_that_is_moved_changes_no_hash(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = original()
    move(copied, "reversegen.core.files", "reversegen.paths")
    monkeypatch.setattr(hashing, "CARRIERS", CARRIERS - {"reversegen.core.files"} | {"reversegen.paths"})
    assert all_hashes() == before


@pytest.mark.slow
def test_the_order_of_imports_changes_no_hash(copied: Path) -> None:
    before = original()
    for file in copied.rglob("*.py"):
        tree = ast.parse(file.read_text())
        imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        lines = file.read_text().splitlines()
        blocks = [lines[node.lineno - 1 : node.end_lineno] for node in imports]
        for node, block in zip(reversed(imports), blocks, strict=True):
            lines[node.lineno - 1 : node.end_lineno] = block
        file.write_text("\n".join(lines) + "\n")
    assert all_hashes() == before


def test_another_module_in_an_imports_place_changes_the_hash(copied: Path) -> None:
    (copied / "reversegen/text/pairs.py").write_text((copied / "reversegen/loop/pairs.py").read_text() + "\nMORE = 1\n")
    with (copied / "reversegen/loop/pairs.py").open("a") as file:
        file.write("\nfrom reversegen.text import pairs\n")  # the hash covers both modules before and after
    before = all_hashes()["build_pairs"]
    edit(copied / "build_pairs.py", "from reversegen.loop.pairs import", "from reversegen.text.pairs import")
    assert all_hashes()["build_pairs"] != before


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
        ("build_pairs", "reversegen/loop/pairs"),
        ("build_pairs", "reversegen/ids"),
        ("build_pairs", "reversegen/kinds/__init__"),
        ("build_pairs", "reversegen/kinds/math"),
        ("build_pairs", "reversegen/worlds/arithmetic"),
        ("train_warmup", "reversegen/training/sft"),  # imported inside main
    ],
)
def test_a_changed_formula_changes_the_hash_and_a_comment_does_not(copied: Path, script: str, module: str) -> None:
    file = copied / f"{module}.py"
    code = hash_with(file, script, FORMULA)
    assert hash_with(file, script, COMMENTED) == code
    assert hash_with(file, script, "") != code
    assert hash_with(file, script, FORMULA.replace("a / b", "b / a")) != code


def hash_with(file: Path, script: str, text: str) -> str:
    """The hash of a script if a file has more text at its end."""
    before = file.read_text()
    file.write_text(before + text)
    forget()
    result = code_hash(script)
    file.write_text(before)
    return result


@pytest.mark.parametrize(
    ("old", "new"), [("0.5", "0.4"), ("ratio(", "share("), ("a: float", "a: int"), ("(a", "(*, a")]
)
def test_any_change_of_code_changes_the_hash(copied: Path, old: str, new: str) -> None:
    file = copied / "reversegen/loop/pairs.py"
    text = FORMULA.replace(old, new)
    assert text != FORMULA
    assert hash_with(file, "build_pairs", text) != hash_with(file, "build_pairs", FORMULA)


def test_the_hash_does_not_depend_on_where_the_repository_lies(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = original()
    monkeypatch.setattr(hashing, "SCRIPTS", ROOT / "scripts")
    assert all_hashes() == there


OPENS_A_KIND = {"build_pairs", "build_prompts", "clean_seeds", "label_answers", "write_references"}
OPENS_AN_ENGINE = {"answer_questions", "judge_responses", "sample_instructions", "write_references"}
TRAINS = {"train_warmup", "train_proposer", "train_target"}
FETCHES = {"fetch_model", "fetch_file", "push_folder"}
JUDGES = {"judge_labelled", "judge_responses"}
WITHOUT_IDS = {"build_control", "build_untrained", "gather_shards", "select_failures"}


@pytest.mark.parametrize(
    ("file", "old", "new", "used", "rerun", "spared"),
    [
        ("ids", "casefold()", "lower()", MATH, OPENS_A_KIND | {"collect_instructions"}, WITHOUT_IDS),
        ("ids", "int(content_id(*parts), 16)", "7", MATH, OPENS_A_KIND, WITHOUT_IDS),
        ("ids", "[:16]", "[:8]", MATH, OPENS_A_KIND | OPENS_AN_ENGINE, WITHOUT_IDS),
        (
            "core/records",
            'return self.invalid is None and (self.duplicate_of is None or "heldout" in self.splits)',
            "return self.invalid is None",
            MATH,
            {"answer_questions", "label_answers", "write_references", "collect_instructions", "evaluate_proposer"},
            {"clean_seeds", "sample_instructions"} | TRAINS | FETCHES,
        ),
        (
            "kinds/math",
            '"different answers"',
            '"other answers"',
            MATH,
            OPENS_A_KIND | {"judge_responses"},
            TRAINS | FETCHES,
        ),
        ("kinds/math", '"different answers"', '"other answers"', SAFETY, set(), set(STAGES)),
        ("kinds/safety", '"no judgement"', '"none"', SAFETY, OPENS_A_KIND, TRAINS | FETCHES),
        ("kinds/safety", '"no judgement"', '"none"', MATH, set(), set(STAGES)),
        ("judges/formats/wildguard", "max_new_tokens=32", "max_new_tokens=33", SAFETY, JUDGES, TRAINS | FETCHES),
        ("judges/formats/wildguard", "max_new_tokens=32", "max_new_tokens=33", MATH, set(), set(STAGES)),
        ("judges/__init__", "llama_guard(11)", "llama_guard(12)", SAFETY, set(), set(STAGES)),
        ("engines/transformers", "assert folder is not None", "pass", MATH, OPENS_AN_ENGINE, FETCHES | {"clean_seeds"}),
        ("engines/transformers", "assert folder is not None", "pass", SAFETY, set(), set(STAGES)),
        ("engines/openai", "limits or Limits()", "Limits()", SAFETY, OPENS_AN_ENGINE, FETCHES | {"clean_seeds"}),
        ("engines/openai", "limits or Limits()", "Limits()", MATH, set(), set(STAGES)),
        (
            "worlds/arithmetic",
            'f"{steps} ####',
            'f"{steps} so ####',
            MATH,
            OPENS_A_KIND | {"write_corpus"},
            TRAINS | FETCHES,
        ),
        ("worlds/arithmetic", 'f"{steps} ####', 'f"{steps} so ####', SAFETY, set(), set(STAGES)),
        ("worlds/__init__", "arithmetic.WORLD", "policy.WORLD", SAFETY, set(), set(STAGES)),
    ],
)
def test_code_that_decides_an_output_reruns_its_stages_and_no_other(
    copied: Path, file: str, old: str, new: str, used: UsedEntries, rerun: set[str], spared: set[str]
) -> None:
    before = original(used)
    edit(copied / f"reversegen/{file}.py", old, new)
    rerun_stages = changed(before, all_hashes(used))
    assert rerun <= rerun_stages
    assert not spared & rerun_stages
    module = f"reversegen.{file.replace('/', '.')}"
    if not hashing._carries(module) and not module.endswith("__init__"):
        assert rerun_stages == {stage for stage in STAGES if module in followed_by(stage, used)}


@pytest.mark.parametrize(
    ("line", "entry", "files"),
    [
        ("KINDS = {\n", '    "code": "reversegen.kinds.code",\n', {"kinds/code": FORMULA}),
        ("WORLDS: dict[str, World] = {\n", '    "towns": towns.WORLD,\n', {"worlds/towns": FORMULA}),
        ("JUDGES: dict[str, JudgeFormat] = {\n", '    "stern": stern.JUDGE,\n', {"judges/formats/stern": FORMULA}),
        ("ENGINES: dict[str, ", '    "fast": fast.open_engine,\n', {"engines/fast": FORMULA}),
    ],
)
def test_another_entry_of_a_facade_reruns_nothing(copied: Path, line: str, entry: str, files: dict[str, str]) -> None:
    before, of_safety, whole = original(MATH), original(SAFETY), original()
    [name] = files
    package, _, module = name.replace("/", ".").rpartition(".")
    (copied / f"reversegen/{name}.py").write_text(files[name])
    facade = copied / f"reversegen/{package.split('.')[0]}/__init__.py"
    text = facade.read_text()
    start = text.index("{\n", text.index(line)) + 2
    text = text[:start] + entry + text[start:]
    if f'"reversegen.{package}.{module}"' not in entry:
        text = text.replace("from reversegen", f"from reversegen.{package} import {module}\nfrom reversegen", 1)
    facade.write_text(text)
    assert all_hashes(MATH) == before
    assert all_hashes(SAFETY) == of_safety
    assert changed(whole, all_hashes())


def test_a_job_hashes_the_entries_that_it_uses_and_no_other(copied: Path) -> None:
    for folder, kept in [("kinds", "math"), ("worlds", "arithmetic"), ("engines", "transformers")]:
        others = {"kinds": ["honesty", "safety"], "worlds": ["knowledge", "policy"], "engines": ["openai", "vllm"]}[
            folder
        ]
        before = all_hashes(MATH)
        for name in others:
            edit(copied / f"reversegen/{folder}/{name}.py", "from __future__", "A = 1\nfrom __future__")
        assert all_hashes(MATH) == before
        edit(copied / f"reversegen/{folder}/{kept}.py", "from __future__", "A = 1\nfrom __future__")
        assert changed(before, all_hashes(MATH))


def test_the_order_of_a_facades_entries_changes_no_hash(copied: Path) -> None:
    before = original()
    lines = ['    "honesty": "reversegen.kinds.honesty",\n', '    "math": "reversegen.kinds.math",\n']
    edit(copied / "reversegen/kinds/__init__.py", "".join(lines), "".join(reversed(lines)))
    assert all_hashes() == before


@pytest.mark.parametrize("package", FACADES)
def test_an_entry_of_a_facade_is_imported_by_its_own_package_alone(package: str) -> None:
    folder = ROOT / "scripts" / Path(*package.split("."))
    module = hashing._read(package)
    assert module.entries
    bound = {i.bound: i.module for i in module.imports}
    of_entries = {
        m for text in module.entries.values() for m in (*text.modules, *(bound[n] for n in text.names & {*bound}))
    }
    assert len(of_entries) >= 3
    for file in (ROOT / "scripts").rglob("*.py"):
        if folder not in file.parents:
            name = ".".join(file.relative_to(ROOT / "scripts").with_suffix("").parts).removesuffix(".__init__")
            read = hashing._read(name)
            assert of_entries.isdisjoint({*read.text.modules, *(i.module for i in read.imports)}), name


def test_carriers_exist_and_are_exempt_by_their_full_names(copied: Path) -> None:
    assert all(hashing._file(name) for name in CARRIERS)
    for name in CARRIERS:
        last = name.rpartition(".")[2]
        if not (copied / f"reversegen/loop/{last}.py").exists():
            (copied / f"reversegen/loop/{last}.py").write_text(FORMULA)
    edit(
        copied / "build_pairs.py",
        "from reversegen.stage",
        "from reversegen.loop.progress import ratio\nfrom reversegen.stage",
    )
    before = all_hashes()["build_pairs"]
    edit(copied / "reversegen/loop/progress.py", "a / b", "b / a")
    assert all_hashes()["build_pairs"] != before


def test_a_module_that_only_transports_data_reruns_nothing(copied: Path) -> None:
    before = original()
    for name in CARRIERS:
        stem = copied.joinpath(*name.split("."))
        for file in [stem.with_suffix(".py")] if stem.with_suffix(".py").exists() else stem.glob("*.py"):
            with file.open("a") as text:
                text.write(FORMULA)
    edit(
        copied / "reversegen/core/records.py",
        "(Record):\n",
        '(Record):\n    more: str = ""\n',
    )
    assert all_hashes() == before


def test_the_properties_of_a_section_are_hashed_with_its_users(copied: Path) -> None:
    before = original()
    [file] = [path for path in (copied / "reversegen/config").glob("*.py") if "def thought_tokens" in path.read_text()]
    edit(file, "self.thinking.max_tokens if", "1 + self.thinking.max_tokens if")
    rerun = changed(before, all_hashes())
    assert rerun >= OPENS_AN_ENGINE
    assert not rerun & {"build_control", "gather_shards", "select_failures"}


def test_the_hash_covers_the_shell_command() -> None:
    assert code_hash("train_proposer", "python a") != code_hash("train_proposer", "python b")
    commands = shell_commands(ROOT / "rules")
    assert "--pairs {input.pairs:q}" in commands["train_proposer"]
    for text in RULES.values():
        for rule in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
            if script := re.search(r'code=code\("(\w+)"\)', rule):
                assert ("    shell:\n" in rule) <= (script[1] in commands)


def test_a_changed_flag_changes_its_own_command_and_its_lines_do_not(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    before = shell_commands(tmp_path / "rules")
    [file] = [path for path in (tmp_path / "rules").glob("*.smk") if "rule train_proposer:" in path.read_text()]
    edit(file, "--pairs {input.pairs:q} --previous", '--pairs {input.pairs:q}"\n        " --previous')
    assert shell_commands(tmp_path / "rules") == before
    edit(file, "--pairs {input.pairs:q}", "--rows {input.pairs:q}")
    after = shell_commands(tmp_path / "rules")
    assert {script for script in before if before[script] != after[script]} == {"train_proposer"}


def test_an_import_inside_a_function_of_an_imported_module_is_followed(copied: Path) -> None:
    for name in ("deep", "text/deeper"):
        (copied / f"reversegen/{name}.py").write_text(FORMULA)
    with (copied / "reversegen/loop/pairs.py").open("a") as file:
        file.write("\ndef late() -> None:\n    from reversegen.deep import ratio\n    import reversegen.text.deeper\n")
    forget()
    before = code_hash("build_pairs")
    for name in ("deep", "text/deeper"):
        assert hash_with(copied / f"reversegen/{name}.py", "build_pairs", "\nX = 1\n") != before


def test_a_script_that_does_not_exist_has_no_hash() -> None:
    with pytest.raises(FileNotFoundError):
        code_hash("build_nothing")


def test_a_package_that_is_not_a_facade_runs_nothing() -> None:
    for file in (ROOT / "scripts/reversegen").rglob("__init__.py"):
        name = ".".join(file.relative_to(ROOT / "scripts").parent.parts)
        if name != "reversegen" and name not in FACADES:
            assert all(isinstance(node, ast.Expr) for node in ast.parse(file.read_text()).body), name


IMPORT_EACH = """
import importlib, json, os, sys, types
sys.path.insert(0, "scripts")
import numba, pydantic, yaml  # once, to save time
import reversegen.config.load, reversegen.core.records, reversegen.stage  # which nearly every script loads, and no hash covers
print(json.dumps(["", sorted(sys.modules)]), flush=True)
heavy, unused_by_script = json.loads(sys.argv[1])
for script, unused in sorted(unused_by_script.items(), key=lambda item: item[0] in heavy):
    if script in heavy:
        import torch, transformers  # once, after all scripts that import neither
    if (child := os.fork()) == 0:
        for facade in unused:  # a stage that uses one and does not follow it fails here
            sys.modules[facade] = types.ModuleType(facade)
            sys.modules[facade].__path__ = [os.path.join("scripts", *facade.split("."))]
        importlib.import_module(script)
        print(json.dumps([script, sorted(sys.modules)]), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, script
"""


def without_carriers(names: set[str]) -> tuple[set[str], set[str]]:
    """The modules and the packages of the library among these names."""
    ours = {name for name in names if name.startswith("reversegen.") and not hashing._carries(name)}
    packages = {name for name in ours if (ROOT / "scripts" / Path(*name.split("."))).is_dir()}
    return ours - packages, packages


@pytest.fixture(scope="module")
def followed() -> dict[str, set[str]]:
    return {script: followed_by(script) for script in STAGES}


@pytest.fixture(scope="module")
def loaded(followed: dict[str, set[str]]) -> dict[str, set[str]]:
    """The modules that Python loads for each script in a separate process, with the façades empty that its hash leaves out."""
    unused = {script: [facade for facade in FACADES if facade not in names] for script, names in followed.items()}
    heavy = [script for script in STAGES if imports_heavy(ROOT / f"scripts/{script}.py")]
    command = [sys.executable, "-c", IMPORT_EACH, json.dumps([heavy, unused])]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    modules = {script: set(names) for script, names in map(json.loads, done.stdout.splitlines())}
    assert without_carriers(modules.pop(""))[0] == set()
    assert sorted(modules) == STAGES
    return modules


@pytest.mark.slow
@pytest.mark.parametrize("script", STAGES)
def test_the_hash_follows_all_that_python_loads(
    script: str, loaded: dict[str, set[str]], followed: dict[str, set[str]]
) -> None:
    ours, packages = without_carriers(loaded[script])
    if (
        "reversegen.engines.openai" not in followed[script]
    ):  # a script that needs only the folder of calls reads no reply
        ours -= {"reversegen.engines.endpoint.replies"}
    assert ours <= followed[script]
    assert followed[script] & packages <= {*FACADES}


def test_light_scripts_are_found_in_the_rules() -> None:
    assert len(LIGHT) >= 12
    assert set(LIGHT) <= set(STAGES)


@pytest.mark.slow
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
