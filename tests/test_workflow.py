"""The rules, run by Snakemake: plans, refusals, one whole loop, and the same bytes after SIGKILL."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

import psutil
import pytest
from conftest import MICRO, REPOSITORY, Workflow, new_workflow
from endpoint_server import KEY, EndpointServer

from reversegen.audit import COLUMNS, read_audit
from reversegen.calls import calls_folder, read_usage
from reversegen.errors import BadInput
from reversegen.evaluation import Evaluation
from reversegen.kinds import math
from reversegen.model_folder import check_folder, prune, weights_identity
from reversegen.records import (
    Instruction,
    Label,
    Message,
    Pair,
    Response,
    Sample,
    TrainingRow,
    read_records,
    write_records,
)

SOURCES = ("reversegen", "warmup", "warmup_failures", "seeds")


def planned(output: str) -> dict[str, int]:
    """The table of jobs that a dry run prints first."""
    table = output.split("Job stats:")[1].split("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


NOWHERE = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "", "OPENAI_API_KEY": "", "CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("safety", {"fetch_model": 4, "fetch_data": 3, "fetch_file": 2, "judge_responses": 4, "check_judge": 1}),
        ("honesty", {"fetch_model": 3, "fetch_data": 1, "write_references": 4, "label_seeds": 1}),
    ],
)
def test_dry_run_plans_each_kind_without_network(workflow: Workflow, task: str, expected: dict[str, int]) -> None:
    done = workflow.run("-n", f"results/{task}/iter3/eval.json", **NOWHERE)
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert {name: jobs.get(name) for name in expected} == expected
    assert jobs["train_proposer"] == jobs["check_pairs"] == 3
    assert jobs["embed_instructions"] == jobs["collect_instructions"] == 4
    assert jobs["embed_seeds"] == 1
    whole = planned(workflow.run("-n", f"results/{task}/table.md", **NOWHERE).stdout)
    assert whole["train_target"] == 4
    assert (whole.get("judge_references", 0) == 5) == (task == "safety")
    assert (whole.get("measure_confidence", 0) == 5) == (task == "honesty")


def test_dry_run_plans_the_papers_models_without_network_gpu_key_or_file(workflow: Workflow) -> None:
    done = workflow.run("-n", "results/math/iter3/eval.json", **NOWHERE)
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert jobs["fetch_model"] == 4
    assert jobs["fetch_data"] == 5
    assert jobs["train_proposer"] == jobs["build_pairs"] == 3
    assert jobs["sample_instructions"] == jobs["label_responses"] == 4
    assert not (workflow.folder / "resources").exists()


def test_proposers_that_a_task_does_not_keep_are_pruned_once_the_next_is_trained(workflow: Workflow) -> None:
    for keep, pruned in {"[0, last]": {1, 2, 3}, "[0, 2, last]": {1, 3}, "null": set()}.items():
        text = f"extends: tiny-math\niterations: 4\nkeep: {keep}\n"
        (workflow.folder / "config/tasks/pruned.yaml").write_text(text)
        done = workflow.run("-n", "results/pruned/iter4/eval.json")
        assert done.returncode == 0, done.stdout
        assert set(map(int, re.findall(r"output: results/pruned/iter(\d)/pruned.json", done.stdout))) == pruned
        for k in pruned:
            [files] = re.findall(rf"input: (.*)\n +output: results/pruned/iter{k}/pruned.json", done.stdout)
            last_of_all = f"results/pruned/iter{k + 1}/proposer"
            assert files.split(", ") == [f"results/pruned/iter{k}/{f}" for f in ("proposer", "samples.jsonl")] + [
                last_of_all
            ]


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


def test_a_pruned_proposer_is_not_made_again_and_says_how_to_get_it_back(tiny_model: Path, tmp_path: Path) -> None:
    snakefile = PRUNED.replace("{MODEL}", str(tiny_model / "tiny-arithmetic"))
    (tmp_path / "Snakefile").write_text(snakefile)
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    proposer = tmp_path / "proposer"
    before, manifest = weights_identity(proposer), (proposer / "manifest.json").read_bytes()
    size = (proposer / "model.safetensors").stat().st_size
    for _ in range(2):  # again, as after a kill
        assert prune(proposer) == {"model.safetensors": size}
    assert not list(proposer.glob("*.safetensors"))
    assert (weights_identity(proposer), (proposer / "manifest.json").read_bytes()) == (before, manifest)
    with pytest.raises(
        BadInput, match="proposer: its weights were removed, as the task's `keep` says; delete the folder"
    ):
        check_folder(proposer)
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "Nothing to be done" in done.stderr
    shutil.rmtree(proposer)
    (tmp_path / "used").unlink()
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    check_folder(proposer)


def test_light_stages_of_an_iteration_are_one_job_of_a_cluster(workflow: Workflow) -> None:
    """Shards are jobs of their own; what gathers their labels is in the job that reads these first."""
    workflow.write_task("cut", {"shards": 2})
    labelled = {"tiny-math": "label_responses", "cut": "gather_shards"}
    done = workflow.run(
        "-n", *(f"results/{task}/iter1/{file}" for task in labelled for file in ("eval.json", "pairs.jsonl"))
    )
    assert done.returncode == 0, done.stdout
    groups: dict[str, set[str]] = {}
    for text in re.split(r"^\[.*\] (?=Group job)", done.stdout, flags=re.MULTILINE)[1:]:
        rules = re.findall(r"^    rule (\w+):", text, re.MULTILINE)
        groups.setdefault(text.split()[2], set()).update(rules)
    for task, label in labelled.items():
        assert groups[f"{task}.iter1"] == {label, "write_audit", "evaluate_proposer", "build_pairs"}
        assert groups[f"{task}.iter0"] == {label, "build_pairs", "check_pairs"}
    heavy = {"train_warmup", "train_proposer", "sample_instructions", "answer_instructions", "write_references"}
    assert not heavy & set().union(*groups.values())


def test_dry_run_plans_the_whole_of_a_task(workflow: Workflow) -> None:
    done = workflow.run("-n", "results/tiny-math/report.html", "results/tiny-math/table.md")
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert jobs["train_target"] == len(SOURCES)
    assert jobs["evaluate_target"] == len(SOURCES) + 1
    assert jobs["evaluate_proposer"] == 5
    assert jobs["train_model"] == 1
    assert not [name for name in jobs if name.startswith("embed_")]  # nor a package of embeddings


def test_masked_texts_are_written_only_where_a_task_of_a_harmful_kind_asks(workflow: Workflow) -> None:
    workflow.write_task("clear", {"report": {"include_text": True}}, base="tiny-safety")
    workflow.write_task("sums", {"report": {"include_text": True}})
    for task, expected in (("tiny-safety", None), ("clear", 1), ("sums", None)):
        jobs = planned(workflow.run("-n", f"results/{task}/report.html").stdout)
        assert jobs["write_atlas"] == jobs["write_report"] == 1
        assert jobs.get("write_texts") == expected


def test_the_page_of_several_random_seeds_has_the_atlas_of_the_first(workflow: Workflow) -> None:
    done = workflow.run("-n", "results/tiny-math/report.html", "--config", "random_seeds=[2,1]")
    assert done.returncode == 0, done.stdout
    assert "results/tiny-math.s2/atlas.jsonl" in done.stdout
    assert planned(done.stdout)["write_atlas"] == 1


def test_an_ablation_that_reuses_plans_only_what_differs(workflow: Workflow) -> None:
    tasks = workflow.folder / "config/tasks"
    (tasks / "fixed.yaml").write_text(
        "extends: tiny-math\nreuse: [seeds, warmup, iter0, target]\npreference: {reference: warmup}\n"
    )
    done = workflow.run("-n", "results/fixed.s1/table.md")
    assert done.returncode == 0, done.stdout
    made = set(re.findall(r"^    output: (.*)$", done.stdout, re.MULTILINE))
    files = {file.strip() for line in made for file in line.split(",")}
    assert "results/tiny-math.s1/iter0/proposer" in files
    assert "results/fixed.s1/iter1/proposer" in files
    assert not [file for file in files if re.match(r"results/fixed.s1/(seeds|tests|warmup|iter0/[^p]|target)", file)]
    (tasks / "fixed.yaml").write_text("extends: tiny-math\nreuse: [iter0]\nwarmup: {rows: 5}\n")
    done = workflow.run("-n", "results/fixed/table.md")
    assert done.returncode == 1
    assert "config/tasks/fixed.yaml: reuse: iter0 depends on warmup, which is not that of tiny-math" in done.stdout


def test_failures_are_asked_of_another_model_where_the_task_says_so(workflow: Workflow) -> None:
    workflow.write_task("asks", {"transfer": ["gpt-4o-mini"]})
    done = workflow.run("-n", "results/asks/transfer/gpt-4o-mini/eval.json", **NOWHERE)
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert jobs["answer_transfer"] == jobs["label_transfer"] == jobs["evaluate_transfer"] == 1
    assert "train_target" not in jobs


def test_a_table_pools_the_random_seeds_that_the_command_line_gives(workflow: Workflow) -> None:
    done = workflow.run("-n", "results/tiny-math/table.md", "--config", "random_seeds=[0,2]")
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert jobs["train_target"] == 2 * len(SOURCES)
    assert jobs["train_model"] == 1
    assert "results/tiny-math.s2/iter3/eval.json" in done.stdout


def test_a_task_is_cut_into_as_many_shards_as_it_says_and_one_shard_adds_no_job(workflow: Workflow) -> None:
    target = "results/{}/target/labels.jsonl", "results/{}/iter0/labels.jsonl"
    plans = {}
    for name, count in (("whole", 1), ("cut", 8)):
        workflow.write_task(name, {"shards": count})
        plans[name] = planned(workflow.run("-n", *(path.format(f"{name}.s1") for path in target)).stdout)
    stages = {"sample_instructions", "answer_instructions", "write_references", "label_responses"}
    stages |= {"answer_tests", "label_tests"}
    assert plans["cut"] == plans["whole"] | dict.fromkeys(stages, 8) | {"gather_shards": len(stages)}


def test_reference_of_dpo_is_the_previous_proposer_or_proposer_zero(workflow: Workflow) -> None:
    workflow.write_task("fixed", {"preference": {"reference": "warmup"}})
    inputs = {}
    for task in ("tiny-math", "fixed"):
        done = workflow.run("-n", "-p", f"results/{task}/iter3/proposer")
        command = next(line for line in done.stdout.splitlines() if "--pairs results" in line and "iter2/pairs" in line)
        inputs[task] = re.search(r"--reference (\S+)", command)[1]  # type: ignore[index]
    assert inputs == {"tiny-math": "results/tiny-math/iter2/proposer", "fixed": "results/fixed/iter0/proposer"}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("results/tiny-math/iter03/eval.json", "No rule to produce results/tiny-math/iter03/eval.json"),
        (
            "results/nonesuch/iter3/eval.json",
            "unknown task 'nonesuch': config/tasks/ has honesty, math, math-fixed-reference,",
        ),
        ("results/tiny-math/tests/nonesuch.jsonl", "no test set 'nonesuch'; it has test, pretraining"),
        ("results/models/nonesuch", "No rule to produce results/models/nonesuch"),
    ],
)
def test_an_unknown_target_is_refused_by_name(workflow: Workflow, target: str, message: str) -> None:
    done = workflow.run("-n", target)
    assert done.returncode == 1
    assert message in done.stdout


def test_a_misspelt_key_stops_before_the_plan(workflow: Workflow) -> None:
    workflow.write_task("typo", {"sampling": {"temprature": 1.0}})
    done = workflow.run("-n", "results/tiny-math/iter0/eval.json")
    assert done.returncode == 1
    assert "config/tasks/typo.yaml: sampling.temprature: Extra inputs are not permitted" in done.stdout


def test_a_malformed_data_file_is_named_with_line_and_field(workflow: Workflow) -> None:
    rows = ['{"question": "What is 1 + 1?", "answer": "#### 2"}', '{"question": "What is 2 + 2?"}']
    (workflow.folder / "mine.jsonl").write_text("\n".join(rows))
    workflow.write_task("mine", {"data": {"seeds": {"mine": {"file": "mine.jsonl", "licence": "mine"}}}})
    done = workflow.run("results/mine/seeds.jsonl")
    assert done.returncode == 1
    assert "clean_seeds: error: mine.jsonl, line 2: answer: missing" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_folder_that_is_no_model_is_named_when_its_job_starts(workflow: Workflow) -> None:
    (workflow.folder / "empty").mkdir()
    workflow.change_models({"mine": {"folder": "empty", "size": "tiny"}})
    workflow.write_task("mine", {"target": "mine"})
    done = workflow.run("results/mine/target/responses.jsonl")
    assert done.returncode == 1
    assert "answer_tests: error: empty: not a model folder: it has no config.json" in done.stdout


def test_an_endpoint_without_its_key_fails_when_its_job_starts_and_not_in_a_dry_run(workflow: Workflow) -> None:
    endpoint = {"base_url": "https://api.example.org/v1", "model": "m", "api_key_env": "REVERSEGEN_TEST_KEY"}
    workflow.change_models({"api": {"endpoint": endpoint, "size": "tiny"}})
    workflow.write_task("api", {"labeller": "api"})
    target = "results/api/enhanced/seed_references.jsonl"
    assert workflow.run("-n", target).returncode == 0
    done = workflow.run(target)
    assert done.returncode == 1
    assert "the environment variable REVERSEGEN_TEST_KEY holds no key" in done.stdout


def test_how_hard_an_endpoint_is_asked_reruns_nothing_and_what_it_is_asked_for_does(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", KEY)
    target = "results/api/probe/responses.jsonl"
    with EndpointServer().running() as server:
        endpoint = {"base_url": server.url, "model": "m", "api_key_env": "REVERSEGEN_TEST_KEY"}
        workflow.change_models({"api": {"endpoint": endpoint, "size": "tiny", "limits": {"concurrency": 4}}})
        workflow.write_task("api", {"target": "api", "data": {"seeds": {"arithmetic": {"corpus": {"count": 200}}}}})
        done = workflow.run(target)
        assert done.returncode == 0, done.stdout
    folder = workflow.folder / target
    assert read_usage(calls_folder(folder)).answered == len(read_records(folder, Response)) == len(server.asked) > 10
    assert server.most_at_once <= 4
    workflow.change_models({"api": {"limits": {"concurrency": 8, "mode": "batch"}}})
    assert "Nothing to be done" in workflow.run("-n", target).stdout
    workflow.change_models({"api": {"endpoint": {"model": "another"}}})
    assert planned(workflow.run("-n", target).stdout) == {"answer_seeds": 1}


def test_a_model_without_a_locked_commit_is_not_fetched(workflow: Workflow) -> None:
    done = workflow.run("resources/downloads/models/llama3-8b")
    assert done.returncode == 1
    assert "config/lock.yaml: meta-llama/Meta-Llama-3-8B: no commit to fetch" in done.stdout


ALL = (
    "results/micro/table.md",
    "results/micro/table.csv",
    "results/micro/report.html",
    "results/micro/transfer/tiny-arithmetic/eval.json",
)


def with_tiny_model(folder: Path, tiny_model: Path) -> Workflow:
    """A new workflow whose tiny model stands already."""
    workflow = new_workflow(folder)
    shutil.copytree(tiny_model, folder / "results/models")
    return workflow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Workflow:
    """One undisturbed run of the task `micro`, from seeds to report."""
    workflow = with_tiny_model(tmp_path_factory.mktemp("finished") / "run", tiny_model)
    done = workflow.run(*ALL, "results/micro/leaks.json")
    assert done.returncode == 0, done.stdout
    return workflow


def evaluation(workflow: Workflow, path: str) -> Evaluation:
    return Evaluation.model_validate_json((workflow.folder / "results/micro" / path).read_text())


@pytest.mark.slow
def test_failure_rate_is_what_a_count_over_the_files_gives(finished: Workflow) -> None:
    folder = finished.folder / "results/micro/iter1"
    verdict = {row.instruction_id: row.verdict for row in read_records(folder / "labels.jsonl", Label)}
    said = {s: i.id for i in read_records(folder / "instructions.jsonl", Instruction) for s in i.samples}
    samples = [s for s in read_records(folder / "samples.jsonl", Sample) if s.split == "heldout"]
    counts = Counter(verdict.get(said[s.id], "invalid") for s in samples)
    metrics = evaluation(finished, "iter1/eval.json").metrics
    assert metrics["failure_rate"].count == counts["failed"]
    assert metrics["failure_rate"].total == counts["failed"] + counts["passed"]
    assert metrics["validity"].total == len(samples) == 20 * 5
    assert metrics["validity"].count == counts["failed"] + counts["passed"]


@pytest.mark.slow
def test_chosen_failed_and_rejected_passed(finished: Workflow) -> None:
    folder = finished.folder / "results/micro/iter0"
    verdict = {row.instruction_id: row.verdict for row in read_records(folder / "labels.jsonl", Label)}
    pairs = read_records(folder / "pairs.jsonl", Pair)
    assert pairs
    assert {verdict[pair.chosen_id] for pair in pairs} == {"failed"}
    assert {verdict[pair.rejected_id] for pair in pairs} == {"passed"}
    origin = evaluation(finished, "iter1/eval.json").provenance["pairs"]
    assert origin["pairs"] == len(pairs)


@pytest.mark.slow
def test_sources_have_equal_rows_and_no_test_question(finished: Workflow) -> None:
    folder = finished.folder / "results/micro"
    rows = {name: read_records(folder / f"enhanced/{name}/train.jsonl", TrainingRow) for name in SOURCES}
    origins = {name: Counter(row.origin for row in of_source) for name, of_source in rows.items()}
    assert {counts[name] for name, counts in origins.items()} == {30}
    assert {counts["replay"] for counts in origins.values()} == {20}
    asked = set()
    for test in ("test", "pretraining"):
        for line in (folder / f"tests/{test}.jsonl").read_text().splitlines():
            asked.add(math.canonical(json.loads(line)["text"]))
    taught = {math.canonical(row.prompt[0].content) for of in rows.values() for row in of}  # type: ignore[union-attr]
    assert asked
    assert not asked & taught
    leaks = json.loads((folder / "leaks.json").read_text())["exact"]
    assert {n for counts in leaks.values() for n in counts.values()} == {0}


@pytest.mark.slow
def test_every_job_has_a_log_with_the_command_that_repeats_it(finished: Workflow) -> None:
    logs = list((finished.folder / "results/micro/logs").rglob("*.log"))
    assert len(logs) > 30
    for log in logs:
        assert " by hand: python " in log.read_text(), log
    command = next(
        line.split("by hand: ")[1]
        for line in (finished.folder / "results/micro/logs/clean_seeds.log").read_text().splitlines()
        if "by hand" in line
    )
    seeds = finished.folder / "results/micro/seeds.jsonl"
    before = seeds.read_bytes()
    seeds.unlink()
    python, *words = shlex.split(command)
    assert python == "python"
    subprocess.run([sys.executable, *words], cwd=finished.folder, check=True, capture_output=True)
    assert seeds.read_bytes() == before


def made(workflow: Workflow) -> dict[str, str]:
    """SHA-256 of all that is made but logs, benchmarks and the cache of vectors, whose files depend on what was killed."""
    folder = workflow.folder / "results"
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"logs", "benchmarks"} & set(path.parts) and path.parent.suffix != ".embeddings"
    }


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL Snakemake and everything that it started."""
    children = psutil.Process(process.pid).children(recursive=True)
    for one in [psutil.Process(process.pid), *children]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()
    psutil.wait_procs(children, timeout=10)


def test_shards_of_a_stage_one_of_them_killed_gather_to_the_same_bytes(finished: Workflow, tmp_path: Path) -> None:
    copy = Workflow(tmp_path / "run")
    shutil.copytree(finished.folder, copy.folder)
    copy.write_task("micro", {"shards": 3}, base="micro")
    folder, undisturbed = copy.folder / "results/micro/iter0", finished.folder / "results/micro/iter0"
    written = [f"{name}.jsonl" for name in ("samples", "responses", "references", "labels")]
    for name in written:
        (folder / name).unlink()
    with (copy.folder / "out").open("w") as out:
        command = copy.command("results/micro/iter0/labels.jsonl")
        process = subprocess.Popen(command, cwd=copy.folder, stdout=out, stderr=out)
        log = copy.folder / "results/micro/logs/iter0/sample_instructions.2-of-3.log"
        while process.poll() is None and not log.exists():
            time.sleep(0.02)
        assert process.poll() is None
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
    "target/answer_tests",
)


@pytest.mark.slow
def test_killed_in_any_stage_and_started_again_ends_in_the_same_bytes(
    finished: Workflow, tiny_model: Path, tmp_path: Path
) -> None:
    """Also shows that the same seed gives the same bytes twice: the two runs share only the tiny model."""
    workflow = with_tiny_model(tmp_path / "run", tiny_model)
    targets = [f"results/micro/{path}" for path in ("iter1/eval.json", "enhanced/seeds/eval.json", "target/eval.json")]
    command = workflow.command("--rerun-incomplete", "--nolock", *targets)  # --unlock is tried with shards above
    killed = []
    for stage in STAGES:
        log = workflow.folder / f"results/micro/logs/{stage}.log"
        with (workflow.folder / "out").open("w") as out:
            process = subprocess.Popen(command, cwd=workflow.folder, stdout=out, stderr=out)
            while process.poll() is None and not log.exists():
                time.sleep(0.02)
            time.sleep(0.2 if "train" in stage else 0.05)
            if process.poll() is None:
                killed.append(stage)
            kill_tree(process)
    assert len(killed) >= len(STAGES) - 1, killed
    done = workflow.run("--rerun-incomplete", "--nolock", *targets)
    assert done.returncode == 0, done.stdout
    again, undisturbed = made(workflow), made(finished)
    assert {path.rpartition("/")[2] for path in again} >= {"samples.jsonl", "labels.jsonl", "pairs.jsonl", "eval.json"}
    assert again == {path: undisturbed[path] for path in again}


RULE_FILES = sorted(set((REPOSITORY / "rules").glob("*.smk")) - {REPOSITORY / "rules/common.smk"})


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_every_rule_says_what_it_needs(path: Path) -> None:
    rules = re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), re.MULTILINE)
    assert rules
    for name, body in rules:
        directives = set(re.findall(r"^    (\w+):", body, re.MULTILINE))
        assert directives >= {"log", "benchmark", "conda", "threads", "resources", "params"}, name
        assert "output" in directives or name == "pin_revisions", (
            name
        )  # the user's own file, which Snakemake would remove
        assert len(directives & {"script", "shell"}) == 1, name
        assert f"scripts/{name}.py" in body or re.search(rf'stage\("(\w+", ")?{name}"', body), name
        assert f'code("{name}")' in body, name


@pytest.mark.slow
def test_a_plan_stands_beside_what_a_run_used(finished: Workflow, tmp_path: Path) -> None:
    copy = Workflow(tmp_path / "run")
    shutil.copytree(finished.folder, copy.folder)
    done = copy.run("results/micro/plan.md")
    assert done.returncode == 0, done.stdout
    assert planned(done.stdout) == {"write_plan": 1}
    lines = [line.split(" | ") for line in (copy.folder / "results/micro/plan.md").read_text().splitlines()]
    rows = {(cells[0], cells[1]): cells for cells in lines if len(cells) > 5}
    folder = copy.folder / "results/micro/iter1"
    samples, responses = ([json.loads(x) for x in (folder / f"{n}.jsonl").open()] for n in ("samples", "responses"))
    assert len({row["instruction_id"] for row in responses}) == len(responses)
    wrote = rows["| sample_instructions", "iter1"]
    assert wrote[4] == "80 (80)"
    assert wrote[6] == f"{80 * 5 * 28:,} ({sum(row['tokens'] for row in samples):,})"
    answered = rows["| answer_instructions", "iter1"]
    assert answered[4] == f"400 ({len(responses)})"
    assert rows["| all", ""][3].split() == ["20", "(20)"]

    # a budget decides no result: giving one makes nothing again but the page, which tells what the plan tells
    copy.write_task("micro", {**MICRO, "budget": {"tokens": 1}})
    done = copy.run("-n", *ALL)
    assert done.returncode == 0, done.stdout
    assert planned(done.stdout) == {"write_report": 1}


@pytest.mark.slow
def test_a_checkout_that_changes_only_times_reruns_nothing(finished: Workflow) -> None:
    for script in (REPOSITORY / "scripts").glob("*.py"):
        script.touch()
    done = finished.run("-n", *ALL)
    assert "Nothing to be done" in done.stdout


@pytest.mark.slow
def test_the_leak_gate_stops_the_run_and_says_where(finished: Workflow, tmp_path: Path) -> None:
    folder = finished.folder / "results/micro"
    log = (folder / "logs/leaks/enhanced.log").read_text()
    words = shlex.split(next(line.split("by hand: ")[1] for line in log.splitlines() if "by hand" in line))[1:]
    question = json.loads((folder / "tests/test.jsonl").read_text().splitlines()[0])["text"]
    (tmp_path / "warmup").mkdir()
    leaking = read_records(folder / "enhanced/warmup/train.jsonl", TrainingRow)
    leaking[3] = leaking[3].model_copy(update={"prompt": [Message(role="user", content=question)]})
    write_records(tmp_path / "warmup/train.jsonl", leaking)
    replaced = {"results/micro/enhanced/warmup/train.jsonl": str(tmp_path / "warmup/train.jsonl")}
    words = [replaced.get(word, word) for word in words]
    words = [f"--leaks={tmp_path}/leaks.json" if word.startswith("--leaks=") else word for word in words]
    done = subprocess.run([sys.executable, *words], cwd=finished.folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert "'warmup with test': 1" in done.stderr
    assert not (tmp_path / "leaks.json").exists()


@pytest.mark.slow
def test_a_filled_in_audit_reaches_the_evaluation_and_is_not_overwritten(finished: Workflow, tmp_path: Path) -> None:
    copy = Workflow(tmp_path / "run")
    shutil.copytree(finished.folder, copy.folder)
    path = copy.folder / "results/micro/iter1/audit.csv"
    rows = read_audit(path)
    assert 20 < len(rows) <= 50
    assert {row["verdict"] for row in rows} == {"failed", "passed", "invalid"}
    filled = [{**row, "person": row["verdict"]} for row in rows[:10]] + [
        {**row, "person": "failed"} for row in rows[10:12]
    ]
    with path.open("w", newline="") as file:  # as a spreadsheet saves it
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows([*filled, *rows[12:]])
    agree = sum(row["verdict"] == row["person"] for row in filled)
    evals = "results/micro/iter1/eval.json"
    done = copy.run(evals)
    assert done.returncode == 0, done.stdout
    metrics = evaluation(copy, "iter1/eval.json").metrics
    assert (metrics["audit_agreement"].count, metrics["audit_agreement"].total) == (agree, 12)
    assert metrics["audit_kappa"].value is not None
    done = copy.run(evals, "--forcerun", "write_audit")
    assert done.returncode == 0, done.stdout
    assert sum(bool(row["person"]) for row in read_audit(path)) == 12
    assert evaluation(copy, "iter1/eval.json").metrics["audit_agreement"].count == agree


@pytest.mark.slow
def test_the_untrained_proposer_and_the_transfer_are_measured_like_others(finished: Workflow) -> None:
    baseline = evaluation(finished, "baseline/eval.json")
    assert (baseline.iteration, baseline.source) == (None, "baseline")
    assert baseline.metrics["validity"].total == evaluation(finished, "iter1/eval.json").metrics["validity"].total
    transfer = evaluation(finished, "transfer/tiny-arithmetic/eval.json").metrics
    failures = evaluation(finished, "iter1/eval.json").metrics
    # the same model, asked again what it failed on, fails again
    assert transfer["failure_rate"].value == 1.0
    assert transfer["failure_rate"].total == round(float(failures["yield"].value or 0) / 10)
