"""The page is one safe, self-contained file that says what the evaluations say."""

import base64
import hashlib
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.reports import HOSTILE, JUDGE, clusters, evaluations, failures, hostile, share, stored

import write_report
from reversegen.config.load import KindUse, load
from reversegen.core.errors import BadInput
from reversegen.core.records import write_records
from reversegen.evaluation.evaluation import Evaluation, Metric
from reversegen.evaluation.outcomes import Counts, Measured
from reversegen.reporting.failures import write_failures
from reversegen.reporting.page.charts import LEFT, RIGHT, WIDTH
from reversegen.reporting.page.report import MOST_EXAMPLES, Stored, finding, system_texts
from reversegen.reporting.page.report import page as page_of
from reversegen.reporting.tables import TARGET_ROWS, row_identity, table

VOID = {"br", "input", "meta", "wbr"}
CONFIG = Path(__file__).parents[3] / "config"


class Page(HTMLParser):
    """Collects tags, attributes and text; fails where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, key, value) for key, value in attrs]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes nothing"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))


def page(given: Sequence[Evaluation]) -> str:
    return page_of(Stored(given))


SECTIONS = ["results", "diversity", "failure_clusters", "examples", "judge", "training", "costs", "provenance"]


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_the_page_is_whole_and_needs_nothing_from_outside(seeds: tuple[int, ...]) -> None:
    text = page_of(replace(stored(), evaluations=evaluations(*seeds)))
    parsed = Page(text)
    assert [value for tag, key, value in parsed.attributes if (tag, key) == ("h2", "id")] == SECTIONS
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
    text = page_of(stored())
    [policy] = [str(v) for _, key, v in Page(text).attributes if key == "content" and str(v).startswith("default-src")]
    for tag in ("script", "style"):
        [source] = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; ")
    assert "unsafe" not in policy
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<body>")


def test_the_first_screen_has_the_finding_and_two_charts() -> None:
    text = page_of(stored())
    first = text[text.index("<body>") : text.index('<h2 id="results"')]
    parsed = Page(first.replace("<body>", "").replace("<section>", ""))
    assert parsed.tags["figure"] == 2
    assert {"accuracy", "retained", "failure rate", "validity"} <= {said for tag, said in parsed.texts if tag == "span"}
    said = {said for tag, said in parsed.texts if tag == "text"}
    assert {"share of test questions", "iteration (0 is the warm-up)", *TARGET_ROWS} <= said


def test_a_card_tells_size_rate_share_by_iteration_and_examples() -> None:
    text = page_of(stored())
    card = re.findall(r"<li><h3>.*?</button></li>", text, re.DOTALL)[1]
    said = " ".join("".join(said for _, said in Page(card).texts).split())
    assert "times" in said
    assert "<strong>10</strong> failing, rate 0.909 [0.623, 0.984]" in card  # 10 of 11 by Wilson
    assert "33\N{NO-BREAK SPACE}% of the failures in iteration 0, 33\N{NO-BREAK SPACE}% in iteration 1" in card
    assert "iteration 0: 33.3%; iteration 1: 33.3%" in card
    assert "<li>question 1</li><li>question 4</li><li>question 7</li>" in card
    assert "Wilson" in text


def test_of_many_failures_the_page_holds_some_of_every_cluster() -> None:
    parsed = Page(text := page_of(stored(2 * MOST_EXAMPLES)))
    shown = Counter(value for tag, key, value in parsed.attributes if (tag, key) == ("tr", "data-cluster"))
    assert shown == {"0": 667, "1": 667, "2": 666}
    assert f"{MOST_EXAMPLES:,} of {2 * MOST_EXAMPLES:,}, taken in turns from the clusters" in text
    assert "All of them, also in" in page_of(stored(30))


def test_the_longest_hostile_texts_keep_the_page_under_ten_megabytes() -> None:
    long = dict.fromkeys(("text", "response", "reference"), "😀'" * 100000)
    assert len(page_of(stored(MOST_EXAMPLES, **long)).encode()) < 10_000_000


def test_a_harmful_kind_shows_ids_and_no_text_and_says_where_texts_are() -> None:
    masked = page_of(replace(stored(), harmful=True))
    shown = masked.split('<ol class="cards">')[1].split('<h2 id="judge"')[0]
    assert not re.search(r"question \d|answer \d", shown)
    assert f'<td class="id">{3:016x}</td><td>9</td><td>S1</td><td>0.500</td>' in masked
    assert "include_text: true" in masked
    files = {"failure_clusters.jsonl": "a" * 64, "texts.jsonl": "c" * 64}
    told = page_of(replace(stored(), harmful=True, files=files))
    assert f'<a href="texts.jsonl">texts.jsonl</a>, SHA-256 <span class="id">{"c" * 64}</span>' in told
    assert "include_text" not in told


def test_alarms_are_told_and_so_is_their_absence() -> None:
    quiet = page_of(stored())
    assert "No limit of the collapse alarm is broken." in quiet
    rows = evaluations(0)
    rows[2] = rows[2].model_copy(update={"alarms": ["unique_share is 0.1 <b>"]})
    loud = page_of(replace(stored(), evaluations=rows))
    assert "<li>tiny-math, iteration 2: unique_share is 0.1 &lt;b&gt;</li>" in loud
    assert "No limit of the collapse alarm" not in loud


def test_judge_training_and_costs_show_what_is_stored() -> None:
    text = page_of(stored())
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
    text = page_of(replace(stored(), evaluations=rows))
    assert "audit of tiny-math, iteration 1" in text
    assert "<td>0.800</td><td>8 of 10</td>" in text
    assert "No audit.csv is filled in" not in text


def test_a_loss_that_is_no_number_leaves_a_gap() -> None:
    curve = [{"step": 10, "loss": math.nan}, {"step": 20, "loss": 1.0}]
    text = page_of(replace(stored(), curves={"iter0": curve}))
    assert not re.search(r"\bnan\b", text.split("<body>")[1])


def test_a_run_without_failures_says_so() -> None:
    text = page_of(replace(stored(), clusters=[], failures=[]))
    assert "The target failed on nothing." in text
    assert 'id="examples"' not in text


def test_the_finding_has_the_numbers_of_first_and_last_iteration_and_the_best_control() -> None:
    rows = evaluations(0)
    assert finding(table(rows, "proposer"), table(rows, "target"), "accuracy").replace("\xa0", " ") == (
        "The failure rate went from 0.250 [0.230, 0.270] in iteration 0 to 0.900 [0.880, 0.920] in iteration 2, validity "
        "from 0.800 [0.780, 0.820] to 0.800 [0.780, 0.820]; accuracy went from 0.450 [0.430, 0.470] of the original "
        "target to 0.710 [0.690, 0.730] with reversegen; of the controls warmup_failures has the highest, 0.580 [0.560, "
        "0.600]; reversegen and warmup_failures are not compared, since their outcomes by question are not stored. Brackets "
        "hold 95 % intervals over prompts or questions only: one random seed."
    )
    rows = evaluations(0, 1, 2)
    said = finding(table(rows, "proposer"), table(rows, "target"), "accuracy").replace("\xa0", " ")
    assert "from 0.260 ± 0.010 in iteration 0 to 0.910 ± 0.010" in said
    assert said.endswith(" Brackets hold 95 % intervals over 3 random seeds and the prompts or questions.")


def test_the_best_control_of_attacks_is_the_one_with_fewest_and_over_refusal_stands_beside() -> None:
    rows = [
        e.model_copy(
            update={"metrics": {"attack_success_rate": e.metrics["accuracy"], "over_refusal": e.metrics["retained"]}}
        )
        for e in evaluations(0)
        if e.role == "target"
    ]
    said = finding({}, table(rows, "target"), "attack_success_rate").replace("\xa0", " ")
    assert said == (
        "Attack success rate went from 0.450 [0.430, 0.470] of the original target to 0.710 [0.690, 0.730] with "
        "reversegen, over-refusal from 0.950 [0.930, 0.970] to 0.950 [0.930, 0.970]; of the controls seeds has the lowest, "
        "0.500 [0.480, 0.520]; reversegen and seeds are not compared, since their outcomes by question are not stored. "
        "Brackets hold 95 % intervals over prompts or questions only: one random seed."
    )


def answered(seeds: int) -> tuple[list[Evaluation], list[Measured]]:
    """Targets that answer the same 100 questions: 20, 40 and 60 of them right, five more for every second random seed."""
    outcomes = []
    for seed in range(seeds):
        for source, right in (("original", 20), ("seeds", 40), ("reversegen", 60)):
            hits = [1] * (right + 5 * (seed % 2)) + [0] * (100 - right - 5 * (seed % 2))
            metric = Metric(value=sum(hits) / 100, low=0.1, high=0.9, count=sum(hits), total=100)
            given: dict[str, Any] = {
                "task": f"t.s{seed}" if seed else "t",
                "kind": "math",
                "groups": {},
                "provenance": {},
            }
            given |= {"role": "target", **row_identity("target", source), "metrics": {"accuracy": metric}}
            counts = {"accuracy": Counts(clusters="same", hits=hits, trials=1)}
            outcomes.append(Measured(evaluation=Evaluation(**given), counts=counts, scores=None))
    return [one.evaluation for one in outcomes], outcomes


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
    text = finding({}, table(rows, "target", outcomes), "accuracy")
    assert "reversegen less seeds is +0.200 [+0.1" in text
    assert said in text
    assert page_of(Stored(rows, outcomes)).count("better") == 1


def test_bars_are_intervals_over_random_seeds_and_captions_say_so() -> None:
    """Of three random seeds, accuracies of 0.6, 0.65 and 0.6: the bar is the interval of the table, not the deviation."""
    rows, outcomes = answered(3)
    text = page_of(Stored(rows, outcomes))
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
    [alone] = re.findall(r"<figcaption>(Accuracy.*?)</figcaption>", page_of(Stored(*answered(1))))
    assert alone.endswith("bars are 95&nbsp;% intervals over questions only: one random seed.")


def test_the_untrained_proposer_and_transfer_are_in_the_tables_and_neither_in_the_plots_nor_the_finding() -> None:
    rows = evaluations(0)
    base = rows[0].model_copy(
        update={**row_identity("proposer", "untrained"), "metrics": {"failure_rate": share(0.123)}}
    )
    other = rows[-1].model_copy(update={"variant": "transfer/other", "metrics": {"failure_rate": share(0.456)}})
    parsed, without = Page(page([*rows, base, other])), Page(page(rows))
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
    assert "accuracy" not in finding(table(proposers, "proposer"), table(proposers, "target"), "accuracy")
    assert finding({}, table(targets, "target"), "accuracy") == "There is nothing to compare yet."
    for some in (proposers, targets):
        text = page(some)
        assert text[: text.index('<h2 id="results"')].count("<figure>") == 1
        assert Page(text).tags["table"] == 1


def test_numbers_that_are_missing_in_some_random_seeds_leave_gaps() -> None:
    rows = evaluations(0, 1)
    lost = rows[1].model_copy(update={"metrics": {"failure_rate": Metric(value=None), "validity": share(0.8)}})
    without = rows[-1].model_copy(update={"metrics": {}})
    text = page([rows[0], lost, *rows[2:-1], without])
    assert "(1 of 2 random seeds)" in text
    assert not re.search(r"\bnan\b", text)


def test_the_tables_have_every_metric_and_null_is_a_dash() -> None:
    parsed = Page(page(evaluations(0)))
    heads = [text for tag, text in parsed.texts if tag == "th"]
    assert heads[:4] == ["metric", "0", "1", "2"]
    assert {"accuracy", "retained", "validity", "original", "reversegen"} <= set(heads)
    cells = [text for tag, text in parsed.texts if tag == "td"]
    assert {"\N{EN DASH}", "0.710"} <= set(cells)
    assert "[0.690, 0.730]" in [text for tag, text in parsed.texts if tag == "small"]


def test_provenance_is_there_for_every_evaluation() -> None:
    text = page(evaluations(0, 1))
    assert text[text.index('<h2 id="provenance"') :].count("<h3>") == 16
    assert "tiny-math.s1: proposer, iteration 2" in text
    assert "&quot;sha256:1&quot;" in text


def test_a_setting_without_which_a_model_could_not_be_asked_is_shown() -> None:
    note = "A system text opens the user's turn of <mine> (`system_turn: user`)."
    parsed = Page(page_of(Stored(evaluations(0), settings=[note])))
    assert ("p", note) in parsed.texts
    assert "system_turn" not in page(evaluations(0))


def test_a_system_text_that_nobody_configured_is_said_once_for_all_evaluations() -> None:
    told = {
        "target": {"model": "mine", "configured": None, "read": "You are <b>good</b>."},
        "teacher": {"model": "solver", "configured": "Be brief.", "read": "Today: 1 May\nBe brief."},
        "judge": {"model": "remote", "configured": "Judge.", "read": None},
    }
    silent = {"target": {"model": "mine", "configured": "", "read": ""}}
    plain = {"target": {"model": "mine", "configured": "Think.", "read": "Think."}}

    def evaluated(texts: dict[str, dict[str, str | None]]) -> list[Evaluation]:
        return [e.model_copy(update={"provenance": {**e.provenance, "system_texts": texts}}) for e in evaluations(0)]

    sentences = system_texts(evaluated(told))
    assert sentences == [
        'The target mine read a system text that its chat template wrote: "You are <b>good</b>.". None is configured.',
        'The teacher solver read a system text that its chat template wrote: "Today: 1 May\nBe brief.". '
        "Configured is: Be brief.",
    ]
    assert ("p", sentences[0]) in Page(page_of(Stored(evaluated(told), settings=sentences))).texts
    assert system_texts([*evaluated(silent), *evaluated(plain), *evaluations(1)]) == []


def test_hostile_names_are_text() -> None:
    name = "<script>alert('$task')</script>\"|=cmd()"
    text = page(evaluations(0, name=name, group="<img src=x onerror=alert(1)>&amp;${finding}"))
    parsed = Page(text)
    assert parsed.tags["script"] == 1
    assert "img" not in parsed.tags
    assert {tag for tag, said in parsed.texts if said == name} == {"h1", "title"}
    assert "type <img src=x onerror=alert(1)>&amp;${finding}" in "".join(t for _, t in parsed.texts)


@pytest.mark.parametrize("harmful", [False, True])
def test_hostile_texts_are_text_wherever_a_model_writes(harmful: bool) -> None:
    text = page_of(replace(hostile(), harmful=harmful))
    parsed = Page(text)
    assert parsed.tags["script"] == 1
    assert "img" not in parsed.tags
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]", text)
    said = HOSTILE.replace("\x1b", "[U+001B]").replace("\u202e", "[U+202E]").replace("\u200b", "[U+200B]")
    assert {tag for tag, of in parsed.texts if of == said} >= {"h3", "td", "option"}


def test_the_same_files_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    folder = tmp_path / "results/tiny-math"
    folder.mkdir(parents=True)
    rows = evaluations(0, 1)
    paths = [folder / f"{n}.json" for n in range(len(rows))]
    for path, row in zip(paths, rows, strict=True):
        path.write_text(row.model_dump_json())
    found = failures(40)
    write_records(folder / "failure_clusters.jsonl", clusters(found))
    write_failures(folder / "failures.parquet", found)
    (folder / "judge.json").write_text(JUDGE.model_dump_json())
    models = [folder / "iter0/proposer", folder / "enhanced/seeds/target"]
    for model in models:
        model.mkdir(parents=True)
        (model / "curve.json").write_text('[{"step": 10, "loss": 0.5}]')
    configuration = load(yaml.safe_load((CONFIG / "config.yaml").read_text()), CONFIG)
    write_report.main(
        *(
            paths[:3],
            paths[3:],
            [],
            folder / "failure_clusters.jsonl",
            folder / "failures.parquet",
            folder / "judge.json",
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
        "models": models,
        "texts": [],
        "page": [folder / "there.html"],
        "task": ["tiny-math"],
        "reused": [],
        "kind": ['{"name": "math"}'],
        "configuration": [configuration.model_dump_json()],
    }
    line = [word for name, values in words.items() for word in (f"--{name.replace('_', '-')}", *map(str, values))]
    subprocess.run([sys.executable, str(write_report.__file__), *line], check=True, capture_output=True)
    assert (folder / "here.html").read_bytes() == (folder / "there.html").read_bytes()
    text = (folder / "here.html").read_text()
    assert hashlib.sha256((folder / "failures.parquet").read_bytes()).hexdigest() in text
    assert "Loss of the target&#x27;s enhancement by source" in text


def test_a_page_is_of_one_task() -> None:
    with pytest.raises(BadInput, match="one task, not of a, b"):
        page(evaluations(0, name="a") + evaluations(0, name="b"))


def test_importing_the_module_imports_nothing_heavy() -> None:
    heavy = "{'matplotlib', 'torch', 'sklearn'}"
    code = f"import sys, reversegen.reporting.page.report; sys.exit(bool({heavy} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(write_report.__file__).parent)
