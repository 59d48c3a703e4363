"""The summary of a run fits a screen, gives the numbers of the run, and claims no more than its intervals support."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.markdown_tables import joined, rows_of, too_wide
from tests.support.runs import counts, measured, target
from tests.support.workflows import REPOSITORY

from reversegen.core.errors import BadInput
from reversegen.core.metric import Metric
from reversegen.evaluation.outcomes import EvaluationOutcomes, read_run
from reversegen.reporting.table_file import MOST_ITERATIONS, read_summary, summary, table_markdown

EXAMPLE = REPOSITORY / "resources/example"
MOST_LINES, END_LINES = 25, 4
"""Lines of the whole ending of `make demo`; those that its script adds to the summary."""


def text_of(outcomes: list[EvaluationOutcomes]) -> str:
    return summary([one.evaluation for one in outcomes], outcomes)


def iteration(number: int, failed: int) -> EvaluationOutcomes:
    validity = Metric(value=0.8, low=0.7, high=0.9)
    others = {"validity": validity, "yield": Metric(value=10.0), "type_entropy": Metric(value=1.5)}
    return measured("proposer", str(number), {"failure_rate": counts([failed], 10)}, **others)


def run_with(reversegen: list[int], warmup_failures: list[int]) -> list[EvaluationOutcomes]:
    """Two iterations, and three targets with the verdicts on their questions."""
    targets = [
        target(row, right, retained=Metric(value=0.9))
        for row, right in (
            ("original", [0] * len(reversegen)),
            ("warmup_failures", warmup_failures),
            ("reversegen", reversegen),
        )
    ]
    return [iteration(0, 1), iteration(1, 7), *targets]


def test_the_summary_gives_the_finding_and_two_small_tables() -> None:
    text = text_of(run_with([1] * 30 + [0] * 10, [1] * 10 + [0] * 30))
    assert "The failure rate went from 0.100 [0.000, 1.000] in iteration 0 to 0.700 [0.000, 1.000]" in joined(text)
    assert "Enhanced with reversegen, the target's accuracy went from 0.000 [0.000, 1.000] to 0.750" in joined(text)
    rows = rows_of(text)
    assert rows["1",]["failures in 1,000"] == "10.0"
    assert list(rows["nothing",]) == ["enhanced with", "accuracy", "reversegen less this", "retained"]
    assert rows["nothing",]["reversegen less this"].startswith("+0.750 [+0.")
    assert rows["warmup_failures",]["reversegen less this"].startswith("+0.500 [+0.")
    assert rows["reversegen",]["reversegen less this"] == ""


@pytest.mark.parametrize(
    ("reversegen", "control", "shown"),
    [
        ([1, 0] * 20, [0, 1] * 20, "the difference is within the noise"),
        ([1] * 40, [0] * 40, "fewer than 5 random seeds, so neither source is called better"),
    ],
)
def test_one_random_seed_never_calls_a_source_better(reversegen: list[int], control: list[int], shown: str) -> None:
    text = joined(text_of(run_with(reversegen, control)))
    assert re.search(
        r"In accuracy reversegen less warmup_failures is [-+]\d\.\d{3} \[\S+, \S+\] \(over questions only", text
    )
    assert f": one random seed): {shown}. Brackets hold 95 % intervals." in text


def test_what_was_not_evaluated_is_left_out() -> None:
    proposers = text_of([iteration(0, 1), iteration(1, 7)])
    assert "Enhanced" not in proposers
    assert "target" not in proposers
    assert text_of([target("original", [1, 0])]).startswith("There is nothing to compare yet.")


def test_many_iterations_are_shown_by_the_first_and_the_last() -> None:
    rows = rows_of(text_of([iteration(n, n % 10) for n in range(12)]))
    assert [row for (row,) in rows] == ["0", "\N{HORIZONTAL ELLIPSIS}", "9", "10", "11"]
    assert len(rows) == MOST_ITERATIONS


def test_no_line_starts_a_list_of_its_own_accord() -> None:
    """A line that starts with the number of an iteration and a full stop would be a list in Markdown."""
    for number in range(1, 10):
        text = text_of([iteration(0, 1), iteration(number, 7)])
        assert not re.search(r"^\d+\. ", text, re.MULTILINE)


@pytest.mark.parametrize(
    "seeds", [("",), pytest.param(("", ".s1", ".s2"), marks=pytest.mark.slow)], ids=["one", "three"]
)
@pytest.mark.parametrize("kind", ["math", "safety", "honesty"])
def test_the_ending_of_what_ships_fits_a_screen_and_all_of_the_file_its_width(
    tmp_path: Path, kind: str, seeds: tuple[str, ...]
) -> None:
    runs = [read_run(EXAMPLE / f"tiny-{kind}{seed}.json") for seed in seeds]
    outcomes = [one for run in runs for one in run.measured]
    file = tmp_path / "table.md"
    file.write_text(table_markdown([one.evaluation for one in outcomes], outcomes))
    assert too_wide(file.read_text()) == []
    command = [sys.executable, str(REPOSITORY / "scripts/show_summary.py"), f"--table={file}", "--page=page.html"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    lines = shown.stdout.splitlines()
    assert len(lines) <= MOST_LINES
    assert too_wide(shown.stdout.replace(str(file), "")) == []
    assert lines[1 : -END_LINES + 1] == read_summary(file).splitlines()
    assert lines[-2:] == ["The page to open: page.html", f"All numbers:      {file}"]
    assert not any(line.startswith("#") for line in lines)


def test_the_ending_of_a_kind_that_abstains_fits_a_screen_and_shows_right_wrong_and_abstained() -> None:
    run = read_run(EXAMPLE / "small-factual.json")
    text = summary([one.evaluation for one in run.measured], run.measured)
    assert too_wide(text) == []
    proposers, targets = map(rows_of, text.split("\n\n")[1:])
    for row in proposers.values():
        shares = [row[name].partition(" ")[0] for name in ("right", "failure rate", "abstained")]
        assert sum(map(float, shares)) == pytest.approx(1, abs=0.002)
    measured = {one.evaluation.variant: one.evaluation.metrics for one in run.measured}
    row, metrics = targets["nothing",], measured["original"]
    for head, name in (("right", "accuracy"), ("wrong", "hallucination_rate"), ("abstained", "abstention_rate")):
        assert row[head] == f"{metrics[name].value:.3f}"


def test_no_number_is_separated_from_its_interval() -> None:
    runs = [read_run(EXAMPLE / f"tiny-honesty{seed}.json") for seed in ("", ".s1", ".s2")]
    text = text_of([one for run in runs for one in run.measured])
    assert not re.search(r"\d$\n\[|,$", text.partition("\n\n")[0], re.MULTILINE)
    assert "calibration error" in text
    assert "retained" in text


def test_a_summary_needs_a_table(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"table\.md: no such file; make it with `snakemake"):
        read_summary(tmp_path / "table.md")
