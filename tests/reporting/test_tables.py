"""Tables give the numbers of the evaluations: exact means and spreads, nulls as nulls, and no cell that runs as code."""

import csv
import io
import json
import logging
import math
import random
import shutil
import statistics
from pathlib import Path
from typing import Any

import pytest
from tests.support.markdown_tables import cells_of, joined, rows_of

import write_table
from reversegen.config.task import KindUse
from reversegen.core.errors import BadInput
from reversegen.core.metric import Metric
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.outcomes import Counts, EvaluationOutcomes
from reversegen.kinds import open_kind
from reversegen.reporting.rows import read_evaluations, read_outcomes, row_identity
from reversegen.reporting.table_file import table_markdown
from reversegen.reporting.tables import CSV_COLUMNS, cell_text, comma_separated, markdown, pool, table

NULL = "\N{EN DASH}"
RATES = {"tiny-math": (0.25, 0.9), "tiny-math.s2": (0.3, 0.8), "tiny-math.s10": (0.2, 1.0)}
"""Failure rates of iterations 0 and 1 by task, one for each random seed."""


def proposer(task: str, iteration: int, rate: float | None, **more: Any) -> EvalFile:
    metrics = {
        "failure_rate": Metric(value=rate, low=0.1, high=0.95, count=20, total=80),
        "failure_rate_corrected": Metric(value=0.24, low=0.09, high=0.94),
        "validity": Metric(value=0.8, low=0.7, high=0.9, count=80, total=100),
        "yield": Metric(value=123.456),
        "type_entropy": Metric(value=None),
    }
    given: dict[str, Any] = {"task": task, "metrics": metrics, "groups": {}, "provenance": {}}
    given |= row_identity("proposer", str(iteration))
    return EvalFile(kind="math", role="proposer", **(given | more))


def target(task: str, source: str, accuracy: float, by_type: dict[str, float], **more: Any) -> EvalFile:
    training = (
        None if source == "original" else {"candidates": 2000, "rows": 1200, "replay_rows": 600, "tokens": 2480000}
    )
    given: dict[str, Any] = {
        "task": task,
        **row_identity("target", source),
        "metrics": {
            "accuracy": Metric(value=accuracy),
            "retained": Metric(value=0.9),
            "invalid_share": Metric(value=0.0),
        },
        "groups": {"type": {name: {"accuracy": Metric(value=value)} for name, value in by_type.items()}},
        "provenance": {"training": training},
    }
    return EvalFile(kind="math", role="target", **(given | more))


def one_seed() -> list[EvalFile]:
    proposers = [proposer("tiny-math", k, rate) for k, rate in enumerate(RATES["tiny-math"])]
    enhanced = [
        target("tiny-math", s, a, {"add": 0.5}) for s, a in (("reversegen", 0.7), ("original", 0.4), ("seeds", 0.5))
    ]
    return proposers + enhanced


def test_the_reasons_of_items_without_a_verdict_are_below_their_table() -> None:
    plain = markdown(one_seed())
    assert "without a verdict" not in plain
    first, second = {"cut off": 3, "prompt too long": 2}, {"prompt too long": 9}
    evaluations = [proposer("tiny-math", 0, 0.2, invalid=first), proposer("tiny-math.s1", 0, 0.3, invalid=second)]
    evaluations += [target("tiny-math", "seeds", 0.5, {}, invalid={"no | option": 1})]
    text = markdown(evaluations)
    assert "Items without a verdict, by reason:\n\n- iteration 0: prompt too long 11, cut off 3\n" in text
    assert "Items without a verdict, by reason:\n\n- source seeds: no \\| option 1\n" in text


def several_seeds() -> list[EvalFile]:
    return [proposer(task, k, rate) for task, rates in RATES.items() for k, rate in enumerate(rates)]


def write(folder: Path, evaluations: list[EvalFile]) -> list[Path]:
    paths = [folder / f"{n}" / "eval.json" for n in range(len(evaluations))]
    for path, evaluation in zip(paths, evaluations, strict=True):
        path.parent.mkdir(parents=True)
        path.write_text(evaluation.model_dump_json(indent=2))
    return paths


def csv_rows(evaluations: list[EvalFile]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(comma_separated(evaluations))))


def test_one_seed_shows_values_with_intervals_validity_beside_the_failure_rate() -> None:
    lines = markdown(one_seed()).splitlines()
    assert lines[0] == "# tiny-math"
    [head, *_] = [line for line in lines if line.startswith("| iteration")]
    assert cells_of(head) == ["iteration", "failure_rate", "failure_rate_corrected", "validity"]
    rate, corrected, validity = "0.250 [0.100, 0.950]", "0.240 [0.090, 0.940]", "0.800 [0.700, 0.900]"
    first = rows_of(markdown(one_seed()))["0",]
    assert list(first.values()) == ["0", rate, corrected, validity, NULL, "123.5", *[NULL] * 4]
    definitions = lines[lines.index("## What the columns mean") :]
    assert not any(line.startswith("|") for line in definitions), "definitions stand below the tables"
    assert "- `validity`: the share of samples that could be judged" in definitions
    assert definitions[-1].startswith("Brackets hold 95 % intervals over prompts or questions only: one random seed.")


def test_targets_are_in_the_order_of_the_sources_with_types_and_training() -> None:
    rows = table(one_seed(), "target")
    assert list(rows) == ["original", "seeds", "reversegen"]
    columns = ["source", "accuracy", "retained", "invalid_share", "type add", "training_rows", "training_tokens"]
    cells = rows_of(markdown(one_seed()).partition("## Target")[2])
    original, _, reversegen = cells.values()
    assert list(original) == columns
    assert list(original.values()) == ["original", "0.400", "0.900", "0.000", "0.500", NULL, NULL]
    assert list(reversegen.values()) == ["reversegen", "0.700", "0.900", "0.000", "0.500", "1,200", "2,480,000"]


@pytest.mark.parametrize("found", [10, 11])
def test_categories_that_were_found_are_columns_and_the_csv_has_all(found: int) -> None:
    names = [f"S{n}" for n in range(1, 15)]
    groups = {
        "category": {
            name: {"failure_rate": Metric(value=0.01 * (n < found), count=int(n < found), total=100)}
            for n, name in enumerate(names)
        }
    }
    one = next(e for e in one_seed() if e.role == "proposer").model_copy(update={"kind": "safety", "groups": groups})
    [row] = table([one], "proposer").values()
    shown = [column for column in row if column.startswith("category ")]
    assert shown == ([f"category {name}" for name in names[:10]] if found == 10 else [])
    assert {r["group"] for r in csv_rows([one])} == {"", *(f"category={name}" for name in names)}
    assert ("- `category X`: the share of all judged items that failed" in markdown([one])) is (found == 10)


def transferred(task: str, model: str, rate: float) -> EvalFile:
    metrics = {"failure_rate": Metric(value=rate, low=0.1, high=0.9, count=5, total=10), "validity": Metric(value=0.9)}
    return EvalFile(
        task=task,
        kind="math",
        role="target",
        **row_identity("target", f"transfer/{model}"),
        metrics=metrics,
        groups={},
        provenance={},
    )


def test_the_untrained_proposer_is_before_iteration_0_and_other_models_are_after_the_sources(tmp_path: Path) -> None:
    base = proposer("tiny-math", 0, 0.125).model_copy(update=row_identity("proposer", "untrained"))
    others = [transferred("tiny-math", model, rate) for model, rate in (("qwen", 0.5), ("llama", 0.25))]
    evaluations = [*others, *one_seed()[::-1], base]
    random.Random(0).shuffle(evaluations)
    read = read_evaluations(write(tmp_path, evaluations), "tiny-math")
    proposers, targets = table(read, "proposer"), table(read, "target")
    assert list(proposers) == ["untrained", "0", "1"]
    assert [cells["failure_rate"].estimate.value for cells in proposers.values()] == [0.125, 0.25, 0.9]
    assert list(targets) == ["original", "seeds", "reversegen", "transfer/llama", "transfer/qwen"]
    assert [cells["failure_rate"].estimate.value for cells in targets.values()] == [None, None, None, 0.25, 0.5]
    assert [cells["accuracy"].estimate.value for cells in targets.values()] == [0.4, 0.5, 0.7, None, None]
    text = markdown(read)
    rows = {key: cells for key, cells in rows_of(text).items() if key[0].startswith("transfer/")}
    assert [(*key, cells["accuracy"], cells["failure_rate"]) for key, cells in rows.items()] == [
        ("transfer/llama", NULL, "0.250 [0.100, 0.900]"),
        ("transfer/qwen", NULL, "0.500 [0.100, 0.900]"),
    ]
    assert "of transfer/MODEL, over what the target failed" in joined(text)
    rates = [row for row in csv_rows(read) if row["metric"] == "failure_rate"]
    assert [tuple(row[name] for name in ("role", "arm", "iteration", "variant", "value")) for row in rates] == [
        ("proposer", "untrained", "", "", "0.125"),
        ("proposer", "iter0", "0", "", "0.25"),
        ("proposer", "iter1", "1", "", "0.9"),
        ("target", "", "", "transfer/llama", "0.25"),
        ("target", "", "", "transfer/qwen", "0.5"),
    ]


def test_a_table_without_transfer_has_no_column_of_failures_and_no_definition_of_it() -> None:
    assert "failure_rate" not in table(one_seed(), "target")["original"]
    targets = [e for e in one_seed() if e.role == "target"]
    assert "transfer/MODEL" not in markdown(targets)
    assert "- `accuracy`: right answers among all test questions\n" in markdown(targets)
    assert "over_refusal" not in markdown(targets)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("child", ["child", "child.s2"]),
        ("child.s2", ["child", "child.s2"]),
        ("tiny-math", ["tiny-math", "tiny-math.s2"]),
    ],
)
def test_reused_evaluations_of_another_task_count_as_the_tables_own(
    tmp_path: Path, task: str, expected: list[str]
) -> None:
    own, theirs = expected[0], "tiny-math"
    evaluations = [proposer(theirs, 0, 0.25), proposer(own, 1, 0.9), proposer(f"{theirs}.s2", 0, 0.3)]
    paths = write(tmp_path, evaluations)
    assert {e.task for e in read_evaluations(paths, task)} == {
        theirs,
        f"{theirs}.s2",
        own,
    }  # the reuse was not given
    read = read_evaluations(paths, task, [theirs])
    assert sorted({e.task for e in read}) == expected
    assert table(read, "proposer")["0"]["failure_rate"].metrics.keys() == set(expected)
    assert table(read, "proposer")["0"]["failure_rate"].estimate.value == 0.275
    assert table(read, "proposer")["1"]["failure_rate"].values == [0.9]


@pytest.mark.parametrize(
    ("kind", "main", "shows_types"),
    [("math", "accuracy", True), ("safety", "attack_success_rate", True), ("another", "retained", True)],
)
@pytest.mark.parametrize("types", [10, 11])
def test_a_few_types_are_columns_of_the_kinds_main_metric_and_many_are_in_the_csv_only(
    kind: str, main: str, shows_types: bool, types: int
) -> None:
    names = [f"t{n:02}" for n in range(types)]
    groups = {"type": {name: {main: Metric(value=n / 20), "x": Metric(value=0)} for n, name in enumerate(names)}}
    given: dict[str, Any] = {"kind": kind, "metrics": {main: Metric(value=0.5)}, "groups": groups}
    evaluation = target("m", "seeds", 0.5, {}).model_copy(update=given)
    [row] = table([evaluation], "target").values()
    shown_types = [column for column in row if column.startswith("type ")]
    assert shown_types == ([f"type {name}" for name in names] if shows_types and types == 10 else [])
    assert [row[column].estimate.value for column in shown_types] == [n / 20 for n in range(len(shown_types))]
    assert {r["group"] for r in csv_rows([evaluation])} == {"", *(f"type={name}" for name in names)}
    assert next(iter(row)) == main


def test_several_seeds_show_mean_and_sample_standard_deviation() -> None:
    evaluations = several_seeds()
    rates = [rates[0] for rates in RATES.values()]
    assert rates == [0.25, 0.3, 0.2]
    cell = table(evaluations, "proposer")["0"]["failure_rate"]
    assert cell.estimate.value == 0.25
    assert cell.estimate.sd == pytest.approx(statistics.stdev(rates)) == pytest.approx(math.sqrt(0.005 / 2))
    assert cell_text(cell) == ("0.250", "± 0.050")
    assert list(cell.metrics) == ["tiny-math", "tiny-math.s2", "tiny-math.s10"], "by random seed, not by spelling"
    assert markdown(evaluations).startswith("# tiny-math\n")
    text = joined(markdown(evaluations))
    assert (
        "Each number is the mean over 3 random seeds. Brackets hold 95 % intervals over 3 random seeds and the" in text
    )
    assert "The sample standard deviation over random seeds (±) is shown if there is no interval." in text
    assert "0.250 ± 0.050" in text
    assert "## Target" not in text, "nothing was evaluated"


def test_several_seeds_with_outcomes_show_their_interval_in_the_table_and_in_the_csv() -> None:
    """40, 50 and 60 of 100 prompts failed: the half width is 4.303 times 0.1 over the square root of 3."""
    outcomes = []
    for task, failed in (("m", 40), ("m.s1", 50), ("m.s2", 60)):
        counts = Counts(clusters=task, hits=[1] * failed + [0] * (100 - failed), trials=1)
        metric = Metric(value=failed / 100, low=0.2, high=0.8, count=failed, total=100)
        evaluation = proposer(task, 0, None, metrics={"failure_rate": metric})
        outcomes.append(EvaluationOutcomes(evaluation=evaluation, counts={"failure_rate": counts}, scores=None))
    evaluations = [one.evaluation for one in outcomes]
    cell = table(evaluations, "proposer", outcomes)["0"]["failure_rate"]
    assert cell_text(cell) == ("0.500", "[0.252, 0.748]")
    assert "0.500 [0.252, 0.748]" in markdown(evaluations, outcomes)
    rows = csv.DictReader(io.StringIO(comma_separated(evaluations, outcomes)))
    mean, sd = [row for row in rows if row["statistic"] != "value"]
    assert [f"{float(mean[key]):.3f}" for key in ("value", "low", "high")] == ["0.500", "0.252", "0.748"]
    assert (sd["value"], sd["low"], sd["random_seeds"]) == ("0.1", "", "3")


def test_the_outcomes_of_several_runs_are_read_beside_their_evaluations(tmp_path: Path) -> None:
    """Runs may have different test sets. Another model on a target's failures has no outcomes."""
    from tests.support.evaluations import write_proposer, write_target

    paths, tests = [], []
    for run in ("a", "b"):
        paths.append(write_proposer(tmp_path / run / "iter1"))
        target, files = write_target(tmp_path / run / "original")
        paths.append(target)
        tests += files
    other = tmp_path / "a/transfer/other"
    shutil.copytree(tmp_path / "a/iter1", other)
    (other / "eval.json").write_text(transferred("t", "other", 0.5).model_dump_json())
    outcomes = read_outcomes([*paths, other / "eval.json"], tests, "mine", ["t"], open_kind(KindUse(name="math")))
    assert [sorted(one.counts) for one in outcomes] == [
        *[["failure_rate", "validity"], ["accuracy", "easy/accuracy", "hard/accuracy", "retained"]] * 2,
        [],
    ]
    assert {one.evaluation.task for one in outcomes} == {"mine"}


def test_csv_has_every_random_seed_then_mean_and_spread() -> None:
    rows = csv_rows(several_seeds())
    assert list(rows[0]) == list(CSV_COLUMNS)
    rates = [row for row in rows if row["metric"] == "failure_rate" and row["iteration"] == "1"]
    assert [(row["task"], row["statistic"], row["value"]) for row in rates] == [
        ("tiny-math", "value", "0.9"),
        ("tiny-math.s2", "value", "0.8"),
        ("tiny-math.s10", "value", "1"),
        ("tiny-math", "mean", "0.9"),
        ("tiny-math", "sd", "0.1"),
    ]
    assert [rates[0][key] for key in ("role", "variant", "group")] == ["proposer", "", ""]
    assert [rates[0][key] for key in ("low", "high", "count", "total", "random_seeds")] == [
        "0.1",
        "0.95",
        "20",
        "80",
        "",
    ]
    assert {row["random_seeds"] for row in rates[3:]} == {"3"}
    assert all(row["value"] == row["low"] == "" for row in rows if row["metric"] == "type_entropy")


def test_csv_of_one_seed_has_values_only_groups_and_training() -> None:
    rows = csv_rows(one_seed())
    assert {row["statistic"] for row in rows} == {"value"}
    group = [row for row in rows if row["group"] == "type=add"]
    assert [(row["variant"], row["metric"], row["value"]) for row in group] == [
        (variant, "accuracy", "0.5") for variant in ("original", "enhanced/seeds", "enhanced/reversegen")
    ]
    tokens = [(row["variant"], row["value"]) for row in rows if row["metric"] == "training_tokens"]
    assert tokens == [("enhanced/seeds", "2480000"), ("enhanced/reversegen", "2480000")]


def test_csv_gives_the_reason_if_a_number_is_null() -> None:
    null = Metric(value=None, reason="2 texts,\nfewer than 3")
    rows = csv_rows([proposer("m", 0, None, metrics={"distinct_3": null, "validity": Metric(value=0.5)})])
    assert {row["metric"]: (row["value"], row["reason"]) for row in rows} == {
        "distinct_3": ("", "2 texts, fewer than 3"),
        "validity": ("0.5", ""),
    }


def test_a_mean_over_fewer_random_seeds_shows_their_number() -> None:
    one, two = proposer("m", 0, 0.5), proposer("m.s1", 0, None)
    cell = table([one, two, proposer("m.s2", 0, 0.7)], "proposer")["0"]["failure_rate"]
    assert cell_text(cell) == ("0.600", "± 0.141 (2 of 3 random seeds)")
    assert cell_text(table([one, two], "proposer")["0"]["failure_rate"]) == (
        "0.500",
        "[0.100, 0.950] (1 of 2 random seeds)",
    )
    rows = {row["statistic"]: row for row in csv_rows([one, two]) if row["metric"] == "failure_rate"}
    assert (rows["mean"]["value"], rows["mean"]["random_seeds"], rows["sd"]["value"]) == ("0.5", "1", "")


def test_one_task_with_a_random_seed_in_its_name_keeps_its_name() -> None:
    assert markdown([proposer("tiny-math.s3", 0, 0.5)]).startswith("# tiny-math.s3\n")


def test_iterations_are_in_the_order_of_numbers() -> None:
    assert list(table([proposer("m", k, 0.5) for k in (10, 9, 0)], "proposer")) == ["0", "9", "10"]


def test_the_same_evaluations_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    evaluations = several_seeds() + [target(task, "seeds", 0.5, {"b": 0.1, "a": 0.2}) for task in RATES]
    paths = write(tmp_path, evaluations)
    for text in (markdown, comma_separated):
        there, back = (text(read_evaluations(several, "tiny-math")) for several in (paths, paths[::-1]))
        assert there == back == text(evaluations)


def test_hostile_names_are_text_in_markdown_and_csv() -> None:
    names = ["<script>alert(1)</script>", "=cmd()", "a|b", "[x](http://evil.example)", "`c`", "line\nbreak", "back\\"]
    evaluations = [target("=cmd|x<script>", "seeds", 0.5, dict.fromkeys(names, 0.5))]
    text = markdown(evaluations)
    lines = text.splitlines()
    assert lines[0] == "# =cmd\\|x&lt;script&gt;"
    assert "<script" not in text
    assert "\\[x\\](http\\://evil.example)" in text
    [cells] = rows_of(text).values()
    assert len(cells) == 1 + 3 + len(names) + 2
    rows = csv_rows(evaluations)
    assert {row["task"] for row in rows} == {"'=cmd|x<script>"}
    assert {row["group"] for row in rows if row["group"]} == {f"type={' '.join(name.split())}" for name in names}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r\n=", " @"])
def test_a_text_cell_never_starts_a_formula_and_a_number_stays_one(start: str) -> None:
    metrics = {f"{start}1+1": Metric(value=-0.25, low=-1e-7, high=0.1)}
    row = next(csv.DictReader(io.StringIO(comma_separated([proposer("m", 0, None, metrics=metrics)]), newline="")))
    assert row["metric"] == f"'{start.strip()}1+1"
    assert (float(row["value"]), row["low"]) == (-0.25, "-0"), "numbers are numbers, rounded to six digits"


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"metrics": {"failure_rate": {"value": "high"}}}, "metrics.failure_rate.value: Input should be a valid number"),
    ({"metrics": {"failure_rate": {"value": float("nan")}}}, "metrics.failure_rate: not a finite number"),
    ({"metrics": {"failure_rate": {"valu": 1}}}, "metrics.failure_rate.value: Field required"),
    ({"role": "judge"}, "role: Input should be 'proposer' or 'target'"),
    ({"iteration": "3"}, "iteration: Input should be a valid integer"),
    (
        {"iteration": None},
        "arm: 'iter0', variant: None, iteration: None; a proposer has the arm `iterK` and the iteration K",
    ),
    ({"iteration": 1}, "arm: 'iter0', variant: None, iteration: 1; a proposer has"),
    ({"variant": "original"}, "arm: 'iter0', variant: 'original', iteration: 0; a proposer has"),
    ({"arm": "control", "iteration": None}, "arm: 'control', variant: None, iteration: None; a proposer has"),
    ({"source": "baseline"}, "source: is now `arm` of a proposer, `variant` of a target"),
    ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
    (
        {"role": "target", "arm": None, "iteration": None, "variant": "enhanced/luck"},
        "a target has the variant `original`, `transfer/MODEL` or `enhanced/SOURCE` with one of warmup, warmup_failures, ",
    ),
    ({"provenance": {"training": {"rows": "many"}}}, "provenance.training: it must be null or an object of numbers"),
]


@pytest.mark.parametrize(("change", "message"), FAULTS)
def test_a_malformed_evaluation_is_refused_with_file_and_field(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "eval.json"
    path.write_text(json.dumps(proposer("m", 0, 0.5).model_dump() | change))
    with pytest.raises(BadInput) as error:
        read_evaluations([path], "m")
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_files_that_are_not_evaluations_or_fill_the_same_row_are_refused(tmp_path: Path) -> None:
    paths = write(tmp_path, [proposer("m", 0, 0.5), proposer("m", 0, 0.6)])
    with pytest.raises(BadInput, match=r"1/eval\.json: m, proposer, 0: .*0/eval\.json has the same task, role and row"):
        read_evaluations(paths, "m")
    with pytest.raises(BadInput, match=r"absent\.json: not a readable JSON file"):
        read_evaluations([tmp_path / "absent.json"], "m")
    paths[0].write_text("{")
    with pytest.raises(BadInput, match=r"0/eval\.json: not a readable JSON file"):
        read_evaluations(paths, "m")


def test_a_table_shows_one_task() -> None:
    with pytest.raises(BadInput, match="one task, not m, n"):
        pool([proposer("m", 0, 0.5), proposer("n", 0, 0.5)])
    with pytest.raises(BadInput, match=r"no eval\.json was given"):
        markdown([])


def test_the_script_writes_both_tables_and_logs_what_people_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "reversegen")
    paths = write(tmp_path, one_seed())
    made = [tmp_path / "out" / name for name in ("table.md", "table.csv")]
    write_table.main(paths[:2], paths[2:], [], [], *made, "tiny-math", [], KindUse(name="math"))
    outcomes = read_outcomes(paths, [], "tiny-math", [], open_kind(KindUse(name="math")))
    assert (tmp_path / "out" / "table.md").read_text() == table_markdown(one_seed(), outcomes)
    assert (tmp_path / "out" / "table.csv").read_bytes() == comma_separated(one_seed()).encode()
    assert (tmp_path / "out" / "table.md").read_text() in caplog.text
