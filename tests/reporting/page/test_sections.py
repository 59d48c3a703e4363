"""The sections of the page show what is stored."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace

from tests.support.page_inputs import (
    ParsedPage,
    content,
    evaluations,
    page_of,
)

from reversegen.core.metric import Metric
from reversegen.evaluation.eval_file import EvalFile
from reversegen.reporting.page.content import PageContent, system_texts
from reversegen.reporting.page.examples import MOST_EXAMPLES
from reversegen.reporting.page.page import task_page


def test_the_tables_have_every_metric_and_null_is_a_dash() -> None:
    parsed = ParsedPage(page_of(evaluations(0)))
    heads = [text for tag, text in parsed.texts if tag == "th"]
    assert heads[:4] == ["metric", "0", "1", "2"]
    assert {"accuracy", "retained", "validity", "original", "reversegen"} <= set(heads)
    cells = [text for tag, text in parsed.texts if tag == "td"]
    assert {"\N{EN DASH}", "0.710"} <= set(cells)
    assert "[0.690, 0.730]" in [text for tag, text in parsed.texts if tag == "small"]


def test_alarms_are_told_and_so_is_their_absence() -> None:
    quiet = task_page(content())
    assert "No limit of the collapse alarm is broken." in quiet
    rows = evaluations(0)
    rows[2] = rows[2].model_copy(update={"alarms": ["unique_share is 0.1 <b>"]})
    loud = task_page(replace(content(), evaluations=rows))
    assert "<li>tiny-math, iteration 2: unique_share is 0.1 &lt;b&gt;</li>" in loud
    assert "No limit of the collapse alarm" not in loud


def test_a_card_tells_size_rate_share_by_iteration_and_examples() -> None:
    text = task_page(content())
    card = re.findall(r"<li><h3>.*?</button></li>", text, re.DOTALL)[1]
    said = " ".join("".join(said for _, said in ParsedPage(card).texts).split())
    assert "times" in said
    assert "<strong>10</strong> failing, rate 0.909 [0.623, 0.984]" in card  # 10 of 11 by Wilson
    assert "33\N{NO-BREAK SPACE}% of the failures in iteration 0, 33\N{NO-BREAK SPACE}% in iteration 1" in card
    assert "iteration 0: 33.3%; iteration 1: 33.3%" in card
    assert "<li>question 1</li><li>question 4</li><li>question 7</li>" in card
    assert "Wilson" in text


def test_a_run_without_failures_says_so() -> None:
    text = task_page(replace(content(), clusters=[], failures=[]))
    assert "The target failed on nothing." in text
    assert 'id="examples"' not in text


def test_of_many_failures_the_page_holds_some_of_every_cluster() -> None:
    parsed = ParsedPage(text := task_page(content(2 * MOST_EXAMPLES)))
    shown = Counter(value for tag, key, value in parsed.attributes if (tag, key) == ("tr", "data-cluster"))
    assert shown == {"0": 667, "1": 667, "2": 666}
    assert f"{MOST_EXAMPLES:,} of {2 * MOST_EXAMPLES:,}, taken in turns from the clusters" in text
    assert "All of them, also in" in task_page(content(30))


def test_a_harmful_kind_shows_ids_and_no_text_and_says_where_texts_are() -> None:
    masked = task_page(replace(content(), harmful=True))
    shown = masked.split('<ol class="cards">')[1].split('<h2 id="judge"')[0]
    assert not re.search(r"question \d|answer \d", shown)
    assert f'<td class="id">{3:016x}</td><td>9</td><td>S1</td><td>0.500</td>' in masked
    assert "include_text: true" in masked
    files = {"failure_clusters.jsonl": "a" * 64, "texts.jsonl": "c" * 64}
    told = task_page(replace(content(), harmful=True, files=files))
    assert f'<a href="texts.jsonl">texts.jsonl</a>, SHA-256 <span class="id">{"c" * 64}</span>' in told
    assert "include_text" not in told


def test_judge_training_and_costs_show_what_is_stored() -> None:
    text = task_page(content())
    assert "<td>0.900 [0.800, 0.950]</td><td>90 of 100</td>" in text
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


def test_an_audit_stands_beside_the_judge() -> None:
    rows = evaluations(0)
    audit = {"audit_agreement": Metric(value=0.8, count=8, total=10), "audit_kappa": Metric(value=0.6)}
    rows[1] = rows[1].model_copy(update={"metrics": rows[1].metrics | audit})
    text = task_page(replace(content(), evaluations=rows))
    assert "audit of tiny-math, iteration 1" in text
    assert "<td>0.800</td><td>8 of 10</td>" in text
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


def test_a_system_text_that_nobody_configured_is_said_once_for_all_evaluations() -> None:
    told = {
        "target": {"model": "mine", "configured": None, "read": "You are <b>good</b>."},
        "teacher": {"model": "solver", "configured": "Be brief.", "read": "Today: 1 May\nBe brief."},
        "judge": {"model": "remote", "configured": "Judge.", "read": None},
    }
    silent = {"target": {"model": "mine", "configured": "", "read": ""}}
    plain = {"target": {"model": "mine", "configured": "Think.", "read": "Think."}}

    def evaluated(texts: dict[str, dict[str, str | None]]) -> list[EvalFile]:
        return [e.model_copy(update={"provenance": {**e.provenance, "system_texts": texts}}) for e in evaluations(0)]

    sentences = system_texts(evaluated(told))
    assert sentences == [
        'The target mine read a system text that its chat template wrote: "You are <b>good</b>.". None is configured.',
        'The teacher solver read a system text that its chat template wrote: "Today: 1 May\nBe brief.". '
        "Configured is: Be brief.",
    ]
    assert ("p", sentences[0]) in ParsedPage(task_page(PageContent(evaluated(told), settings=sentences))).texts
    assert system_texts([*evaluated(silent), *evaluated(plain), *evaluations(1)]) == []
