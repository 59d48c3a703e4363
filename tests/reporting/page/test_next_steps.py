"""The steps on the first screen fit the state of the task, and their commands are whole."""

from __future__ import annotations

import html
import re
import shlex
from dataclasses import replace

import pytest
from tests.support.page_inputs import answered, content, evaluations

from reversegen.core.metric import Metric
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.next_steps import next_steps


def titles(text: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", title) for title in re.findall(r"<li><strong>(.*?)</strong>", text)]


def commands(text: str) -> list[str]:
    found = re.findall(r'<code class="command">(.*?)</code>', text)
    return [html.unescape(re.sub(r"<[^>]+>", "", line)) for line in found]


def test_a_finished_task_with_one_random_seed_has_four_steps() -> None:
    text = next_steps(content())
    assert titles(text) == [
        "Run 4 more random seeds:",
        "Read the 3 failure clusters.",
        "Check the verdicts yourself.",
        "Push the data set to a hub.",
    ]
    assert commands(text) == [
        "snakemake --cores all results/tiny-math/report.html --config 'random_seeds=[0,1,2,3,4]'",
        "snakemake --cores all results/tiny-math/report.html",
        "snakemake --cores all results/tiny-math/pushed/dataset.json "
        "--config 'push={owner: ME, private: true, token_env: HF_TOKEN}'",
    ]
    assert "The largest holds 33\N{NO-BREAK SPACE}% of the failures. Its words: plus, minus." in text
    assert "<code>results/tiny-math/iter2/audit.csv</code>" in text


@pytest.mark.parametrize(
    ("seeds", "title", "listed"),
    [
        ((0, 1, 2), "Run 2 more random seeds:", "0,1,2,3,4"),
        ((0, 1, 2, 7), "Run 1 more random seed:", "0,1,2,3,7"),
        ((2,), "Run 4 more random seeds:", "0,1,2,3,4"),
    ],
)
def test_more_random_seeds_are_added_to_those_that_there_are(seeds: tuple[int, ...], title: str, listed: str) -> None:
    text = next_steps(replace(content(), evaluations=evaluations(*seeds)))
    assert titles(text)[0] == title
    assert f"results/tiny-math/report.html --config 'random_seeds=[{listed}]'" in commands(text)[0]


def test_a_page_of_several_random_seeds_is_made_again_with_all_of_them() -> None:
    assert commands(next_steps(replace(content(), evaluations=evaluations(0, 1, 2))))[1] == (
        "snakemake --cores all results/tiny-math/report.html --config 'random_seeds=[0,1,2]'"
    )
    assert commands(next_steps(replace(content(), evaluations=evaluations(2))))[1] == (
        "snakemake --cores all results/tiny-math.s2/report.html"
    )


def test_a_finished_step_is_left_out() -> None:
    rows = evaluations(0)
    audit = {"audit_agreement": Metric(value=0.8, count=8, total=10), "audit_kappa": Metric(value=0.6)}
    rows[2] = rows[2].model_copy(update={"metrics": rows[2].metrics | audit})
    text = next_steps(replace(content(), evaluations=rows))
    assert "Check the verdicts yourself." not in titles(text)
    assert not [title for title in titles(next_steps(PageContent(*answered(5)))) if "random seed" in title]


def test_missing_parts_come_first_with_the_command_that_makes_them() -> None:
    rows = [e for e in evaluations(0) if e.role == "target"]
    text = next_steps(PageContent(rows))
    assert titles(text)[0] == "Make the missing evaluations of the proposer and failure clusters."
    assert commands(text)[0] == "snakemake --cores all results/tiny-math/report.html"
    assert not {"Check the verdicts yourself.", "Push the data set to a hub."} & set(titles(text))


def test_a_collapse_alarm_is_a_step() -> None:
    rows = evaluations(0)
    rows[2] = rows[2].model_copy(update={"alarms": ["unique_share is 0.1"]})
    assert titles(next_steps(replace(content(), evaluations=rows)))[0] == "Look at the collapse alarm"


def test_a_hostile_name_stays_one_word_of_the_shell() -> None:
    name = "a'; rm -rf $HOME <b>"
    for line in commands(next_steps(PageContent(evaluations(0, name=name)))):
        assert f"results/{name}/report.html" in shlex.split(line)
