"""The rules run one whole loop by Snakemake, and end in the same bytes after SIGKILL."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.support.kinds import MATH
from tests.support.markdown_tables import joined, rows_of
from tests.support.page_inputs import audit_tables
from tests.support.plans import SOURCES, errors, planned
from tests.support.tiny_tasks import with_tiny_model
from tests.support.warm_python import warm_python
from tests.support.workflows import MICRO, REPOSITORY, Workflow, kill_tree

from reversegen.core.errors import BadInput
from reversegen.core.records import (
    Instruction,
    Label,
    Message,
    Pair,
    Sample,
    TrainingRow,
    read_records,
    write_records,
)
from reversegen.evaluation.audit import COLUMNS, read_audit, write_audit
from reversegen.evaluation.eval_file import EvalFile
from reversegen.models.folder import check_folder, prune, weights_identity

PRUNED = """
rule all:
    input: "used"
rule train:
    output: directory("proposer")
    shell: "mkdir proposer && cp {MODEL}/* proposer"
rule sample:
    input: "proposer"
    output: "used"
    shell: "touch used"
"""


@pytest.mark.slow
def test_a_pruned_proposer_is_not_made_again_and_its_error_names_the_way_back(tiny_model: Path, tmp_path: Path) -> None:
    snakefile = PRUNED.replace("{MODEL}", str(tiny_model / "tiny-arithmetic"))
    (tmp_path / "Snakefile").write_text(snakefile)
    command = [warm_python(), "-m", "snakemake", "--cores", "1"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    proposer = tmp_path / "proposer"
    before, manifest = weights_identity(proposer), (proposer / "manifest.json").read_bytes()
    size = (proposer / "model.safetensors").stat().st_size
    for _ in range(2):  # again, as after a kill
        assert prune(proposer) == {"model.safetensors": size}
    assert not list(proposer.glob("*.safetensors"))
    assert (weights_identity(proposer), (proposer / "manifest.json").read_bytes()) == (before, manifest)
    with pytest.raises(
        BadInput, match="proposer: its weights were removed, because the task's `keep` leaves it out; delete the folder"
    ):
        check_folder(proposer)
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "Nothing to be done" in done.stderr
    shutil.rmtree(proposer)
    (tmp_path / "used").unlink()
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    check_folder(proposer)


ALL = (
    "results/micro/table.md",
    "results/micro/table.csv",
    "results/micro/report.html",
    "results/micro/transfer/tiny-arithmetic/eval.json",
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Workflow:
    """One undisturbed run of the task `micro`, from seeds to report."""
    workflow = with_tiny_model(tmp_path_factory.mktemp("finished") / "run", tiny_model)
    done = workflow.run(*ALL, "results/micro/contamination.json")
    assert done.returncode == 0, done.stdout
    return workflow


def evaluation(workflow: Workflow, path: str) -> EvalFile:
    return EvalFile.model_validate_json((workflow.folder / "results/micro" / path).read_text())


@pytest.mark.models
def test_the_failure_rate_equals_a_count_over_the_files(finished: Workflow) -> None:
    folder = finished.folder / "results/micro/iter1"
    verdict = {row.instruction_id: row.verdict for row in read_records(folder / "labels.jsonl", Label)}
    written = {s: i.id for i in read_records(folder / "instructions.jsonl", Instruction) for s in i.samples}
    samples = [s for s in read_records(folder / "samples.jsonl", Sample) if s.split == "heldout"]
    counts = Counter(verdict.get(written[s.id], "invalid") for s in samples)
    metrics = evaluation(finished, "iter1/eval.json").metrics
    assert metrics["failure_rate"].count == counts["failed"]
    assert metrics["failure_rate"].total == counts["failed"] + counts["passed"]
    assert metrics["validity"].total == len(samples) == 20 * 5
    assert metrics["validity"].count == counts["failed"] + counts["passed"]


@pytest.mark.models
def test_chosen_failed_and_rejected_passed(finished: Workflow) -> None:
    folder = finished.folder / "results/micro/iter0"
    verdict = {row.instruction_id: row.verdict for row in read_records(folder / "labels.jsonl", Label)}
    pairs = read_records(folder / "pairs.jsonl", Pair)
    assert pairs
    assert {verdict[pair.chosen_id] for pair in pairs} == {"failed"}
    assert {verdict[pair.rejected_id] for pair in pairs} == {"passed"}
    origin = evaluation(finished, "iter1/eval.json").provenance["pairs"]
    assert origin["pairs"] == len(pairs)


@pytest.mark.models
def test_sources_have_equal_rows_and_no_test_question(finished: Workflow) -> None:
    folder = finished.folder / "results/micro"
    rows = {name: read_records(folder / f"enhanced/{name}/train.jsonl", TrainingRow) for name in SOURCES}
    origins = {name: Counter(row.origin for row in of_source) for name, of_source in rows.items()}
    selection = json.loads((folder / "enhanced/selection.json").read_text())
    candidates = [part["candidates"] - part["test_overlaps_dropped"] for part in selection.values()]
    # the failures of a model depend on the processor's rounding, so the smallest source may have fewer than 30
    assert {counts[name] for name, counts in origins.items()} == {min(30, *candidates)}
    assert {counts["replay"] for counts in origins.values()} == {20}
    asked = set()
    for test in ("test", "pretraining"):
        for line in (folder / f"tests/{test}.jsonl").read_text().splitlines():
            asked.add(MATH.canonical(json.loads(line)["text"]))
    taught = {MATH.canonical(row.prompt[0].content) for of in rows.values() for row in of}  # type: ignore[union-attr]
    assert asked
    assert not asked & taught
    contamination = json.loads((folder / "contamination.json").read_text())["exact"]
    assert {n for counts in contamination.values() for n in counts.values()} == {0}


@pytest.mark.models
def test_every_job_has_a_log_with_the_command_that_repeats_it(finished: Workflow) -> None:
    logs = list((finished.folder / "results/micro/logs").rglob("*.log"))
    assert len(logs) > 30
    for log in logs:
        assert " by hand: python " in log.read_text(), log


BY_HAND = {
    "clean_seeds": ["seeds.jsonl"],
    "iter0/build_pairs": ["iter0/pairs.jsonl"],
    "enhanced/select_enhancement": [f"enhanced/{source}/train.jsonl" for source in SOURCES],
    "iter1/train_proposer": ["iter1/proposer"],
}
"""Stages that are repeated by hand, and what is removed before."""


@pytest.mark.slow
@pytest.mark.models
def test_a_stage_by_hand_writes_the_same_bytes_with_another_hash_seed(finished: Workflow, tmp_path: Path) -> None:
    copy = copied(finished, tmp_path / "run")
    results = copy.folder / "results/micro"
    for stage, outputs in BY_HAND.items():
        log = (results / f"logs/{stage}.log").read_text()
        python, *words = shlex.split(re.search("by hand: (.*)", log)[1])  # type: ignore[index]
        assert python == "python"
        for output in outputs:
            (shutil.rmtree if (results / output).is_dir() else Path.unlink)(results / output)
        environment = {**os.environ, "PYTHONHASHSEED": "1", "HF_HUB_OFFLINE": "1"}
        subprocess.run([sys.executable, *words], cwd=copy.folder, env=environment, check=True, capture_output=True)
    assert copy.hashes() == finished.hashes()


def copied(finished: Workflow, folder: Path) -> Workflow:
    shutil.copytree(finished.folder, folder)
    return Workflow(folder)


def test_a_setting_that_decides_no_result_reruns_nothing(finished: Workflow, tmp_path: Path) -> None:
    copy = copied(finished, tmp_path / "run")
    (tmp_path / "python").symlink_to(sys.executable)
    elsewhere = ", ".join(f"{name}: {tmp_path / 'python'}" for name in ("base", "generate", "text", "train"))
    done = copy.run("-n", "--config", f"python={{{elsewhere}}}", "--", *ALL)
    assert set(planned(done.stdout)) == {"write_report"}  # the page shows the configuration
    launched = {"training": {"launcher": {"config": "one_gpu", "processes": 1}}}
    limits = {"max_invalid_share": 0.9, "max_unreadable_share": 0.9}
    changes = {"warmup": launched, "enhancement": launched, "contamination": {"near_share": 0.9}}
    copy.write_task("micro", changes | {"responses": limits, "references": limits}, base="micro")
    jobs = planned(copy.run("-n", *ALL).stdout)
    assert jobs["check_contamination"] == 1  # the gates check again, and evaluations name the configuration
    assert not {
        name for name in jobs if name.startswith(("train_", "sample_", "answer_", "select_", "label_", "build_"))
    }
    assert planned(copy.run("-n", "results/micro/resource_usage.md").stdout) == {"write_resource_usage": 1}


@pytest.mark.parametrize(
    ("cut", "reader"),
    [
        ("iter1/samples.jsonl", "iter1/instructions.jsonl"),
        ("iter1/responses.jsonl", "iter1/labels.jsonl"),
        ("iter1/references.jsonl", "iter1/labels.jsonl"),
        ("iter1/labels.jsonl", "iter1/eval.json"),
        ("enhanced/seeds/responses.jsonl", "enhanced/seeds/labels.jsonl"),
        ("enhanced/seeds/labels.jsonl", "enhanced/seeds/eval.json"),
        ("enhanced/seeds/train.jsonl", "contamination.json"),
    ],
)
def test_no_rate_is_taken_over_the_rest_of_a_truncated_file(
    finished: Workflow, tmp_path: Path, cut: str, reader: str
) -> None:
    copy = copied(finished, tmp_path / "run")
    path = copy.folder / "results/micro" / cut
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[7:]))
    done = copy.run(f"results/micro/{reader}")
    assert done.returncode == 1
    assert re.search(rf"error: .*{cut}.* or edited", done.stdout)


@pytest.mark.slow
def test_shards_gather_to_the_same_bytes_after_one_of_them_was_killed(finished: Workflow, tmp_path: Path) -> None:
    copy = copied(finished, tmp_path / "run")
    copy.write_task("micro", {"shards": 3}, base="micro")
    folder, undisturbed = copy.folder / "results/micro/iter0", finished.folder / "results/micro/iter0"
    written = [f"{name}.jsonl" for name in ("samples", "responses", "references", "labels")]
    for name in written:
        (folder / name).unlink()
    process = copy.start("results/micro/iter0/labels.jsonl")
    log = copy.folder / "results/micro/logs/iter0/sample_instructions.2-of-3.log"
    while process.poll() is None and not log.exists():
        time.sleep(0.01)
    assert process.poll() is None, (copy.folder / "out").read_text()
    kill_tree(process)
    assert copy.run("--unlock", "results/micro/iter0/labels.jsonl").returncode == 0
    done = copy.run("--rerun-incomplete", "results/micro/iter0/labels.jsonl")
    assert done.returncode == 0, done.stdout
    for name in written:
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes()
        shards = [folder / name.replace(".jsonl", f".{number}-of-3.jsonl") for number in (1, 2, 3)]
        assert all(shard.stat().st_size for shard in shards)


STAGES = (
    "iter0/train_warmup",
    "iter0/sample_instructions",
    "iter0/answer_instructions",
    "iter0/label_responses",
    "iter1/train_proposer",
    "enhanced/select_enhancement",
    "enhanced/seeds/train_target",
    "original/answer_tests",
)


@pytest.mark.slow
@pytest.mark.models
def test_a_run_that_is_killed_in_any_stage_and_started_again_ends_in_the_same_bytes(
    finished: Workflow, tiny_model: Path, tmp_path: Path
) -> None:
    """Also shows that the same seed gives the same bytes twice: the two runs share only the tiny model."""
    workflow = with_tiny_model(tmp_path / "run", tiny_model)
    targets = [
        f"results/micro/{path}" for path in ("iter1/eval.json", "enhanced/seeds/eval.json", "original/eval.json")
    ]
    killed = []
    for stage in STAGES:
        log = workflow.folder / f"results/micro/logs/{stage}.log"
        process = workflow.start("--rerun-incomplete", "--nolock", *targets)  # --unlock is tried with shards above
        while process.poll() is None and not log.exists():
            time.sleep(0.01)
        time.sleep(0.2 if "train" in stage else 0.05)
        if process.poll() is None:
            killed.append(stage)
        kill_tree(process)
    assert len(killed) >= len(STAGES) - 1, killed
    done = workflow.run("--rerun-incomplete", "--nolock", *targets)
    assert done.returncode == 0, done.stdout
    again, undisturbed = workflow.hashes(), finished.hashes()
    assert {path.rpartition("/")[2] for path in again} >= {"samples.jsonl", "labels.jsonl", "pairs.jsonl", "eval.json"}
    assert again == {path: undisturbed[path] for path in again}


@pytest.mark.models
def test_a_plan_shows_beside_its_estimates_what_a_run_used(finished: Workflow, tmp_path: Path) -> None:
    copy = Workflow(tmp_path / "run")
    shutil.copytree(finished.folder, copy.folder)
    done = copy.run("results/micro/plan.md")
    assert done.returncode == 0, done.stdout
    assert planned(done.stdout) == {"write_plan": 1}
    rows = rows_of((copy.folder / "results/micro/plan.md").read_text(), 2)
    folder = copy.folder / "results/micro/iter1"
    samples, responses = ([json.loads(x) for x in (folder / f"{n}.jsonl").open()] for n in ("samples", "responses"))
    assert len({row["instruction_id"] for row in responses}) == len(responses)
    wrote = rows["sample_instructions", "iter1"]
    assert wrote["prompts"] == "80 (80)"
    assert wrote["tokens written"] == f"{80 * 5 * 28:,} ({sum(row['tokens'] for row in samples):,})"
    answered = rows["answer_instructions", "iter1"]
    assert answered["prompts"] == f"400 ({len(responses)})"
    assert rows["all", ""]["jobs"] == "20 (20)"

    # a budget decides no result: a new one reruns the page alone, which shows what the plan shows
    copy.write_task("micro", {**MICRO, "budget": {"tokens": 1}})
    done = copy.run("-n", *ALL)
    assert done.returncode == 0, done.stdout
    assert planned(done.stdout) == {"write_report": 1}


@pytest.mark.models
def test_a_checkout_that_changes_only_times_reruns_nothing(finished: Workflow) -> None:
    for script in (REPOSITORY / "scripts").glob("*.py"):
        script.touch()
    done = finished.run("-n", *ALL)
    assert "Nothing to be done" in done.stdout


@pytest.mark.models
def test_the_contamination_gate_stops_the_run_and_names_the_place(finished: Workflow, tmp_path: Path) -> None:
    folder = finished.folder / "results/micro"
    log = (folder / "logs/contamination/enhanced.log").read_text()
    words = shlex.split(next(line.split("by hand: ")[1] for line in log.splitlines() if "by hand" in line))[1:]
    question = json.loads((folder / "tests/test.jsonl").read_text().splitlines()[0])["text"]
    (tmp_path / "warmup").mkdir()
    overlapping = read_records(folder / "enhanced/warmup/train.jsonl", TrainingRow)
    overlapping[3] = overlapping[3].model_copy(update={"prompt": [Message(role="user", content=question)]})
    write_records(tmp_path / "warmup/train.jsonl", overlapping)
    replaced = {"results/micro/enhanced/warmup/train.jsonl": str(tmp_path / "warmup/train.jsonl")}
    words = [replaced.get(word, word) for word in words]
    words = [
        f"--contamination={tmp_path}/contamination.json" if word.startswith("--contamination=") else word
        for word in words
    ]
    done = subprocess.run([sys.executable, *words], cwd=finished.folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert "'warmup with test': 1" in done.stderr
    assert not (tmp_path / "contamination.json").exists()


@pytest.mark.models
def test_a_filled_in_audit_reaches_evaluation_and_page_and_is_not_overwritten(
    finished: Workflow, tmp_path: Path
) -> None:
    copy = Workflow(tmp_path / "run")
    shutil.copytree(finished.folder, copy.folder)
    path = copy.folder / "results/micro/iter1/audit.csv"
    rows = read_audit(path)
    assert 20 < len(rows) <= 50
    assert {row["verdict"] for row in rows} >= {"failed", "passed"}
    filled = [{**row, "person": row["verdict"]} for row in rows[:10]] + [
        {**row, "person": "failed"} for row in rows[10:12]
    ]
    with path.open("w", newline="") as file:  # as a spreadsheet saves it
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows([*filled, *rows[12:]])
    agree = sum(row["verdict"] == row["person"] for row in filled)
    evals, page = "results/micro/iter1/eval.json", "results/micro/report.html"
    done = copy.run(evals, page)
    assert done.returncode == 0, done.stdout
    metrics = evaluation(copy, "iter1/eval.json").metrics
    assert (metrics["audit_agreement"].count, metrics["audit_agreement"].total) == (agree, 12)
    assert metrics["audit_kappa"].value is not None
    for table, file in zip(audit_tables((copy.folder / page).read_text()), ("iter0", "iter1"), strict=True):
        written = read_audit(copy.folder / f"results/micro/{file}/audit.csv")
        shown = [(line["id"], line["verdict"], line["person"]) for line in table]
        assert shown == [(row["instruction_id"], row["verdict"], row["person"]) for row in written]
    done = copy.run(evals, "--forcerun", "write_audit")
    assert done.returncode == 0, done.stdout
    assert sum(bool(row["person"]) for row in read_audit(path)) == 12
    assert evaluation(copy, "iter1/eval.json").metrics["audit_agreement"].count == agree


@pytest.mark.models
def test_the_table_shows_the_checks_of_the_run(finished: Workflow) -> None:
    text = joined((finished.folder / "results/micro/table.md").read_text())
    assert (
        "- Contamination: 0 exact overlaps of training rows with tests and held-out seeds; largest share of near"
        in text
    )
    assert "- Audit: no person has checked a verdict yet" in text
    log = (finished.folder / "results/micro/logs/write_table.log").read_text()
    gates = ("contamination/warmup.json", "contamination/iter0.json", "contamination.json")
    assert f"--gates {' '.join(f'results/micro/{gate}' for gate in gates)} " in log


@pytest.mark.models
def test_a_typo_in_a_file_of_a_person_stops_the_run_before_any_output_is_removed(
    finished: Workflow, tmp_path: Path
) -> None:
    copy = Workflow(tmp_path / "run")
    shutil.copytree(finished.folder, copy.folder)
    evals = "results/micro/iter1/eval.json"
    audit = copy.folder / "results/micro/iter1/audit.csv"
    rows = read_audit(audit)
    write_audit(audit, [{**rows[0], "person": "faild"}, *rows[1:]])
    before = copy.hashes()
    done = copy.run(evals)
    assert done.returncode == 1
    assert errors(done.stdout) == [
        "error: results/micro/iter1/audit.csv, line 2: person: the cell is not one of failed, passed, invalid; give one of "
        "them, or nothing"
    ]
    assert copy.hashes() == before
    assert "micro/iter1/eval.json" in before
    write_audit(audit, [{**rows[0], "person": "failed"}, *rows[1:]])  # the folder is not locked
    done = copy.run(evals)
    assert done.returncode == 0, done.stdout
    assert evaluation(copy, "iter1/eval.json").metrics["audit_agreement"].total == 1


@pytest.mark.models
def test_the_untrained_proposer_and_the_transfer_are_measured_like_others(finished: Workflow) -> None:
    untrained = evaluation(finished, "untrained/eval.json")
    assert (untrained.arm, untrained.variant, untrained.iteration) == ("untrained", None, None)
    assert untrained.metrics["validity"].total == evaluation(finished, "iter1/eval.json").metrics["validity"].total
    transfer = evaluation(finished, "transfer/tiny-arithmetic/eval.json").metrics
    failures = evaluation(finished, "iter1/eval.json").metrics
    # the same model fails again at the instructions that it failed at
    assert transfer["failure_rate"].value == 1.0
    assert transfer["failure_rate"].total == round(float(failures["yield"].value or 0) / 10)
