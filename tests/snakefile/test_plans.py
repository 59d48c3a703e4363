"""The jobs that Snakemake plans without a model, the targets that it refuses, and its messages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.edited_config import content
from tests.support.endpoint_server import KEY, EndpointServer
from tests.support.markdown_tables import joined
from tests.support.plans import NOWHERE, SOURCES, Job, counted, errors, jobs_of, needed, planned
from tests.support.usage import read_usage
from tests.support.workflows import REPOSITORY, Workflow, new_workflow

from reversegen.core.records import (
    Reference,
    Response,
    Seed,
    read_records,
)
from reversegen.engines.endpoint.call_log import calls_folder

READY = {
    "math-qwen3": ["Qwen/Qwen2.5-Math-7B-Instruct", "Qwen/Qwen3-1.7B", "Qwen/Qwen3-4B-Base"],
    "math-qwen3-8b": ["Qwen/Qwen3-8B", "Qwen/Qwen3-8B", "Qwen/Qwen3-8B-Base"],
    "factual-qwen3": ["Qwen/Qwen3-1.7B", "Qwen/Qwen3-4B-Base", "Qwen/Qwen3-8B"],
    "factual-qwen3-8b": ["Qwen/Qwen3-14B", "Qwen/Qwen3-8B", "Qwen/Qwen3-8B-Base"],
    "safety-qwen3": ["Qwen/Qwen3-4B", "Qwen/Qwen3-4B-Base", "Qwen/Qwen3-8B", "Qwen/Qwen3Guard-Gen-4B"],
    "safety-llama31": [
        *("NousResearch/Meta-Llama-3.1-8B", "NousResearch/Meta-Llama-3.1-8B-Instruct"),
        *("Qwen/Qwen3-8B", "Qwen/Qwen3Guard-Gen-8B"),
    ],
}
"""The ready tasks, with the repositories of the large models that each fetches."""
SHIPPED = [
    *(f"results/{task}/{file}" for task in ("safety", "honesty") for file in ("iter3/eval.json", "table.md")),
    *("results/math/iter3/eval.json", "results/math/prefetch.json"),
    *(f"results/{task}/{file}" for task in READY for file in ("table.md", "prefetch.json")),
    *(f"results/{task}/rendered.md" for task in ("micro", "safety")),
    "results/safety-3b-proposer/prefetch.json",
    *("results/tiny-math/report.html", "results/tiny-math/table.md"),
]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One dry run of many targets, without network, GPU, key or file. Tests look at what single targets need."""
    workflow = new_workflow(tmp_path_factory.mktemp("shipped") / "run")
    done = workflow.run("-n", *SHIPPED, **NOWHERE)
    assert done.returncode == 0, done.stdout
    assert not (workflow.folder / "resources").exists()
    return done.stdout


@pytest.fixture(scope="module")
def plan(shipped: str) -> list[Job]:
    jobs = jobs_of(shipped)
    assert counted(jobs) == planned(shipped)
    return jobs


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("safety", {"fetch_model": 3, "fetch_data": 3, "fetch_file": 2, "judge_responses": 4, "judge_labelled": 1}),
        ("honesty", {"fetch_model": 2, "fetch_data": 1, "write_references": 4, "label_seeds": 1}),
    ],
)
def test_dry_run_plans_each_kind_without_network(plan: list[Job], task: str, expected: dict[str, int]) -> None:
    jobs = counted(needed(plan, f"results/{task}/iter3/eval.json"))
    assert {name: jobs.get(name) for name in expected} == expected
    assert jobs["fetch_bin"] == jobs["convert_model"] == 1  # of vicuna
    assert jobs["train_proposer"] == jobs["check_pairs"] == 3
    assert jobs["embed_instructions"] == jobs["collect_instructions"] == 4
    assert jobs["embed_seeds"] == 1
    whole = counted(needed(plan, f"results/{task}/table.md"))
    assert whole["train_target"] == 4
    assert (whole.get("judge_references", 0) == 5) == (task == "safety")
    assert (whole.get("measure_confidence", 0) == 5) == (task == "honesty")


def test_every_token_is_shown_before_anything_is_trained_or_asked(plan: list[Job]) -> None:
    jobs = counted(needed(plan, "results/micro/rendered.md"))
    assert jobs["write_rendered"] == jobs["clean_seeds"] == 1
    assert jobs.keys() == {"write_corpus", "train_model", "build_tests", "clean_seeds", "write_rendered"}
    judged = counted(needed(plan, "results/safety/rendered.md"))
    assert judged["write_rendered"] == 1
    assert not {"answer_seeds", "label_seeds", "train_warmup", "sample_instructions"} & judged.keys()


def test_dry_run_plans_the_papers_models_without_network_gpu_key_or_file(plan: list[Job]) -> None:
    jobs = counted(needed(plan, "results/math/iter3/eval.json"))
    assert jobs["fetch_model"] == 4
    assert "convert_model" not in jobs
    assert jobs["fetch_data"] == 5
    assert jobs["train_proposer"] == jobs["build_pairs"] == 3
    assert jobs["sample_instructions"] == jobs["label_responses"] == 4


@pytest.mark.parametrize("task", READY)
def test_dry_run_plans_each_ready_task_without_vllm_and_names_what_it_would_need(
    shipped: str, plan: list[Job], task: str
) -> None:
    """A plan warns that vLLM is missing, and does not fail."""
    jobs = needed(plan, f"results/{task}/table.md", f"results/{task}/prefetch.json")
    counts = counted(jobs)
    assert counts["train_proposer"] == 3
    assert counts["train_target"] == 4
    assert counts["sample_instructions"] == 6
    models = content("models.yaml")
    places = [path for job in jobs for path in job.outputs if path.startswith("resources/downloads/models/")]
    fetched = [path.removeprefix("resources/downloads/models/") for path in places]
    assert sorted(models[name]["hub"] for name in fetched if name != "minilm") == READY[task]
    warnings = re.findall(r"^Warning: (.*)$", shipped, re.MULTILINE)
    [warning] = [text for text in warnings if text.startswith((f"{task}:", f"{task},"))]
    assert warning.startswith(f"{task}: ")
    assert "`engine: vllm`, but the interpreter python.generate (python) has no vLLM; name one that has it" in warning


def test_no_ready_task_needs_vllm_if_transformers_runs_its_models(workflow: Workflow) -> None:
    tables = [f"results/{task}/table.md" for task in READY]
    done = workflow.run("-n", *tables, "--config", "engine=transformers", **NOWHERE)
    assert done.returncode == 0
    assert planned(done.stdout)["write_table"] == len(READY)
    assert "Warning" not in done.stdout


def test_a_run_without_vllm_stops_before_its_first_job(workflow: Workflow) -> None:
    done = workflow.run("results/tiny-math-vllm/iter0/samples.jsonl")
    assert done.returncode == 1
    line = (
        "tiny-math-vllm: tiny-arithmetic-vllm: `engine: vllm`, but the interpreter python.generate (python) has no vLLM"
    )
    assert line in done.stdout
    assert not (workflow.folder / "results").exists() or not list((workflow.folder / "results").rglob("*.jsonl"))


def test_the_ready_tasks_ship_without_commits_which_only_pin_revisions_reads(workflow: Workflow) -> None:
    assert not {repo for repos in READY.values() for repo in repos} & set(content("lock.yaml") or {})
    done = workflow.run("resources/downloads/models/qwen3-4b")
    assert done.returncode == 1
    assert "config/lock.yaml: Qwen/Qwen3-4B: no commit to fetch" in done.stdout
    assert "pin_revisions" in done.stdout


def test_a_plan_converts_each_model_of_bin_weights_and_names_one_folder_for_all(plan: list[Job]) -> None:
    jobs = needed(plan, "results/safety-3b-proposer/prefetch.json")
    place = "resources/downloads/{}/{}".format
    for model in ("open-llama-3b", "vicuna-7b-v1.5"):
        assert Job("fetch_bin", [f"{place('access/bin', model)}.json"], [place("bin", model)]) in jobs
        assert Job("convert_model", [place("bin", model)], [place("models", model)]) in jobs
    [files] = [job.inputs for job in jobs if job.rule == "prefetch_task"]
    assert place("models", "vicuna-7b-v1.5") in files
    assert not [file for file in files if "/bin/" in file]


def test_access_is_checked_before_each_fetch_and_what_is_here_is_not_fetched_again(
    workflow: Workflow, plan: list[Job]
) -> None:
    target = "results/math/prefetch.json"
    jobs = counted(needed(plan, target))
    assert jobs == {"check_access": 9, "fetch_model": 4, "fetch_data": 5, "prefetch_task": 1}
    (workflow.folder / "resources/downloads/models/minilm").mkdir(parents=True)
    done = workflow.run("-n", target, **NOWHERE)
    assert planned(done.stdout) == jobs | {"check_access": 8, "fetch_model": 3}
    assert "resources/downloads/access/models/minilm.json" not in done.stdout


def test_proposers_that_a_task_does_not_keep_are_pruned_once_the_next_is_trained(workflow: Workflow) -> None:
    kept = {"ends": ("[0, last]", {1, 2, 3}), "three": ("[0, 2, last]", {1, 3}), "all": ("null", set[int]())}
    for task, (keep, _) in kept.items():
        text = f"extends: tiny-math\niterations: 4\nkeep: {keep}\n"
        (workflow.folder / f"config/tasks/{task}.yaml").write_text(text)
    done = workflow.run("-n", *(f"results/{task}/iter4/eval.json" for task in kept))
    assert done.returncode == 0, done.stdout
    for task, (_, pruned) in kept.items():
        assert set(map(int, re.findall(rf"output: results/{task}/iter(\d)/pruned.json", done.stdout))) == pruned
        for k in pruned:
            [files] = re.findall(rf"input: (.*)\n +output: results/{task}/iter{k}/pruned.json", done.stdout)
            last_of_all = f"results/{task}/iter{k + 1}/proposer"
            assert files.split(", ") == [f"results/{task}/iter{k}/{f}" for f in ("proposer", "samples.jsonl")] + [
                last_of_all
            ]


def test_light_stages_of_an_iteration_are_one_job_of_a_cluster(workflow: Workflow) -> None:
    """Each shard is a job. The rule that gathers their labels is in the group of the first job that reads these labels."""
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


CIRCLE = """
rule first:
    output: "first"
    group: "light"
    shell: "touch first"
rule between:
    input: "first"
    output: "between"
    shell: "touch between"
rule last:
    input: "first", "between"
    output: "last"
    group: "light"
    shell: "touch last"
"""


def test_a_group_that_waits_for_itself_is_refused(workflow: Workflow) -> None:
    """Snakemake's check refuses it, after a quicker one of ours."""
    for name in ("envs", "resources", "rules", "scripts"):
        (workflow.folder / name).symlink_to(REPOSITORY / name)
    (workflow.folder / "Snakefile").write_text((REPOSITORY / "Snakefile").read_text() + CIRCLE)
    done = workflow.run("--snakefile", "Snakefile", "-n", "last")
    assert done.returncode == 1
    message = (
        "Job of rule last depends on rule(s) between from outside the group, but they in turn depend on rule(s) first"
    )
    assert message in done.stdout


def test_dry_run_plans_the_whole_of_a_task(plan: list[Job]) -> None:
    jobs = counted(needed(plan, "results/tiny-math/report.html", "results/tiny-math/table.md"))
    assert jobs["train_target"] == len(SOURCES)
    assert jobs["evaluate_target"] == len(SOURCES) + 1
    assert jobs["evaluate_proposer"] == 5
    assert jobs["train_model"] == 1
    assert not [name for name in jobs if name.startswith("embed_")]  # nor a package of embeddings


def test_masked_texts_are_written_only_if_a_task_of_a_harmful_kind_asks(workflow: Workflow) -> None:
    workflow.write_task("clear", {"report": {"include_text": True}}, base="tiny-safety")
    workflow.write_task("sums", {"report": {"include_text": True}})
    tasks = ("tiny-safety", "clear", "sums")
    done = workflow.run("-n", *(f"results/{task}/report.html" for task in tasks))
    jobs = planned(done.stdout)
    assert jobs["write_failure_clusters"] == jobs["write_report"] == len(tasks)
    assert re.findall(r"output: results/(\S+)/texts\.jsonl", done.stdout) == ["clear"]


@pytest.fixture(scope="module")
def seeds_plan(tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    """The page and the table of a task with two random seeds that the command line gives."""
    workflow = new_workflow(tmp_path_factory.mktemp("seeds") / "run")
    targets = ("results/tiny-math/report.html", "results/tiny-math/table.md")
    done = workflow.run("-n", *targets, "--config", "random_seeds=[2,0]")
    assert done.returncode == 0, done.stdout
    return jobs_of(done.stdout)


def test_the_page_of_several_random_seeds_has_the_failure_clusters_of_the_first(seeds_plan: list[Job]) -> None:
    [page] = [job for job in seeds_plan if "results/tiny-math/report.html" in job.outputs]
    assert "results/tiny-math.s2/failure_clusters.jsonl" in page.inputs
    assert counted(needed(seeds_plan, "results/tiny-math/report.html"))["write_failure_clusters"] == 1


def test_a_table_pools_the_random_seeds_that_the_command_line_gives(seeds_plan: list[Job]) -> None:
    jobs = needed(seeds_plan, "results/tiny-math/table.md")
    assert counted(jobs)["train_target"] == 2 * len(SOURCES)
    assert counted(jobs)["train_model"] == 1
    assert "results/tiny-math.s2/iter3/eval.json" in {path for job in jobs for path in job.outputs}


def test_an_ablation_that_reuses_plans_only_what_differs(workflow: Workflow) -> None:
    tasks = workflow.folder / "config/tasks"
    (tasks / "fixed.yaml").write_text(
        "extends: tiny-math\nreuse: [seeds, warmup, iter0, original]\npreference: {reference: warmup}\n"
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
    assert (
        "config/tasks/fixed.yaml: reuse: iter0 depends on warmup, which differs from that of tiny-math" in done.stdout
    )


def test_failures_are_asked_of_another_model_if_the_task_names_one(workflow: Workflow) -> None:
    workflow.write_task("asks", {"transfer": ["gpt-4o-mini"]})
    done = workflow.run("-n", "results/asks/transfer/gpt-4o-mini/eval.json", **NOWHERE)
    assert done.returncode == 0, done.stdout
    jobs = planned(done.stdout)
    assert jobs["answer_transfer"] == jobs["label_transfer"] == jobs["evaluate_transfer"] == 1
    assert "train_target" not in jobs


def test_a_task_is_cut_into_as_many_shards_as_it_says_and_one_shard_adds_no_job(workflow: Workflow) -> None:
    targets = {}
    for name, count in (("whole", 1), ("cut", 8)):
        workflow.write_task(name, {"shards": count})
        targets[name] = [f"results/{name}.s1/{part}/labels.jsonl" for part in ("original", "iter0")]
    done = workflow.run("-n", *targets["whole"], *targets["cut"])
    plans = {name: counted(needed(jobs_of(done.stdout), *asked)) for name, asked in targets.items()}
    stages = {"sample_instructions", "answer_instructions", "write_references", "label_responses"}
    stages |= {"answer_tests", "label_tests"}
    assert plans["cut"] == plans["whole"] | dict.fromkeys(stages, 8) | {"gather_shards": len(stages)}


def test_reference_of_dpo_is_the_previous_proposer_or_proposer_zero(workflow: Workflow) -> None:
    workflow.write_task("fixed", {"preference": {"reference": "warmup"}})
    inputs, tasks = {}, ("tiny-math", "fixed")
    done = workflow.run("-n", "-p", *(f"results/{task}/iter3/proposer" for task in tasks))
    for task in tasks:
        command = next(line for line in done.stdout.splitlines() if f"--pairs results/{task}/iter2/pairs" in line)
        inputs[task] = re.search(r"--reference (\S+)", command)[1]  # type: ignore[index]
    assert inputs == {"tiny-math": "results/tiny-math/iter2/proposer", "fixed": "results/fixed/iter0/proposer"}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("results/tiny-math/iter03/eval.json", "No rule to produce results/tiny-math/iter03/eval.json"),
        (
            "results/nonesuch/iter3/eval.json",
            "unknown task 'nonesuch': config/tasks/ has factual-qwen3, factual-qwen3-8b, honesty, math,",
        ),
        ("results/tiny-math/tests/nonesuch.jsonl", "no test set 'nonesuch'; use one of test, pretraining"),
        ("results/models/nonesuch", "No rule to produce results/models/nonesuch"),
    ],
)
def test_an_unknown_target_is_refused_by_name(workflow: Workflow, target: str, message: str) -> None:
    done = workflow.run("-n", target)
    assert done.returncode == 1
    assert message in done.stdout


HALF = (REPOSITORY / "config/tasks/tiny-math.yaml").read_text()[:700] + "\n  samples: ["
WARNING = "Warning: faults in config/, which stop only the tasks that need the faulty entries:"


def test_a_task_file_with_a_fault_stops_its_own_targets_and_is_one_warning_for_others(workflow: Workflow) -> None:
    tasks = workflow.folder / "config/tasks"
    (tasks / "half.yaml").write_text(HALF)
    (tasks / "child.yaml").write_text("extends: half\n")
    workflow.write_task("typo", {"sampling": {"temprature": 1.0}})
    workflow.write_task("kind", {"kind": "maths"})
    workflow.change_models({"odd": {"folder": "x", "size": "huge"}})
    workflow.write_task("odd", {"target": "odd"})
    faults = {
        "half": "config/tasks/half.yaml: not a readable YAML file: while parsing",
        "child": "config/tasks/child.yaml: extends: config/tasks/half.yaml: not a readable YAML file: while parsing",
        "typo": "config/tasks/typo.yaml: sampling.temprature: Extra inputs are not permitted",
        "kind": "config/tasks/kind.yaml: kind: unknown kind 'maths'; choose one of factual, honesty, math, safety",
        "odd": "config/tasks/odd.yaml: target: config/models.yaml: odd.size: unknown size 'huge'; config.yaml has tiny",
    }
    done = workflow.run("-n", "results/tiny-math/iter0/eval.json")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(WARNING) == 1
    for fault in faults.values():
        assert done.stdout.count(f"\n  {fault}") == 1
    for name, target in {
        "half": "results/half/iter0/eval.json",
        "child": "results/child.s2/seeds.jsonl",
        "typo": "results/typo/plan.md",
        "kind": "results/kind/prefetch.json",
        "odd": "results/odd/report.html",
    }.items():
        done = workflow.run("-n", target)
        assert done.returncode == 1
        [line] = errors(done.stdout)
        assert line.startswith(f"error: {faults[name]}")


def test_jobs_run_while_another_tasks_file_has_a_fault_and_repeat_no_warning(workflow: Workflow) -> None:
    """Tables too: they name a listed task whose file has a fault, with the fault."""
    (workflow.folder / "config/tasks/half.yaml").write_text(HALF)
    listed = workflow.run(
        "results/tiny-math/seeds.jsonl", "results/tables/math.md", "--config", "tables={math: [half]}"
    )
    assert listed.returncode == 0, listed.stdout
    logs = [path.read_text() for path in workflow.folder.glob("results/**/*.log")]
    assert (listed.stdout + "".join(logs)).count(WARNING) == 1
    table = joined((workflow.folder / "results/tables/math.md").read_text())
    assert "Not shown, since its file has a fault: half (config/tasks/half.yaml: not a readable YAML file" in table
    assert "line " in table


def test_a_malformed_data_file_is_named_with_line_and_field(workflow: Workflow) -> None:
    rows = ['{"question": "What is 1 + 1?", "answer": "#### 2"}', '{"question": "What is 2 + 2?"}']
    (workflow.folder / "mine.jsonl").write_text("\n".join(rows))
    workflow.write_task("mine", {"data": {"seeds": {"mine": {"file": "mine.jsonl", "licence": "mine"}}}})
    done = workflow.run("results/mine/seeds.jsonl")
    assert done.returncode == 1
    [line] = errors(done.stdout)
    assert line.startswith("error: mine.jsonl, line 2: answer: missing")


def test_a_fault_in_config_yaml_is_one_line(workflow: Workflow) -> None:
    done = workflow.run("-n", "--config", "random_seeds=x")
    assert done.returncode == 1
    assert errors(done.stdout) == ["error: config/config.yaml: random_seeds: Input should be a valid list, not 'x'"]


@pytest.mark.slow
def test_files_of_people_are_checked_before_an_output_is_removed(workflow: Workflow) -> None:
    """Also in the plan of a job that a change of its settings reruns."""
    good = "".join(json.dumps({"question": f"What is {n} + 1?", "answer": f"#### {n + 1}"}) + "\n" for n in range(200))
    judged = {
        "instruction": "What is 1 + 1?",
        "responses": ["#### 2"],
        "answer": "2",
        "verdict": "passed",
        "injection": False,
    }
    files = {"seeds": good, "tests": good.replace("+ 1", "+ 3"), "judge": json.dumps(judged) + "\n"}
    for name, text in files.items():
        (workflow.folder / f"{name}.jsonl").write_text(text)

    def write(**seeds: Any) -> None:
        source = {"licence": "mine"}
        data = {
            "seeds": {"mine": {"file": "seeds.jsonl", **source, **seeds}},
            "tests": {"mine": {"file": "tests.jsonl", "measures": "accuracy", **source}},
            "judge": {"file": "judge.jsonl", **source},
        }
        workflow.write_task("mine", {"data": data})

    write()
    targets = [f"results/mine/{name}" for name in ("seeds.jsonl", "tests/mine.jsonl")]
    done = workflow.run(*targets)
    assert done.returncode == 0, done.stdout
    before = [(workflow.folder / target).stat().st_mtime_ns for target in targets]

    def refused(*words: str) -> list[str]:
        done = workflow.run(*words)
        assert done.returncode == 1, done.stdout
        assert [(workflow.folder / target).stat().st_mtime_ns for target in targets] == before
        return errors(done.stdout)

    (workflow.folder / "tests.jsonl").write_text(good + "{}\n")
    (workflow.folder / "seeds.jsonl").write_text(good + "[]\n")
    assert sorted(refused(*targets)) == [
        "error: seeds.jsonl, line 201: the row is a list; give an object instead",
        "error: tests.jsonl, line 201: question: missing; if the rows have another form, name the column of the "
        "instructions with `column`",
    ]
    for name, text in files.items():
        (workflow.folder / f"{name}.jsonl").write_text(text)
    write(column="text")
    [line] = refused(*targets)
    assert line.startswith("error: seeds.jsonl, line 1: no column 'text'")
    write()
    (workflow.folder / "judge.jsonl").write_text(files["judge"].replace("passed", "pased"))
    [line] = refused("results/mine/judge.json")
    assert line.startswith("error: judge.jsonl, line 1: verdict")


@pytest.mark.slow
def test_a_judge_is_checked_on_several_labelled_sets_in_one_job(workflow: Workflow) -> None:
    row = {"instruction": "What is 1 + 1?", "responses": ["#### 2"], "answer": "2", "injection": False}
    rows = [row | {"verdict": "passed"}, row | {"verdict": "failed", "responses": ["#### 3"]}]
    (workflow.folder / "own.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    workflow.write_task("mine", {"data": {"judge": {"shipped": None, "own": {"file": "own.jsonl", "licence": "mine"}}}})
    done = workflow.run("results/mine/judge.json")
    assert done.returncode == 0, done.stdout
    report = json.loads((workflow.folder / "results/mine/judge.json").read_text())
    counts = {name: errors["sensitivity"]["total"] for name, errors in report["sets"].items()}
    assert counts == {"shipped": 55, "own": 1}
    assert report["sensitivity"]["total"] == 56
    public = {
        "jailbreakbench": {"repo": "JailbreakBench/JBB-Behaviors", "name": "judge_comparison", "split": "test"},
        "wildguardtest": {"repo": "allenai/wildguardmix", "name": "wildguardtest", "split": "test"},
    }
    sets = {name: {"hub": hub, "licence": "see the card"} for name, hub in public.items()}
    workflow.write_task("public", {"data": {"judge": {"shipped": None, **sets}}}, base="safety")
    planned_jobs = planned(workflow.run("-n", "results/public/judge.json", **NOWHERE).stdout)
    assert (planned_jobs["fetch_data"], planned_jobs["check_judge"]) == (2, 1)
    pinned = workflow.run("-n", "-p", "pin_revisions", **NOWHERE).stdout
    assert "JailbreakBench/JBB-Behaviors" in pinned
    assert "allenai/wildguardmix" in pinned


@pytest.mark.slow
def test_a_folder_that_is_no_model_is_named_when_its_job_starts(workflow: Workflow) -> None:
    (workflow.folder / "empty").mkdir()
    workflow.change_models({"mine": {"folder": "empty", "size": "tiny"}})
    workflow.write_task("mine", {"target": "mine"})
    done = workflow.run("results/mine/original/responses.jsonl")
    assert done.returncode == 1
    assert "answer_questions: error: empty: not a model folder: it has no config.json" in done.stdout


@pytest.mark.slow
def test_an_endpoint_without_its_key_fails_when_its_job_starts_and_not_in_a_dry_run(workflow: Workflow) -> None:
    endpoint = {"base_url": "https://api.example.org/v1", "model": "m", "api_key_env": "REVERSEGEN_TEST_KEY"}
    workflow.change_models({"api": {"endpoint": endpoint, "size": "tiny"}})
    workflow.write_task("api", {"teacher": "api"})
    target = "results/api/enhanced/seed_references.jsonl"
    assert workflow.run("-n", target).returncode == 0
    done = workflow.run(target)
    assert done.returncode == 1
    assert "the environment variable REVERSEGEN_TEST_KEY holds no key" in done.stdout


@pytest.mark.slow
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


@pytest.mark.slow
def test_no_more_seeds_are_asked_and_answered_than_are_drawn(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe of 50 seeds asks 50; 20 rows and a quarter more take 25 references; null takes all seeds in their order."""
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", KEY)
    asked, answered = "results/api/probe/responses.jsonl", "results/api/enhanced/seed_references.jsonl"
    task = {"target": "api", "teacher": "api", "data": {"seeds": {"arithmetic": {"corpus": {"count": 200}}}}}
    task["references"] = {"max_unreadable_share": 1.0}  # the server's replies have no final answer
    sizes = []
    with EndpointServer().running() as server:
        endpoint = {"base_url": server.url, "model": "m", "api_key_env": "REVERSEGEN_TEST_KEY"}
        workflow.change_models({"api": {"endpoint": endpoint, "size": "tiny"}})
        for probe_seeds, seed_margin in ((50, 0.25), (None, None)):
            some = {"probe_seeds": probe_seeds, "heldout_share": 0.3}
            changes = {"data": some, "enhancement": {"rows": 20, "seed_margin": seed_margin}, "shards": 2}
            workflow.write_task("half", task)
            workflow.write_task("api", changes, base="half")
            before = len(server.asked)
            done = workflow.run(asked, answered)
            assert done.returncode == 0, done.stdout
            sizes.append(len(server.asked) - before)
            every = read_records(workflow.folder / "results/api/seeds.jsonl", Seed)
            train = [seed.id for seed in every if seed.split == "train"]
            probed = [row.instruction_id for row in read_records(workflow.folder / asked, Response)]
            references = [row.instruction_id for row in read_records(workflow.folder / answered, Reference)]
            if probe_seeds:
                assert (len(set(probed)), len(set(references))) == (50, 25)
                assert set(references) < set(train)
                assert {seed.split for seed in every if seed.id in probed} == {"train", "heldout"}
            assert probed == [seed.id for seed in every if seed.id in probed]
            assert references == [identity for identity in train if identity in references]
    assert (probed, references) == ([seed.id for seed in every], train)
    assert sizes == [50 + 25, len(every) + len(train) - 50 - 25]  # what was answered before is kept
    for draw in ("probe/draw_probe", "enhanced/draw_answered"):
        assert "by hand" in (workflow.folder / f"results/api/logs/{draw}.log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("task", ["tiny-math", "tiny-safety"])
def test_a_tiny_task_answers_all_its_training_seeds(workflow: Workflow, task: str) -> None:
    done = workflow.run(f"results/{task}/enhanced/drawn_seeds.jsonl")
    assert done.returncode == 0, done.stdout
    folder = workflow.folder / "results" / task
    lines = (folder / "seeds.jsonl").read_text().splitlines()
    assert (folder / "enhanced/drawn_seeds.jsonl").read_text().splitlines() == [
        line for line in lines if '"split":"train"' in line
    ]


def test_a_probe_that_cannot_hold_every_source_and_split_stops_before_anything_is_asked(workflow: Workflow) -> None:
    workflow.write_task("few", {"data": {"probe": True, "probe_seeds": 31}})
    done = workflow.run("results/few/probe/drawn_seeds.jsonl")
    assert done.returncode == 1
    assert (
        "draw_probe: error: data.probe_seeds: 31 seeds are too few, since 16 of each source, subject and split are 32"
        in (done.stdout)
    )


@pytest.mark.slow
def test_another_number_of_shards_asks_an_endpoint_nothing_again(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSEGEN_TEST_KEY", KEY)
    target = "results/api/probe/responses.jsonl"
    task = {
        "target": "api",
        "responses": {"batch_size": 16},
        "data": {"seeds": {"arithmetic": {"corpus": {"count": 200}}}},
    }
    with EndpointServer().running() as server:
        endpoint = {"base_url": server.url, "model": "m", "api_key_env": "REVERSEGEN_TEST_KEY"}
        workflow.change_models({"api": {"endpoint": endpoint, "size": "tiny"}})
        made = []
        for shards in (3, 2):
            workflow.write_task("api", {**task, "shards": shards})
            done = workflow.run(target)
            assert done.returncode == 0, done.stdout
            made.append((workflow.folder / target).read_bytes())
            assert len(server.asked) == len(made[0].splitlines()) > 100
    assert made[0] == made[1]


def test_a_model_without_a_locked_commit_is_not_fetched(workflow: Workflow) -> None:
    done = workflow.run("resources/downloads/models/llama3-8b")
    assert done.returncode == 1
    assert "config/lock.yaml: meta-llama/Meta-Llama-3-8B: no commit to fetch" in done.stdout


RULE_FILES = sorted(set((REPOSITORY / "rules").glob("*.smk")) - {REPOSITORY / "rules/common.smk"})
SHARED = ("answer_questions", "label_answers")
"""Scripts of several rules, which differ in the records that they read."""


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_every_rule_declares_its_needs(path: Path) -> None:
    rules = re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), re.MULTILINE)
    assert rules
    for name, body in rules:
        directives = set(re.findall(r"^    (\w+):", body, re.MULTILINE))
        assert directives >= {"log", "benchmark", "conda", "threads", "resources", "params"}, name
        assert "output" in directives or name == "pin_revisions", (
            name
        )  # the user's own file, which Snakemake would remove
        assert len(directives & {"script", "shell"}) == 1, name
        script = re.search(r'(?:scripts/|training_stage\("|(?<!_)stage\("\w+", ")(\w+)(?:\.py|")', body)
        assert script, name
        assert script[1] in (name, *SHARED), name
        assert f'code("{script[1]}")' in body, name
