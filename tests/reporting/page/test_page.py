"""The page is one safe, self-contained file."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.support.page_inputs import (
    HOSTILE,
    JUDGE,
    ParsedPage,
    audits,
    clusters,
    content,
    evaluations,
    failures,
    hostile,
    judgement,
    page_of,
    share,
)
from tests.support.wildcards import wild

import write_report
from reversegen.config.task import KindUse
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.core.metric import Metric
from reversegen.core.records import write_records
from reversegen.evaluation.audit import write_audit
from reversegen.reporting.failures import write_failures
from reversegen.reporting.page.examples import MOST_EXAMPLES
from reversegen.reporting.page.page import task_page
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.tasks import planned_configuration

CONFIG = Path(__file__).parents[3] / "config"


FIRST_SCREEN = ["finding", "certainty", "steps"]
SECTIONS = ["diversity", "failure_clusters", "examples", "results", "judge", "audit", "training", "costs", "provenance"]


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_the_page_is_whole_and_needs_nothing_from_outside(seeds: tuple[int, ...]) -> None:
    text = task_page(replace(content(), evaluations=evaluations(*seeds)))
    parsed = ParsedPage(text)
    assert [value for tag, key, value in parsed.attributes if (tag, key) == ("h2", "id")] == FIRST_SCREEN + SECTIONS
    assert parsed.tags["h1"] == parsed.tags["script"] == parsed.tags["style"] == 1
    assert not parsed.tags.keys() & {"link", "img", "iframe", "image", "object", "base", "embed"}
    assert "http:" not in text
    assert "https:" not in text
    assert "@import" not in text
    links = {str(value) for _, key, value in parsed.attributes if key in ("src", "href", "action")}
    assert links == {"failures.parquet", "failure_clusters.jsonl", *(f"#{section}" for section in SECTIONS)}
    ids = [value for _, key, value in parsed.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    assert not [key for _, key, _ in parsed.attributes if key == "style" or key.startswith("on")]


def test_the_policy_names_the_one_script_and_the_one_style_by_their_hash() -> None:
    text = task_page(content())
    [policy] = [
        str(v) for _, key, v in ParsedPage(text).attributes if key == "content" and str(v).startswith("default-src")
    ]
    for tag in ("script", "style"):
        [source] = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; ")
    assert "unsafe" not in policy
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<body>")


def test_the_longest_hostile_texts_keep_the_page_under_ten_megabytes() -> None:
    long = dict.fromkeys(("text", "response", "reference"), "😀'" * 100000)
    assert len(task_page(content(MOST_EXAMPLES, **long)).encode()) < 10_000_000


def test_numbers_that_are_missing_in_some_random_seeds_leave_gaps() -> None:
    rows = evaluations(0, 1)
    null = rows[1].model_copy(update={"metrics": {"failure_rate": Metric(value=None), "validity": share(0.8)}})
    without = rows[-1].model_copy(update={"metrics": {}})
    text = page_of([rows[0], null, *rows[2:-1], without])
    assert "(1 of 2 random seeds)" in text
    assert not re.search(r"\bnan\b", text)


def test_hostile_names_are_text() -> None:
    name = "<script>alert('$task')</script>\"|=cmd()"
    text = page_of(evaluations(0, name=name, group="<img src=x onerror=alert(1)>&amp;${finding}"))
    parsed = ParsedPage(text)
    assert parsed.tags["script"] == 1
    assert "img" not in parsed.tags
    assert {tag for tag, text in parsed.texts if text == name} == {"h1", "title"}
    assert ("th", "<img src=x onerror=alert(1)>&amp;${finding}") in parsed.texts


@pytest.mark.parametrize("harmful", [False, True])
def test_hostile_texts_are_text_wherever_a_model_writes(harmful: bool) -> None:
    text = task_page(replace(hostile(), harmful=harmful))
    parsed = ParsedPage(text)
    assert parsed.tags["script"] == 1
    assert "img" not in parsed.tags
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]", text)
    shown = HOSTILE.replace("\x1b", "[U+001B]").replace("\u202e", "[U+202E]").replace("\u200b", "[U+200B]")
    assert {tag for tag, text in parsed.texts if text == shown} >= {"h3", "td", "option"}


@pytest.mark.slow
def test_the_same_files_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    folder = tmp_path / "results/tiny-math"
    folder.mkdir(parents=True)
    rows = evaluations(0, 1)
    paths = [folder / f"{n}.json" for n in range(len(rows))]
    for path, row in zip(paths, rows, strict=True):
        path.write_text(row.model_dump_json())
    failing = failures(40)
    write_records(folder / "failure_clusters.jsonl", clusters(failing))
    write_failures(folder / "failures.parquet", failing)
    (folder / "judge.json").write_text(JUDGE.model_dump_json())
    models = [folder / "iter0/proposer", folder / "enhanced/seeds/target"]
    for model in models:
        model.mkdir(parents=True)
        (model / "curve.json").write_text('[{"step": 10, "loss": 0.5}]')
    audit, judgements = folder / "iter0/audit.csv", folder / "iter0/judgements/guard.jsonl"
    write_audit(audit, audits(failing)[0].rows)
    write_records(judgements, [judgement(failing[0].instruction_id, "failed")])
    shipped = load_configuration(yaml.safe_load((CONFIG / "config.yaml").read_text()), CONFIG)
    written = planned_configuration(shipped, wild(task="tiny-math"))
    configuration = Configuration.model_validate_json(written)
    write_report.main(
        *(
            paths[:3],
            paths[3:],
            [],
            folder / "failure_clusters.jsonl",
            folder / "failures.parquet",
            folder / "judge.json",
            [audit],
            [judgements],
            models,
            [],
        ),
        *(folder / "here.html", "tiny-math", [], KindUse(name="math"), configuration),
    )
    words = {
        "proposers": [*paths[:2:-1]],
        "targets": [*paths[:3]],
        "tests": [],
        "failure_clusters": [folder / "failure_clusters.jsonl"],
        "failures": [folder / "failures.parquet"],
        "judge": [folder / "judge.json"],
        "audits": [audit],
        "judgements": [judgements],
        "models": models,
        "texts": [],
        "page": [folder / "there.html"],
        "task": ["tiny-math"],
        "reused": [],
        "kind": ['{"name": "math"}'],
        "configuration": [written],
    }
    line = [word for name, values in words.items() for word in (f"--{name.replace('_', '-')}", *map(str, values))]
    subprocess.run([sys.executable, str(write_report.__file__), *line], check=True, capture_output=True)
    assert (folder / "here.html").read_bytes() == (folder / "there.html").read_bytes()
    text = (folder / "here.html").read_text()
    assert hashlib.sha256((folder / "failures.parquet").read_bytes()).hexdigest() in text
    assert "Loss of the target&#x27;s enhancement by source" in text


def test_a_page_is_of_one_task() -> None:
    with pytest.raises(BadInput, match="one task, not a, b"):
        page_of(evaluations(0, name="a") + evaluations(0, name="b"))


def test_importing_the_module_imports_nothing_heavy() -> None:
    heavy = "{'matplotlib', 'torch', 'sklearn'}"
    code = f"import sys, reversegen.reporting.page.page; sys.exit(bool({heavy} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(write_report.__file__).parent)
