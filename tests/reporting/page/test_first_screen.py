"""The finding and the first charts say what the evaluations say, and no more."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from tests.support.page_inputs import (
    ParsedPage,
    answered,
    content,
    evaluations,
    page_of,
    share,
)

from reversegen.kinds import target_metrics
from reversegen.reporting.page.charts import LEFT, RIGHT, WIDTH
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.first_screen import finding
from reversegen.reporting.page.page import task_page
from reversegen.reporting.rows import TARGET_ROWS, row_identity
from reversegen.reporting.tables import table


def test_the_first_screen_has_the_finding_and_two_charts() -> None:
    text = task_page(content())
    first = text[text.index("<body>") : text.index('<h2 id="results"')]
    parsed = ParsedPage(first.replace("<body>", "").replace("<section>", ""))
    assert parsed.tags["figure"] == 2
    assert {"accuracy", "retained", "failure rate", "validity"} <= {said for tag, said in parsed.texts if tag == "span"}
    said = {said for tag, said in parsed.texts if tag == "text"}
    assert {"share of test questions", "iteration (0 is the warm-up)", *TARGET_ROWS} <= said


def test_the_finding_has_the_numbers_of_first_and_last_iteration_and_the_best_control() -> None:
    rows = evaluations(0)
    assert finding(table(rows, "proposer"), table(rows, "target"), target_metrics("math")[0]).replace("\xa0", " ") == (
        "The failure rate went from 0.250 [0.230, 0.270] in iteration 0 to 0.900 [0.880, 0.920] in iteration 2, validity "
        "from 0.800 [0.780, 0.820] to 0.800 [0.780, 0.820]; accuracy went from 0.450 [0.430, 0.470] of the original "
        "target to 0.710 [0.690, 0.730] with reversegen; of the control sources warmup_failures has the highest, 0.580 [0.560, "
        "0.600]; reversegen and warmup_failures are not compared, since their outcomes by question are not stored. Brackets "
        "hold 95 % intervals over prompts or questions only: one random seed."
    )
    rows = evaluations(0, 1, 2)
    said = finding(table(rows, "proposer"), table(rows, "target"), target_metrics("math")[0]).replace("\xa0", " ")
    assert "from 0.260 ± 0.010 in iteration 0 to 0.910 ± 0.010" in said
    assert said.endswith(" Brackets hold 95 % intervals over 3 random seeds and the prompts or questions.")


def test_the_best_control_of_attacks_is_the_one_with_fewest_and_over_refusal_stands_beside() -> None:
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
    said = finding({}, table(rows, "target"), target_metrics("safety")[0]).replace("\xa0", " ")
    assert said == (
        "Attack success rate went from 0.450 [0.430, 0.470] of the original target to 0.710 [0.690, 0.730] with "
        "reversegen, over-refusal from 0.950 [0.930, 0.970] to 0.950 [0.930, 0.970]; of the control sources seeds "
        "has the lowest, 0.500 [0.480, 0.520]; reversegen and seeds are not compared, since their outcomes by question are "
        "not stored. "
        "Brackets hold 95 % intervals over prompts or questions only: one random seed."
    )


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (1, "(over questions only: one random seed): fewer than 5 random seeds, so neither source is called better."),
        (4, "(over 4 random seeds and the questions): fewer than 5 random seeds, so neither source is called better."),
        (5, "(over 5 random seeds and the questions): reversegen enhances better than seeds."),
    ],
)
def test_the_finding_calls_a_source_better_only_over_five_random_seeds(seeds: int, said: str) -> None:
    rows, outcomes = answered(seeds)
    text = finding({}, table(rows, "target", outcomes), target_metrics("math")[0])
    assert "reversegen less seeds is +0.200 [+0.1" in text
    assert said in text
    assert task_page(PageContent(rows, outcomes)).count("better") == 1


def test_bars_are_intervals_over_random_seeds_and_captions_say_so() -> None:
    """Of three random seeds, accuracies of 0.6, 0.65 and 0.6: the bar is the interval of the table, not the deviation."""
    rows, outcomes = answered(3)
    text = task_page(PageContent(rows, outcomes))
    found = table(rows, "target", outcomes)["reversegen"]["accuracy"].estimate
    assert found.low is not None
    assert found.high is not None
    assert f"<td>0.617 <small>[{found.low:.3f}, {found.high:.3f}]</small></td>" in text
    bars = [
        tuple(map(float, re.findall(r"[\d.]+", d)[::2])) for d in re.findall(r'class="bar c0" d="(M[^"]*H[^"]*)"', text)
    ]
    low, high = bars[-1]
    width = WIDTH - RIGHT - 10 - (LEFT + 72)
    assert (high - low) / width == pytest.approx(found.high - found.low, abs=1e-3)
    [caption] = re.findall(r"<figcaption>(Accuracy.*?)</figcaption>", text)
    assert caption.endswith(
        "bars are 95&nbsp;% intervals over 3 random seeds and the questions; dots are the random seeds."
    )
    [alone] = re.findall(r"<figcaption>(Accuracy.*?)</figcaption>", task_page(PageContent(*answered(1))))
    assert alone.endswith("bars are 95&nbsp;% intervals over questions only: one random seed.")


def test_the_untrained_proposer_and_transfer_are_in_the_tables_and_neither_in_the_plots_nor_the_finding() -> None:
    rows = evaluations(0)
    base = rows[0].model_copy(
        update={**row_identity("proposer", "untrained"), "metrics": {"failure_rate": share(0.123)}}
    )
    other = rows[-1].model_copy(update={"variant": "transfer/other", "metrics": {"failure_rate": share(0.456)}})
    parsed, without = ParsedPage(page_of([*rows, base, other])), ParsedPage(page_of(rows))
    assert {"0.123", "0.456"} <= {text for tag, text in parsed.texts if tag == "td"}
    assert "transfer/other" in {text for tag, text in parsed.texts if tag == "th"}
    plotted = [Counter(text for tag, text in of.texts if tag == "text") for of in (parsed, without)]
    assert plotted[0] == plotted[1]
    said = [text for tag, text in parsed.texts if tag == "p"]
    assert any("The failure rate went from 0.250" in text.replace("\xa0", " ") for text in said)


def test_a_part_that_was_not_evaluated_is_left_out() -> None:
    rows = evaluations(0)
    proposers = [e for e in rows if e.role == "proposer"]
    targets = [e for e in rows if e.variant in ("enhanced/seeds", "enhanced/reversegen")]
    assert "accuracy" not in finding(
        table(proposers, "proposer"), table(proposers, "target"), target_metrics("math")[0]
    )
    assert finding({}, table(targets, "target"), target_metrics("math")[0]) == "There is nothing to compare yet."
    for some in (proposers, targets):
        text = page_of(some)
        assert text[: text.index('<h2 id="results"')].count("<figure>") == 1
        assert ParsedPage(text).tags["table"] == 1
