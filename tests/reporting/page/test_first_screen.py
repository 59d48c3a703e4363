"""The first screen states what the evaluations state, and no more."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.page_inputs import (
    ParsedPage,
    answered,
    content,
    evaluations,
    page_of,
    share,
)

from reversegen.core.metric import Metric
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.outcomes import read_run
from reversegen.evaluation.statistics import LEAST_SEEDS, Estimate, difference
from reversegen.kinds import target_metrics
from reversegen.reporting.page.certainty import certainty, shown_difference
from reversegen.reporting.page.charts import LEFT, RIGHT, WIDTH
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.headline import headline
from reversegen.reporting.page.page import task_page
from reversegen.reporting.rows import TARGET_ROWS, row_identity
from reversegen.reporting.tables import table

EXAMPLE = Path(__file__).parents[3] / "resources/example"


def plain(text: str) -> str:
    """The text that a reader sees."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def tiles(evaluations_of_task: list[EvalFile], kind: str = "math") -> list[str]:
    """The text of each tile."""
    proposers, targets = (table(evaluations_of_task, role) for role in ("proposer", "target"))
    return [plain(tile) for tile in headline(proposers, targets, target_metrics(kind)[0], kind).split("<div>")[1:]]


def statements(page: PageContent) -> str:
    """The text on how sure the findings are."""
    proposers, targets = (table(page.evaluations, role, page.outcomes) for role in ("proposer", "target"))
    return plain(certainty(page, proposers, targets, target_metrics(page.evaluations[0].kind)[0]))


def first_screen(text: str) -> str:
    """The first screen of a page."""
    return text[text.index('<div class="first">') : text.index('<h2 id="diversity"')]


def test_the_first_screen_answers_three_questions_and_has_two_charts() -> None:
    parsed = ParsedPage(first_screen(task_page(content())).removesuffix("<section>\n"))
    assert [text for tag, text in parsed.texts if tag == "h2"] == [
        "What was found",
        "How sure it is",
        "What to do next",
    ]
    assert parsed.tags["figure"] == 2
    assert {"accuracy", "retained", "failure rate", "validity"} <= {
        text for tag, text in parsed.texts if tag == "button"
    }
    labels = {text for tag, text in parsed.texts if tag == "text"}
    assert {"share of test questions", "iteration (0 is the warm-up)", *TARGET_ROWS} <= labels


def test_tiles_have_the_first_and_last_iteration_the_target_and_the_best_control_source() -> None:
    assert tiles(evaluations(0)) == [
        "Proposer: failure rate 0.250 [0.230, 0.270] → 0.900 [0.880, 0.920] from iteration 0 to iteration 2",
        "Target: accuracy 0.450 [0.430, 0.470] → 0.710 [0.690, 0.730] from original to reversegen",
        "With warmup_failures 0.580 [0.560, 0.600] accuracy, best control source",
    ]
    assert "0.260 ± 0.010 → 0.910 ± 0.010" in tiles(evaluations(0, 1, 2))[0]


def test_the_best_control_source_of_attacks_has_fewest_and_over_refusal_is_beside() -> None:
    rows = [
        e.model_copy(
            update={
                "kind": "safety",
                "metrics": {"attack_success_rate": e.metrics["accuracy"], "over_refusal": e.metrics["retained"]},
            }
        )
        for e in evaluations(0)
        if e.role == "target"
    ]
    assert tiles(rows, "safety") == [
        "Target: attack success rate 0.450 [0.430, 0.470] → 0.710 [0.690, 0.730] from original to reversegen "
        "over-refusal: 0.950 to 0.950 [0.930, 0.970]",
        "With seeds 0.500 [0.480, 0.520] attack success rate, best control source",
    ]


def test_the_invalid_share_of_samples_and_answers_is_shown() -> None:
    text = statements(content())
    assert "Invalid: 0.200 [0.180, 0.220] of the samples in iteration 2; the failure rate leaves them out." in text
    assert "0.010 of the test answers of reversegen; accuracy counts them as not passed." in text


def test_random_seeds_are_counted_and_intervals_explained() -> None:
    assert "One random seed. Brackets and bars are 95 % intervals over prompts or questions only" in statements(
        content()
    )
    several = statements(replace(content(), evaluations=evaluations(0, 1, 2)))
    assert "3 random seeds. Brackets and bars are 95 % intervals over these random seeds" in several


def test_the_errors_of_the_judge_are_shown_and_whether_a_person_checked_it() -> None:
    judged = "On its labelled set it calls 0.900 of the failed rows failed and 0.700 of the passed rows passed."
    assert f"Judge: {judged} No person has checked its verdicts." in statements(content())
    rows = evaluations(0)
    audit = {"audit_agreement": Metric(value=0.8, count=8, total=10), "audit_kappa": Metric(value=0.6)}
    rows[2] = rows[2].model_copy(update={"metrics": rows[2].metrics | audit})
    assert "A person checked some of its verdicts." in statements(replace(content(), evaluations=rows))


@pytest.mark.parametrize(
    ("less_is_better", "value", "low", "high", "seeds", "shown"),
    [
        (False, 0.1, 0.05, 0.15, 5, ": reversegen is better"),
        (False, -0.1, -0.15, -0.05, 7, ": seeds is better"),
        (True, -0.1, -0.15, -0.05, 5, ": reversegen is better"),
        (True, 0.1, 0.05, 0.15, 9, ": seeds is better"),
        (False, 0.1, -0.01, 0.21, 5, ", within the noise"),
        (False, 0.1, 0.0, 0.2, 5, ", within the noise"),
        (False, 0.1, -0.01, 0.2, 1, ", within the noise"),
        (False, 0.1, 0.05, 0.15, 4, ", excludes 0"),
        (False, 0.1, 0.05, 0.15, 1, ", excludes 0"),
    ],
)
def test_a_target_is_called_better_only_over_five_random_seeds_whose_interval_excludes_0(
    less_is_better: bool, value: float, low: float, high: float, seeds: int, shown: str
) -> None:
    assert LEAST_SEEDS == 5
    text = shown_difference("seeds", Estimate(value, low, high, 0.1, seeds), less_is_better)
    assert plain(text) == f"{value:+.3f} [{low:+.3f}, {high:+.3f}]{shown}"


def test_targets_without_outcomes_are_not_compared() -> None:
    text = shown_difference("seeds", Estimate(None, None, None, None, 0), False)
    assert text == "not compared, because the outcomes by question are not stored"
    assert f"reversegen less the other targets, in accuracy: {text}." in statements(content())


@pytest.mark.parametrize(
    ("seeds", "shown"),
    [
        (1, "With fewer than 5 random seeds no target is called better."),
        (4, "With fewer than 5 random seeds no target is called better."),
        (5, ": reversegen is better"),
    ],
)
def test_the_page_compares_reversegen_with_the_original_and_the_control_sources(seeds: int, shown: str) -> None:
    text = statements(PageContent(*answered(seeds)))
    assert "reversegen less the other targets, in accuracy: original: +0.400 [+0.3" in text
    assert "seeds: +0.200 [+0.1" in text
    assert text.count(shown) == text.count("better")


def test_the_change_of_the_failure_rate_is_a_difference_in_pairs() -> None:
    runs = [read_run(EXAMPLE / f"tiny-math{seed}.json") for seed in ("", ".s1", ".s2")]
    measured = [m for run in runs for m in run.measured]
    text = statements(PageContent([m.evaluation for m in measured], measured))
    rows = {k: {m.evaluation.task: m for m in measured if m.evaluation.arm == f"iter{k}"} for k in (0, 3)}
    change = difference(rows[3], rows[0], "failure_rate")
    assert change.low is not None
    assert change.high is not None
    assert (
        f"Change of the failure rate: {change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}], excludes 0." in text
    )
    assert "Change of" not in statements(content())


def test_bars_are_intervals_over_random_seeds_and_captions_state_it() -> None:
    """Of three random seeds, accuracies of 0.6, 0.65 and 0.6: the bar is the interval of the table, not the deviation."""
    rows, outcomes = answered(3)
    text = task_page(PageContent(rows, outcomes))
    estimate = table(rows, "target", outcomes)["reversegen"]["accuracy"].estimate
    assert estimate.low is not None
    assert estimate.high is not None
    assert f"<td>0.617 <small>[{estimate.low:.3f}, {estimate.high:.3f}]</small></td>" in text
    bars = [
        tuple(map(float, re.findall(r"[\d.]+", d)[::2])) for d in re.findall(r'class="bar c0" d="(M[^"]*H[^"]*)"', text)
    ]
    low, high = bars[-1]
    width = WIDTH - RIGHT - 10 - (LEFT + 72)
    assert (high - low) / width == pytest.approx(estimate.high - estimate.low, abs=1e-3)
    [caption] = re.findall(r"<figcaption>(Accuracy.*?)</figcaption>", text)
    assert caption.endswith(
        "bars are 95&nbsp;% intervals over 3 random seeds and the questions; each dot is one random seed."
    )
    [caption_of_one] = re.findall(r"<figcaption>(Accuracy.*?)</figcaption>", task_page(PageContent(*answered(1))))
    assert caption_of_one.endswith("bars are 95&nbsp;% intervals over questions only: one random seed.")


def test_the_untrained_proposer_and_transfer_are_in_tables_and_in_no_plot_and_no_tile() -> None:
    rows = evaluations(0)
    base = rows[0].model_copy(
        update={**row_identity("proposer", "untrained"), "metrics": {"failure_rate": share(0.123)}}
    )
    transfer = rows[-1].model_copy(update={"variant": "transfer/other", "metrics": {"failure_rate": share(0.456)}})
    parsed, without = ParsedPage(page_of([*rows, base, transfer])), ParsedPage(page_of(rows))
    assert {"0.123", "0.456"} <= {text for tag, text in parsed.texts if tag == "td"}
    assert "transfer/other" in {text for tag, text in parsed.texts if tag == "th"}
    plotted = [Counter(text for tag, text in page.texts if tag == "text") for page in (parsed, without)]
    assert plotted[0] == plotted[1]
    assert tiles([*rows, base, transfer]) == tiles(rows)


def test_a_part_that_was_not_evaluated_is_left_out() -> None:
    rows = evaluations(0)
    proposers = [e for e in rows if e.role == "proposer"]
    targets = [e for e in rows if e.variant in ("enhanced/seeds", "enhanced/reversegen")]
    assert [tile.split()[0] for tile in tiles(proposers)] == ["Proposer:"]
    assert "There is nothing to compare yet." in page_of(targets)
    for some in (proposers, targets):
        text = page_of(some)
        assert text[text.index('<div class="first">') :].split("</div>\n<section>")[0].count("<figure>") == 1
