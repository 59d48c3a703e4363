"""Tables of several tasks: intervals and paired differences against brute force, hand counts, and hostile names."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import REPOSITORY
from sklearn.metrics import average_precision_score

import compare_tasks
from reversegen import comparisons
from reversegen.comparisons import (
    CSV_COLUMNS,
    NULL,
    Estimate,
    Part,
    Reported,
    average_precision,
    calibration_error,
    comma_separated,
    difference,
    draws,
    estimate,
    grid,
    markdown,
    notes,
    parts,
    read_reported,
    tex,
    tex_text,
)
from reversegen.configuration import Evaluation as Settings
from reversegen.errors import BadInput
from reversegen.evaluation import Evaluation, expected_calibration_error, proportion
from reversegen.figures import figure
from reversegen.metric import Metric
from reversegen.outcomes import Counts, Measured, Run, Scores, read_run

EXAMPLE = REPOSITORY / "resources/example"
RANDOM = np.random.default_rng(0)


def measured(role: str, row: str, counts: dict[str, Counts] | None = None, **metrics: Metric) -> Measured:
    """An evaluation whose proportions are those of its counts."""
    counts = counts or {}
    for name, of in counts.items():
        hits, total = sum(of.hits), sum(of.totals)
        metrics[name] = Metric(value=hits / total, low=0.0, high=1.0, count=hits, total=total)
    place = {"iteration": int(row), "source": None} if row.isdecimal() else {"iteration": None, "source": row}
    given: dict[str, Any] = {"task": "t", "kind": "math", "role": role, "groups": {}, "provenance": {}, **place}
    return Measured(evaluation=Evaluation(metrics=metrics, **given), counts=counts, scores=None)


def counts(hits: list[int], trials: list[int] | int = 1, clusters: str = "the same") -> Counts:
    return Counts(clusters=clusters, hits=hits, trials=trials)


def rate(hits: list[int], trials: list[int] | int = 1, clusters: str = "the same") -> Measured:
    return measured("proposer", "0", {"failure_rate": counts(hits, trials, clusters)})


def run_of(task: str, of: list[Measured], extends: str | None = None, **more: str) -> Run:
    given = {"kind": "math", "proposer": "small", "target": "large"} | more
    return Run(task=task, extends=extends, measured=of, **given)


def target(row: str, right: list[int], **metrics: Metric) -> Measured:
    return measured("target", row, {"accuracy": counts(right, clusters="questions")}, **metrics)


def expanded(weights: npt.NDArray[np.float64]) -> list[npt.NDArray[np.int64]]:
    """The answers of each draw, each as often as it was drawn."""
    return [np.repeat(np.arange(len(of)), of.astype(int)) for of in weights]


def test_average_precision_and_calibration_error_of_draws_are_those_of_the_drawn_answers() -> None:
    score = RANDOM.integers(0, 12, 80) / 11  # with ties, 0 and 1
    right = (RANDOM.random(80) < score).astype(float)
    weights = RANDOM.multinomial(80, np.full(80, 1 / 80), size=50).astype(float)
    precision, error = (f(right, score, weights) for f in (average_precision, calibration_error))
    for n, rows in enumerate(expanded(weights)):
        assert precision[n] == pytest.approx(average_precision_score(right[rows], score[rows]))
        assert error[n] == pytest.approx(expected_calibration_error(right[rows], score[rows]))


def test_a_draw_without_a_right_answer_has_no_average_precision() -> None:
    found = average_precision(np.array([1.0, 0.0]), np.array([0.5, 0.4]), np.array([[0.0, 2.0], [1.0, 1.0]]))
    assert np.isnan(found[0])
    assert found[1] == 1.0


def test_an_interval_is_that_of_the_evaluation_but_for_its_draw() -> None:
    hits = [int(x) for x in RANDOM.binomial(5, 0.4, 300)]
    found = estimate({0: rate(hits, 5)}, "failure_rate")
    samples = [n < hit for hit in hits for n in range(5)]
    other = proportion(
        samples, [p for p in range(300) for _ in range(5)], Settings(bootstrap=2000, diversity_sample=1), 0
    )
    assert found.value == pytest.approx(other.value)
    assert (found.low, found.high) == pytest.approx((other.low, other.high), abs=0.005)


def test_random_seeds_that_share_questions_are_drawn_together_and_others_apart() -> None:
    hits = [int(x) for x in RANDOM.binomial(1, 0.5, 400)]
    width = {}
    for name, runs in {
        "one": {0: rate(hits)},
        "shared": {0: rate(hits), 1: rate(hits)},
        "apart": {0: rate(hits), 1: rate(hits, clusters="others")},
    }.items():
        found = estimate(runs, "failure_rate")
        assert found.low is not None
        assert found.high is not None
        width[name] = found.high - found.low
    assert width["shared"] == width["one"]
    assert width["apart"] / width["one"] == pytest.approx(1 / np.sqrt(2), rel=0.1)


def test_a_difference_is_of_pairs() -> None:
    """One answer more of each prompt: the difference varies with no draw, while either rate does."""
    fewer = [int(x) for x in RANDOM.integers(0, 4, 100)]
    found = difference({0: rate([h + 1 for h in fewer], 5)}, {0: rate(fewer, 5)}, "failure_rate")
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.2, 0.2))
    alone = estimate({0: rate(fewer, 5)}, "failure_rate")
    assert alone.low is not None
    assert alone.low < alone.value - 0.02  # type: ignore[operator]


def test_a_difference_is_that_of_the_random_seeds_that_asked_the_same() -> None:
    ones = {0: rate([1, 1, 1, 0]), 1: rate([1, 1, 0, 0]), 2: rate([1, 1, 1, 1])}
    others = {0: rate([1, 0, 0, 0]), 1: rate([0, 0, 0, 0], clusters="others"), 3: rate([0, 0, 0, 0])}
    found = difference(ones, others, "failure_rate")
    assert (found.value, found.random_seeds) == (0.5, 1)
    assert difference({2: ones[2]}, others, "failure_rate") == Estimate(None, None, None, None, 0)


def test_without_outcomes_one_random_seed_has_its_own_interval_and_several_their_deviation() -> None:
    alone = {0: measured("proposer", "0", validity=Metric(value=0.5, low=0.4, high=0.6))}
    assert estimate(alone, "validity") == Estimate(0.5, 0.4, 0.6, None, 1)
    two = estimate(alone | {1: measured("proposer", "0", validity=Metric(value=0.7, low=0.6, high=0.8))}, "validity")
    assert (two.value, two.low, two.high, two.sd) == pytest.approx((0.6, None, None, 0.1 * np.sqrt(2)))


def test_prompts_without_a_valid_sample_are_drawn_and_nothing_valid_is_no_number() -> None:
    assert draws(rate([0, 1], [0, 1]), "failure_rate") is not None
    nothing = Measured(
        evaluation=measured("proposer", "0", failure_rate=Metric(value=None, count=0, total=0)).evaluation,
        counts={"failure_rate": counts([0, 0], 0)},
        scores=None,
    )
    assert draws(nothing, "failure_rate") is None
    assert estimate({0: nothing}, "failure_rate").value is None


def table_of(of: list[Run], table: str = "math") -> list[Part]:
    return parts(table, of)


def rows_of(of: list[Part], told: dict[tuple[str, str, str], Reported] | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(comma_separated("math", of, told or {}))))


SIX = [
    target("seeds", [1, 0, 0, 0, 1, 1]),
    target("reversegen", [1, 1, 1, 0, 1, 1]),
    target("baseline", [0, 0, 0, 0, 1, 1]),
    measured("proposer", "0", {"failure_rate": counts([1, 0], 2, "prompts")}),
    measured("proposer", "2", {"failure_rate": counts([2, 1], 2, "prompts")}),
    measured("proposer", "10", {"failure_rate": counts([2, 2], 2, "prompts")}),
    measured("proposer", "baseline", {"failure_rate": counts([0, 0], 2, "prompts")}),
]


def test_rows_stand_in_order_with_their_differences() -> None:
    found = table_of([run_of("t", SIX)])
    assert [[row[3] for row in grid(found[0], {})[1:]], [row[2] for row in grid(found[1], {})[1:]]] == [
        ["baseline", "0", "2", "10"],
        ["baseline", "seeds", "reversegen"],
    ]
    rows = {(row["row"], row["metric"]): row for row in rows_of(found)}
    assert list(rows_of(found)[0]) == list(CSV_COLUMNS)
    assert (rows["2", "failure_rate"]["value"], rows["2", "failure_rate"]["difference"]) == ("0.75", "0.5")
    assert (rows["0", "failure_rate"]["difference"], rows["baseline", "failure_rate"]["difference"]) == ("", "")
    assert rows["seeds", "accuracy"]["less"] == "reversegen"
    assert float(rows["seeds", "accuracy"]["difference"]) == pytest.approx(5 / 6 - 3 / 6, abs=1e-6)
    assert rows["reversegen", "accuracy"]["difference"] == ""


def test_two_cells_counted_by_hand_from_the_label_files_of_two_random_seeds(tmp_path: Path) -> None:
    from test_outcomes import collect, write_proposer, write_target

    for seed, folder in (("t", tmp_path / "a"), ("t.s1", tmp_path / "b")):
        proposer = write_proposer(folder / "iter")
        repaired, tests = write_target(folder / "target")
        run = collect(folder, [proposer, repaired], tests)
        (folder / "outcomes.json").write_text(run.model_copy(update={"task": seed}).model_dump_json())
    found = table_of([read_run(tmp_path / f"{name}/outcomes.json") for name in "ab"])
    rows = {(row["row"], row["metric"]): row for row in rows_of(found)}
    # p1 failed, failed, passed; p2 failed, invalid, passed; p3 invalid: 3 of 5 valid ones failed
    assert (rows["1", "failure_rate"]["value"], rows["1", "failure_rate"]["random_seeds"]) == ("0.6", "2")
    # passed, failed, passed of the easy questions and invalid of the hard one: 2 of 4 are right
    assert (rows["baseline", "accuracy"]["value"], rows["baseline", "easy/accuracy"]["value"]) == ("0.5", "0.666667")


def test_an_ablation_stands_below_what_it_extends_and_is_compared_after_its_own_last_iteration() -> None:
    one = [
        measured("proposer", "0", {"failure_rate": counts([0, 1], 2, "prompts")}),
        measured("proposer", "1", {"failure_rate": counts([1, 1], 2, "prompts")}),
        target("reversegen", [1, 0, 0, 0, 1, 1]),
    ]
    runs = [
        run_of("other", SIX),
        run_of("x", one, "t"),
        run_of("t", SIX),
        run_of("of-x", SIX, "x"),
        run_of("lone", SIX, "gone"),
    ]
    (part,) = table_of(runs, "ablation")
    assert [line.task for line in part.lines] == ["other", "t", "x", "of-x", "lone"]
    assert [line.heads["iterations"] for line in part.lines] == ["10", "10", "1", "10", "10"]
    entries = {e.metric: e for e in part.lines[2].entries}
    assert (entries["failure_rate"].less, entries["failure_rate"].difference.value) == ("t 10", -0.5)
    assert entries["accuracy"].difference.value == pytest.approx(3 / 6 - 5 / 6)
    assert all(e.less is None for line in (part.lines[0], part.lines[4]) for e in line.entries)


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([run_of("t", SIX), run_of("t", SIX)], "tables.math: two outcomes.json are of t"),
        ([run_of("t", SIX, kind="safety")], "tables.math: t is of the kind safety"),
    ],
)
def test_runs_that_do_not_belong_to_a_table_are_refused(runs: list[Run], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        table_of(runs)


HEADER = "table,task,row,metric,value,source\n"


def test_reported_numbers_stand_beside_ours_with_their_source(tmp_path: Path) -> None:
    file = tmp_path / "reported.csv"
    rows = [
        'math,t,reversegen,accuracy,0.9,"a paper, table 3"',
        "math,t,7,failure_rate,0.5,another",
        "safety,t,0,validity,1,x",
    ]
    file.write_text(HEADER + "\n".join(rows) + "\n")
    told = read_reported(file, "math")
    found = table_of([run_of("t", SIX)])
    cells = grid(found[1], told)
    assert [row[cells[0].index("accuracy reported")] for row in cells[1:]] == [NULL, NULL, "0.9"]
    assert "accuracy reported" not in grid(found[1], {})[0]
    below = "\n".join(notes("math", found, told, [], []))
    assert "Reported by: a paper, table 3." in below
    assert "no row of this table: t, 7, failure_rate." in below
    rows = {(row["row"], row["metric"]): row for row in rows_of(found, dict(told))}
    assert rows["reversegen", "accuracy"]["reported_source"] == "a paper, table 3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task,value\n", "its columns are task, value, not table, task, row, metric, value, source"),
        (f"{HEADER}math,t,0,accuracy,0.5,\n", "line 2: source: missing; a number without its source is not shown"),
        (f"{HEADER}math,t,0,accuracy\n", "line 2: value: missing"),
        (f"{HEADER}maths,t,0,accuracy,0.5,x\n", "line 2: table: 'maths' is none of safety, honesty, math, ablation"),
        (f"{HEADER}math,t,0,accuracy,nan,x\n", "line 2: value: 'nan' is no number"),
        (f"{HEADER}math,t,0,accuracy,50 %,x\n", "line 2: value: '50 %' is no number"),
        (
            f"{HEADER}math,t,0,accuracy,1,x\nmath,t,0,accuracy,2,x\n",
            "line 3: t, 0, accuracy: a line before it is of the same",
        ),
    ],
)
def test_a_malformed_reported_number_is_refused_with_file_line_and_field(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "reported.csv"
    file.write_text(text)
    with pytest.raises(BadInput) as error:
        read_reported(file, "math")
    assert str(error.value).startswith(f"{file}")
    assert message in str(error.value)


def test_what_ships_reports_nothing_and_names_what_is_missing() -> None:
    assert (REPOSITORY / "resources/reported.csv").read_text() == HEADER
    found = table_of([run_of("t", SIX)])
    below = notes("math", found, {}, ["t"], ["other"])
    assert "From the results that ship in resources/example, not from runs made here: t." in below
    assert "Not shown, since there are no results of it: other." in below


HOSTILE = "\\input{/etc/passwd}$x$%&#_^~<script>|`*[a](b)\x1b[31m\u202e\n=1+1"


def test_hostile_names_are_text_in_every_form() -> None:
    named = [m for m in SIX if m.evaluation.role == "target"]
    found = table_of([run_of("t", named, target=HOSTILE, proposer="=HYPERLINK(1)")])
    below = notes("math", found, {}, [HOSTILE], [])
    page = markdown("math", found, {}, below)
    assert "<script>" not in page
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", page)
    row = next(line for line in page.splitlines() if line.startswith("| t "))
    assert len(re.findall(r"(?<!\\)\|", row)) == len(grid(found[0], {})[0]) + 1
    assert r"\[a\](b)" in row
    written = tex("math", found, {}, below)
    assert r"\input" not in re.sub(r"^%.*$", "", written, flags=re.MULTILINE)
    assert r"\textbackslash{}input\{/etc/passwd\}\$x\$\%\&\#\_\textasciicircum{}\textasciitilde{}\textless{}" in written
    assert all(line.startswith("% ") for line in written.split("\n\n")[-1].strip().splitlines())
    (first, *_) = csv.DictReader(io.StringIO(comma_separated("math", found, {})))
    assert first["proposer"] == "'=HYPERLINK(1)"
    drawn = figure("math", table_of([run_of(HOSTILE, SIX)]))
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


@pytest.mark.parametrize("character", [chr(n) for n in range(32, 127) if not chr(n).isalnum()])
def test_no_character_but_text_is_a_command_of_latex(character: str) -> None:
    written = tex_text(f"a{character}b")[1:-1]
    special = set("\\{}$&#%_^~")
    left = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]|\$\\pm\$", "", written)
    assert not special & set(left)


@pytest.mark.parametrize("table", ["safety", "honesty", "math", "ablation"])
def test_what_ships_is_tabulated_twice_in_the_same_bytes(tmp_path: Path, table: str) -> None:
    names = f"tiny-{'math' if table == 'ablation' else table}*.json"
    stored = sorted(EXAMPLE.glob(names))
    assert stored
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        comparisons._weights.cache_clear()
        files = [folder / f"{table}.{form}" for form in ("csv", "md", "tex", "svg")]
        compare_tasks.main([], stored, REPOSITORY / "resources/reported.csv", *files, table, ["other"], [])
        made.append([file.read_bytes() for file in files])
    assert made[0] == made[1]
    assert b"<dc:date>" not in made[0][3]


def test_what_ships_is_small_and_holds_three_random_seeds_of_each_kind() -> None:
    files = sorted(EXAMPLE.glob("*.json"))
    assert sum(file.stat().st_size for file in files) < 1_000_000
    for kind in ("safety", "honesty", "math"):
        seeds = [read_run(EXAMPLE / f"tiny-{kind}{seed}.json") for seed in ("", ".s1", ".s2")]
        assert {run.kind for run in seeds} == {kind}
        assert {len(run.measured) for run in seeds} == {10}
        assert {
            m.evaluation.metrics[next(iter(m.counts))].total is not None for run in seeds for m in run.measured
        } == {True}


def test_scores_of_the_example_give_the_evaluations_numbers() -> None:
    """To the four decimals that are stored."""
    run = read_run(EXAMPLE / "tiny-honesty.json")
    checked = 0
    for m in run.measured:
        if isinstance(m.scores, Scores):
            right, score = np.array(m.scores.right, dtype=float), np.array(m.scores.score)
            ones = np.ones((1, len(right)))
            for name, of in (("average_precision", average_precision), ("calibration_error", calibration_error)):
                assert of(right, score, ones)[0] == pytest.approx(m.evaluation.metrics[name].value, abs=2e-4)
                checked += 1
    assert checked == 10


def test_a_table_without_results_says_so() -> None:
    below = notes("math", [], {}, [], ["math"])
    assert markdown("math", [], {}, below) == "# Math\n\nNot shown, since there are no results of it: math.\n"
    assert "there are no results to draw" in figure("math", [])
    assert comma_separated("math", [], {}).count("\n") == 1
    assert tex("math", [], {}, below).count("\\begin") == 0
