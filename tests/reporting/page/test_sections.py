"""The sections of the page show the stored results."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace

from tests.support.page_inputs import (
    JUDGE,
    ParsedPage,
    content,
    evaluations,
    page_of,
    share,
)

from reversegen.core.metric import Metric
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeErrors, JudgeReport
from reversegen.reporting.page.content import PageContent, system_texts
from reversegen.reporting.page.examples import MOST_EXAMPLES
from reversegen.reporting.page.page import task_page
from reversegen.reporting.rows import TARGET_ROWS


def table_names(text: str) -> list[set[str]]:
    """The names of metrics that each table of a page opens the meaning of."""
    return [
        set(re.findall(r'popovertarget="meaning-(\w+)"', part))
        for part in re.findall(r"<table>.*?</table>", text, re.DOTALL)
    ]


def test_figures_have_their_numbers_and_tables_the_other_metrics_and_null_is_a_dash() -> None:
    text = page_of(evaluations(0))
    parsed = ParsedPage(text)
    proposers, targets, other_proposers, other_targets, by_type = table_names(text)
    assert proposers == {"failure_rate", "validity"}
    assert targets == {"accuracy", "retained", *TARGET_ROWS}
    assert {"yield", "type_entropy", "failure_rate_corrected", "failure_rate_unique"} == other_proposers
    assert {"invalid_share", "training_rows", "training_tokens", *TARGET_ROWS} == other_targets
    assert by_type == {*TARGET_ROWS}
    assert text.count("<summary>Numbers of this figure</summary>") == 2
    cells = [cell for tag, cell in parsed.texts if tag == "td"]
    assert {"\N{EN DASH}", "0.710"} <= set(cells)
    assert "[0.690, 0.730]" in [interval for tag, interval in parsed.texts if tag == "small"]


def test_no_metric_is_in_two_tables() -> None:
    rows = evaluations(0)
    for n, e in enumerate(rows[:3]):
        rows[n] = e.model_copy(update={"metrics": e.metrics | {"distinct_3": share(0.4), "self_bleu": share(0.6)}})
    names = [name for table in table_names(task_page(replace(content(), evaluations=rows))) for name in table]
    assert {name: count for name, count in Counter(names).items() if count > 1}.keys() == {*TARGET_ROWS}
    assert {"distinct_3", "self_bleu"} <= set(names)


def test_a_metric_of_diversity_that_was_not_measured_has_its_reason() -> None:
    rows = evaluations(0)
    null = {"semantic_diversity": Metric(value=None, reason="the task has no <model>")}
    rows[0] = rows[0].model_copy(update={"metrics": rows[0].metrics | null})
    assert "semantic_diversity was not measured: the task has no &lt;model&gt;." in page_of(rows)


def test_alarms_are_shown_and_so_is_their_absence() -> None:
    quiet = task_page(content())
    assert "No limit of the collapse alarm is broken." in quiet
    rows = evaluations(0)
    rows[2] = rows[2].model_copy(update={"alarms": ["unique_share is 0.1 <b>"]})
    loud = task_page(replace(content(), evaluations=rows))
    assert loud.count("Collapse alarm: tiny-math, iteration 2: unique_share is 0.1 &lt;b&gt;</li>") == 2
    assert "No limit of the collapse alarm" not in loud


def test_a_card_has_size_rate_share_by_iteration_and_examples() -> None:
    text = task_page(content())
    card = re.findall(r"<li><h3>.*?</button></li>", text, re.DOTALL)[1]
    assert ("h3", "times") in ParsedPage(card).texts
    assert "<strong>10</strong> failing, rate 0.909 <small>[0.623, 0.984]</small>" in card  # 10 of 11 by Wilson
    assert "33\N{NO-BREAK SPACE}% of the failures in iteration 0, 33\N{NO-BREAK SPACE}% in iteration 1" in card
    assert "iteration 0: 33.3%; iteration 1: 33.3%" in card
    assert "<li>question 1</li><li>question 4</li><li>question 7</li>" in card
    assert "abstained" not in card
    assert ("p", "By type: odd 8, even 2") in ParsedPage(card).texts
    assert "Wilson" in text


def test_a_card_of_a_kind_that_abstains_shows_right_and_abstained_answers_apart() -> None:
    cards = re.findall(r"<li><h3>.*?</button></li>", task_page(replace(content(), abstains=True)), re.DOTALL)
    assert "<strong>10</strong> failing, 1 right, 1 abstained, rate 0.833" in cards[2]


def test_a_card_names_the_largest_types_and_counts_the_others() -> None:
    groups = {f"S{n}": 9 - n for n in range(1, 7)}
    given = content()
    several = [
        given.clusters[0].model_copy(update={"groups": groups}),
        *(c.model_copy(update={"groups": {}}) for c in given.clusters[1:]),
    ]
    text = task_page(replace(given, clusters=several))
    assert text.count("By type:") == 1
    assert "By type: S1 8, S2 7, S3 6, S4 5, 2 more types</p>" in text


def test_a_run_without_failures_has_a_sentence_instead_of_cards() -> None:
    text = task_page(replace(content(), clusters=[], failures=[]))
    assert "The target failed on no instruction." in text
    assert 'id="examples"' not in text


def test_of_many_failures_the_page_holds_some_of_every_cluster() -> None:
    parsed = ParsedPage(text := task_page(content(2 * MOST_EXAMPLES)))
    shown = Counter(value for tag, key, value in parsed.attributes if (tag, key) == ("tr", "data-cluster"))
    assert shown == {"0": 667, "1": 667, "2": 666}
    assert f"{MOST_EXAMPLES:,} of {2 * MOST_EXAMPLES:,} failures, taken in turns from the clusters" in text
    assert "These are all 30 failures." in task_page(content(30))


def test_a_harmful_kind_shows_ids_and_no_text_and_how_to_get_texts() -> None:
    masked = task_page(replace(content(), harmful=True))
    shown = masked.split('<ol class="cards">')[1].split('<h2 id="judge"')[0]
    assert not re.search(r"question \d|answer \d", shown)
    assert f'<td class="id">{3:016x}</td><td>9</td><td>S1</td><td>0.500</td>' in masked
    assert "include_text: true" in masked
    assert "<code>snakemake --cores 1 results/tiny-math/texts.jsonl</code>" in masked
    files = {"failure_clusters.jsonl": "a" * 64, "texts.jsonl": "c" * 64}
    linked = task_page(replace(content(), harmful=True, files=files))
    assert '<a href="texts.jsonl">texts.jsonl</a>, by id; ' in linked
    assert f'<span class="id">{"c" * 64}</span>' in linked
    assert "include_text" not in linked


def test_judge_training_and_costs_show_what_is_stored() -> None:
    text = task_page(content())
    assert "<td>0.900 <small>[0.800, 0.950]</small></td><td>90 of 100</td>" in text
    assert "<td>\N{EN DASH}</td><td>0 of 0</td>" in text
    assert "No audit.csv is filled in" in text
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text)
    assert [c for c in captions if "oss" in c or "DPO" in c] == [
        "Loss of the warm-up of proposer 0.",
        "Loss of DPO by iteration.",
        "Share of pairs whose chosen instruction DPO prefers.",
        "Loss of the target&#x27;s enhancement by source.",
    ]
    assert '<th scope="row">answer_tests</th><td>tiny</td><td>2</td><td>7</td><td>0</td><td>1,200</td>' in text
    assert '<th scope="row">x</th>' not in text
    assert "results/tiny-math/plan.md" in text


def test_several_labelled_sets_are_shown_one_by_one() -> None:
    shares = [Metric(value=n / 10, low=n / 10 - 0.05, high=n / 10 + 0.05, count=n, total=10) for n in (6, 7)]
    errors = JudgeErrors(
        sensitivity=shares[0], specificity=shares[1], injections=JUDGE.injections, invalid=JUDGE.invalid
    )
    alone = task_page(replace(content(), judge=JUDGE.model_copy(update={"sets": {"mine": errors}})))
    assert "sensitivity on mine" not in alone  # one set is all rows
    text = task_page(replace(content(), judge=JUDGE.model_copy(update={"sets": {"mine": errors, "public": JUDGE}})))
    assert "specificity on public" in text
    line = text[text.index("sensitivity on mine") :].partition("</tr>")[0]
    assert "<td>0.600 <small>[0.550, 0.650]</small></td><td>6 of 10</td>" in line


def test_the_share_of_the_gain_in_saved_models_has_its_reason_only_if_one_is_missing() -> None:
    rows = evaluations(0)
    rows[1] = rows[1].model_copy(update={"metrics": rows[1].metrics | {"training_kept": Metric(value=0.97)}})
    assert "reason for a missing number" not in page_of(rows)
    assert '<th scope="row">tiny-math: proposer, iteration 1</th><td>0.970</td></tr>' in page_of(rows)
    null = Metric(value=None, reason="nothing was <gained>")
    rows[2] = rows[2].model_copy(update={"metrics": rows[2].metrics | {"training_kept": null}})
    assert "reason for a missing number" in page_of(rows)
    assert "<td>\N{EN DASH}</td><td>nothing was &lt;gained&gt;</td>" in page_of(rows)


def test_an_audit_is_beside_the_judge() -> None:
    rows = evaluations(0)
    audit = {"audit_agreement": Metric(value=0.8, count=8, total=10), "audit_kappa": Metric(value=0.6)}
    rows[1] = rows[1].model_copy(update={"metrics": rows[1].metrics | audit})
    text = task_page(replace(content(), evaluations=rows))
    assert "audit of tiny-math, iteration 1" in text
    assert "<td>0.800</td><td>8 of 10</td>" in text
    assert "failure rate by the audit" not in text
    rates = {"failure_rate_audited": Metric(value=0.26, low=0.2, high=0.4), "failure_rate_unique": Metric(value=0.35)}
    rows[1] = rows[1].model_copy(update={"metrics": rows[1].metrics | rates})
    beside = task_page(replace(content(), evaluations=rows))
    assert "failure rate by the audit of tiny-math, iteration 1<small>of distinct instructions; the judge" in beside
    assert "own is 0.350." in beside
    assert "<td>0.260 <small>[0.200, 0.400]</small></td><td></td>" in beside
    assert "No audit.csv is filled in" not in text


def test_a_loss_that_is_no_number_leaves_a_gap() -> None:
    curve = [{"step": 10, "loss": math.nan}, {"step": 20, "loss": 1.0}]
    text = task_page(replace(content(), curves={"iter0": curve}))
    assert not re.search(r"\bnan\b", text.split("<body>")[1])


def test_provenance_is_there_for_every_evaluation() -> None:
    text = page_of(evaluations(0, 1))
    assert text[text.index('<h2 id="provenance"') :].count("<h3>") == 16
    assert "tiny-math.s1: proposer, iteration 2" in text
    assert "&quot;sha256:1&quot;" in text


def test_a_setting_without_which_a_model_could_not_be_asked_is_shown() -> None:
    note = "A system text opens the user's turn of <mine> (`system_turn: user`)."
    parsed = ParsedPage(task_page(PageContent(evaluations(0), settings=[note])))
    assert ("p", note) in parsed.texts
    assert "system_turn" not in page_of(evaluations(0))


def test_a_system_text_that_nobody_configured_is_shown_once_for_all_evaluations() -> None:
    unconfigured = {
        "target": {"model": "mine", "configured": None, "read": "You are <b>good</b>."},
        "teacher": {"model": "solver", "configured": "Be brief.", "read": "Today: 1 May\nBe brief."},
        "judge": {"model": "remote", "configured": "Judge.", "read": None},
    }
    empty = {"target": {"model": "mine", "configured": "", "read": ""}}
    equal = {"target": {"model": "mine", "configured": "Think.", "read": "Think."}}

    def evaluated(texts: dict[str, dict[str, str | None]]) -> list[EvalFile]:
        return [e.model_copy(update={"provenance": {**e.provenance, "system_texts": texts}}) for e in evaluations(0)]

    sentences = system_texts(evaluated(unconfigured))
    assert sentences == [
        'The target mine read a system text that its chat template wrote: "You are <b>good</b>.". None is configured.',
        'The teacher solver read a system text that its chat template wrote: "Today: 1 May\nBe brief.". '
        "The configured one is: Be brief.",
    ]
    assert ("p", sentences[0]) in ParsedPage(task_page(PageContent(evaluated(unconfigured), settings=sentences))).texts
    assert system_texts([*evaluated(empty), *evaluated(equal), *evaluations(1)]) == []


def test_the_judges_their_gap_and_its_alarm_are_shown() -> None:
    share = Metric(value=0.9, low=0.8, high=0.95, count=9, total=10)
    errors = {"sensitivity": share, "specificity": share, "injections": share, "invalid": share}
    alone = {name: JudgeErrors(**errors) for name in ("<one>", "exact")}
    report = JudgeReport(**errors, judges=alone, holdout="exact")
    gap = {"judge_gap": Metric(value=0.25, low=0.1, high=0.4), "failure_rate_holdout": share}
    alarm = "judge_gap grew by 0.2 <b>"
    every = [
        e.model_copy(update={"metrics": {**e.metrics, **gap}, "judge_alarms": [alarm]}) if e.iteration == 2 else e
        for e in evaluations(0)
    ]
    text = task_page(PageContent(every, judge=report))
    assert "sensitivity of exact, the hold-out judge" in text
    assert "sensitivity of &lt;one&gt;" in text
    assert "<b>" not in text.split('<h2 id="judge"')[1].split("<h2")[0]
    assert text.count("judge_gap grew by 0.2 &lt;b&gt;") == 2  # at the top, and in the section of the judge
    assert "Look at the judge alarm" in text
    assert "+0.250" in text
    assert "judge alarm" not in task_page(PageContent(evaluations(0), judge=report))
