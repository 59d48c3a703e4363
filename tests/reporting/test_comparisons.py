"""Tables of several tasks: intervals and paired differences equal those of brute force, and hostile names are text."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from tests.support import markdown_tables
from tests.support.runs import counts, measured, target
from tests.support.workflows import REPOSITORY

import compare_tasks
from reversegen.core.errors import BadInput
from reversegen.evaluation.outcomes import EvaluationOutcomes, Run, Scores, read_run
from reversegen.evaluation.statistics import cluster_weights
from reversegen.kinds.scores import average_precision, calibration_error
from reversegen.reporting.comparison_files import CSV_COLUMNS, comma_separated, grid, markdown, notes, tex, tex_text
from reversegen.reporting.comparisons import NULL, TablePart, parts
from reversegen.reporting.figures import figure
from reversegen.reporting.reported import ReportedNumber, read_reported

EXAMPLE = REPOSITORY / "resources/example"
RANDOM = np.random.default_rng(0)


def run_of(task: str, of: list[EvaluationOutcomes], extends: str | None = None, **more: str) -> Run:
    given = {"kind": "math", "proposer": "small", "target": "large"} | more
    return Run(task=task, extends=extends, measured=of, **given)


def table_of(of: list[Run], table: str = "math") -> list[TablePart]:
    return parts(table, of)


def rows_of(
    of: list[TablePart], published: dict[tuple[str, str, str], ReportedNumber] | None = None
) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(comma_separated("math", of, published or {}))))


SIX = [
    target("seeds", [1, 0, 0, 0, 1, 1]),
    target("reversegen", [1, 1, 1, 0, 1, 1]),
    target("original", [0, 0, 0, 0, 1, 1]),
    measured("proposer", "0", {"failure_rate": counts([1, 0], 2, "prompts")}),
    measured("proposer", "2", {"failure_rate": counts([2, 1], 2, "prompts")}),
    measured("proposer", "10", {"failure_rate": counts([2, 2], 2, "prompts")}),
    measured("proposer", "untrained", {"failure_rate": counts([0, 0], 2, "prompts")}),
]


def test_rows_are_in_order_with_their_differences() -> None:
    grids = table_of([run_of("t", SIX)])
    assert [[row[3] for row in grid(grids[0], {})[1:]], [row[2] for row in grid(grids[1], {})[1:]]] == [
        ["untrained", "0", "2", "10"],
        ["original", "seeds", "reversegen"],
    ]
    rows = {(row["row"], row["metric"]): row for row in rows_of(grids)}
    assert list(rows_of(grids)[0]) == list(CSV_COLUMNS)
    assert (rows["2", "failure_rate"]["value"], rows["2", "failure_rate"]["difference"]) == ("0.75", "0.5")
    assert (rows["0", "failure_rate"]["difference"], rows["untrained", "failure_rate"]["difference"]) == ("", "")
    assert rows["seeds", "accuracy"]["less"] == "reversegen"
    assert float(rows["seeds", "accuracy"]["difference"]) == pytest.approx(5 / 6 - 3 / 6, abs=1e-6)
    assert rows["reversegen", "accuracy"]["difference"] == ""


def test_two_cells_counted_by_hand_from_the_label_files_of_two_random_seeds(tmp_path: Path) -> None:
    from tests.support.evaluations import collect, write_proposer, write_target

    for seed, folder in (("t", tmp_path / "a"), ("t.s1", tmp_path / "b")):
        proposer = write_proposer(folder / "iter")
        enhanced, tests = write_target(folder / "original")
        run = collect(folder, [proposer, enhanced], tests)
        (folder / "outcomes.json").write_text(run.model_copy(update={"task": seed}).model_dump_json())
    grids = table_of([read_run(tmp_path / f"{name}/outcomes.json") for name in "ab"])
    rows = {(row["row"], row["metric"]): row for row in rows_of(grids)}
    # p1 failed, failed, passed; p2 failed, invalid, passed; p3 invalid: 3 of 5 valid ones failed
    assert (rows["1", "failure_rate"]["value"], rows["1", "failure_rate"]["random_seeds"]) == ("0.6", "2")
    # passed, failed, passed of the easy questions and invalid of the hard one: 2 of 4 are right
    assert (rows["original", "accuracy"]["value"], rows["original", "easy/accuracy"]["value"]) == ("0.5", "0.666667")


def test_an_ablation_is_below_the_task_that_it_extends_and_is_compared_after_its_own_last_iteration() -> None:
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
        ([run_of("t", SIX), run_of("t", SIX)], "tables.math: two outcomes.json have the results of task t"),
        ([run_of("t", SIX, kind="safety")], "tables.math: t has the kind safety"),
    ],
)
def test_runs_that_do_not_belong_to_a_table_are_refused(runs: list[Run], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        table_of(runs)


HEADER = "table,task,row,metric,value,source\n"


def test_reported_numbers_are_beside_ours_with_their_source(tmp_path: Path) -> None:
    file = tmp_path / "reported.csv"
    rows = [
        'math,t,reversegen,accuracy,0.9,"a paper, table 3"',
        "math,t,7,failure_rate,0.5,another",
        "safety,t,0,validity,1,x",
    ]
    file.write_text(HEADER + "\n".join(rows) + "\n")
    published = read_reported(file, "math")
    grids = table_of([run_of("t", SIX)])
    cells = grid(grids[1], published)
    assert [row[cells[0].index("accuracy reported")] for row in cells[1:]] == [NULL, NULL, "0.9"]
    assert "accuracy reported" not in grid(grids[1], {})[0]
    below = "\n".join(notes(grids, published, [], []))
    assert "Reported by: a paper, table 3." in below
    assert "but not a row of this table: t, 7, failure_rate." in below
    rows = {(row["row"], row["metric"]): row for row in rows_of(grids, dict(published))}
    assert rows["reversegen", "accuracy"]["reported_source"] == "a paper, table 3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task,value\n", "its columns are task, value; name them table, task, row, metric, value, source"),
        (f"{HEADER}math,t,0,accuracy,0.5,\n", "line 2: source: missing; fill in every column: no number is shown"),
        (f"{HEADER}math,t,0,accuracy\n", "line 2: value: missing"),
        (
            f"{HEADER}maths,t,0,accuracy,0.5,x\n",
            "line 2: table: 'maths' is unknown; it must be one of factual, honesty, math, safety, ablation",
        ),
        (f"{HEADER}math,t,0,accuracy,nan,x\n", "line 2: value: 'nan' is not a number"),
        (f"{HEADER}math,t,0,accuracy,50 %,x\n", "line 2: value: '50 %' is not a number"),
        (
            f"{HEADER}math,t,0,accuracy,1,x\nmath,t,0,accuracy,2,x\n",
            "line 3: t, 0, accuracy: an earlier line has the same task, row and metric; remove one",
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


def test_the_shipped_file_reports_nothing_and_notes_name_missing_tasks() -> None:
    assert (REPOSITORY / "resources/reported.csv").read_text() == HEADER
    grids = table_of([run_of("t", SIX)])
    below = notes(grids, {}, ["t"], ["other"])
    assert "From results that ship in resources/example, not from your own runs: t." in below
    assert "Not shown, since they have no results: other." in below


HOSTILE = "\\input{/etc/passwd}$x$%&#_^~<script>|`*[a](b)\x1b[31m\u202e\n=1+1"


def test_hostile_names_are_text_in_every_form() -> None:
    named = [m for m in SIX if m.evaluation.role == "target"]
    grids = table_of([run_of("t", named, target=HOSTILE, proposer="=HYPERLINK(1)")])
    below = notes(grids, {}, [HOSTILE], [])
    page = markdown("math", grids, {}, below)
    assert "<script>" not in page
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", page)
    row = markdown_tables.rows_of(page, 2)["t", "original"]
    assert len(row) == len(grid(grids[0], {})[0])
    assert r"\[a\](b)" in row["target"]
    written = tex("math", grids, {}, below)
    assert r"\input" not in re.sub(r"^%.*$", "", written, flags=re.MULTILINE)
    assert r"\textbackslash{}input\{/etc/passwd\}\$x\$\%\&\#\_\textasciicircum{}\textasciitilde{}\textless{}" in written
    assert all(line.startswith("% ") for line in written.split("\n\n")[-1].strip().splitlines())
    (first, *_) = csv.DictReader(io.StringIO(comma_separated("math", grids, {})))
    assert first["proposer"] == "'=HYPERLINK(1)"
    drawn = figure("math", table_of([run_of(HOSTILE, SIX)]))
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


@pytest.mark.parametrize("character", [chr(n) for n in range(32, 127) if not chr(n).isalnum()])
def test_no_character_is_a_command_of_latex(character: str) -> None:
    written = tex_text(f"a{character}b")[1:-1]
    special = set("\\{}$&#%_^~")
    left = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]|\$\\pm\$", "", written)
    assert not special & set(left)


@pytest.mark.slow
@pytest.mark.parametrize("table", ["safety", "honesty", "math", "ablation"])
def test_tables_of_shipped_results_have_the_same_bytes_twice(tmp_path: Path, table: str) -> None:
    names = f"tiny-{'math' if table == 'ablation' else table}*.json"
    stored = sorted(EXAMPLE.glob(names))
    assert stored
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        cluster_weights.cache_clear()
        files = [folder / f"{table}.{form}" for form in ("csv", "md", "tex", "svg")]
        compare_tasks.main([], stored, REPOSITORY / "resources/reported.csv", *files, table, ["other"], [])
        made.append([file.read_bytes() for file in files])
    assert made[0] == made[1]
    assert b"<dc:date>" not in made[0][3]


def test_shipped_results_are_small_and_have_three_random_seeds_of_each_kind() -> None:
    files = sorted(EXAMPLE.glob("*.json"))
    assert max(file.stat().st_size for file in files) < 150_000
    assert sum(file.stat().st_size for file in files) < 1_500_000
    for kind in ("safety", "honesty", "math"):
        seeds = [read_run(EXAMPLE / f"tiny-{kind}{seed}.json") for seed in ("", ".s1", ".s2")]
        assert {run.kind for run in seeds} == {kind}
        assert {len(run.measured) for run in seeds} == {10}
        assert {
            m.evaluation.metrics[next(iter(m.counts))].total is not None for run in seeds for m in run.measured
        } == {True}


def test_scores_of_the_example_give_the_evaluations_numbers() -> None:
    """They agree to the four decimals that are stored."""
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


def test_text_and_caption_and_figure_state_what_the_intervals_cover() -> None:
    one, two = (table_of([run_of(task, SIX) for task in tasks]) for tasks in (["t"], ["t", "t.s1"]))
    for grids, targets, every in (
        (one, "over questions only: one random seed", "over prompts or questions only: one random seed"),
        (two, "over 2 random seeds and the questions", "over 2 random seeds and the prompts or questions"),
    ):
        assert (
            f"Brackets hold 95 % intervals {every}, cut at the ends of a metric's scale" in notes(grids, {}, [], [])[0]
        )
        caption = rf"\caption{{Target by source of its training rows. Brackets: 95 \% intervals {targets}. Differences:"
        assert caption in tex("math", grids, {}, [])
        assert f"bars: 95 % intervals {every}" in figure("math", grids)
    mixed = table_of([run_of("t", SIX), run_of("t.s1", SIX), run_of("u", SIX)])
    assert (
        "over the random seeds of a line and the prompts or questions; of one random seed, over"
        in (notes(mixed, {}, [], [])[0])
    )


def test_a_number_with_fewer_random_seeds_than_its_line_shows_their_number() -> None:
    less = [m for m in SIX if m.evaluation.variant != "enhanced/reversegen"]
    (_, targets) = table_of([run_of("t", SIX), run_of("t.s1", less)])
    [head, _, seeds, reversegen] = grid(targets, {})
    assert seeds[head.index("random seeds")] == "2"
    assert seeds[head.index("difference of accuracy")].endswith("(1 of 2 random seeds)")
    assert not seeds[head.index("accuracy")].endswith("random seeds)")
    assert (reversegen[head.index("random seeds")], reversegen[head.index("accuracy")][:5]) == ("1", "0.833")
    assert r"\(" not in markdown("math", [targets], {}, [])


def test_a_table_without_results_states_that_it_has_none() -> None:
    below = notes([], {}, [], ["math"])
    assert markdown("math", [], {}, below) == "# Math\n\n- Not shown, since they have no results: math.\n"
    assert "there are no results to draw" in figure("math", [])
    assert comma_separated("math", [], {}).count("\n") == 1
    assert tex("math", [], {}, below).count("\\begin") == 0


def test_every_grid_of_a_kind_that_abstains_shows_right_wrong_and_abstained() -> None:
    run = read_run(REPOSITORY / "resources/example/small-factual.json")
    grids = {part.name: part for part in parts("factual", [run])}
    wanted = {
        "proposer": ("right_share", "failure_rate", "abstained_share"),
        "target": ("accuracy", "hallucination_rate", "abstention_rate"),
    }
    for name, metrics in wanted.items():
        for line in grids[name].lines:
            values = {entry.metric: entry.estimate.value for entry in line.entries}
            shares = [values[metric] for metric in metrics]
            assert None not in shares
            if name == "proposer":
                assert sum(filter(None, shares)) == pytest.approx(1, abs=1e-5)
        heads = grid(grids[name], {})[0]
        assert [head for head in heads if head in metrics] == sorted(metrics, key=heads.index)
    [ablation] = parts("ablation", [run])
    assert {*wanted["proposer"], *wanted["target"]} <= {entry.metric for entry in ablation.lines[0].entries}
    [sums] = parts("ablation", [read_run(REPOSITORY / "resources/example/tiny-math.json")])
    assert "abstained_share" not in grid(sums, {})[0]
