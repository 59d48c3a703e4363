"""The page is one safe, self-contained file that says what the evaluations say."""

import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import write_report
from reversegen.errors import BadInput
from reversegen.evaluation import Evaluation, Metric
from reversegen.report import finding, page
from reversegen.tables import SOURCES, table

VOID = {"br", "link", "meta", "wbr"}
ACCURACY = dict(zip(SOURCES, (0.45, 0.52, 0.58, 0.5, 0.71), strict=True))


def share(value: float | None) -> Metric:
    return Metric(value=value) if value is None else Metric(value=value, low=value - 0.02, high=value + 0.02)


def evaluations(*seeds: int, name: str = "tiny-math", group: str = "add_add") -> list[Evaluation]:
    """Iterations 0 to 2 and all sources; each random seed is 0.01 above the one before."""
    found = []
    for seed in seeds:
        given: dict[str, Any] = {"task": f"{name}.s{seed}" if seed else name, "kind": "math"}
        given["provenance"] = {"configuration": f"sha256:{seed}", "random_seeds": {"task": seed}, "note": f"<{group}>"}
        for k, rate in enumerate((0.25, 0.6, 0.9)):
            metrics = {
                "failure_rate": share(rate + seed / 100),
                "validity": share(0.8),
                "distinct_3": Metric(value=None),
            }
            found.append(Evaluation(**given, role="proposer", iteration=k, source=None, metrics=metrics, groups={}))
        for source, accuracy in ACCURACY.items():
            metrics = {"accuracy": share(accuracy + seed / 100), "retained": share(0.95), "invalid_share": share(0.01)}
            groups = {"type": {group: {"accuracy": share(0.3)}}}
            found.append(
                Evaluation(**given, role="target", iteration=None, source=source, metrics=metrics, groups=groups)
            )
    return found


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


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_the_page_is_whole_and_needs_nothing_from_outside(seeds: tuple[int, ...]) -> None:
    text = page(evaluations(*seeds))
    parsed = Page(text)
    assert (parsed.tags["svg"], parsed.tags["table"], parsed.tags["details"], parsed.tags["h1"]) == (2, 2, 1, 1)
    assert not parsed.tags.keys() & {"script", "link", "img", "iframe", "image", "object", "a", "base", "metadata"}
    links = re.findall(r'\S*https?://[^"\s]*', text)
    assert {link.split("=")[0] for link in links} == {"xmlns", "xmlns:xlink"}
    assert "@import" not in text
    outside = [value for _, key, value in parsed.attributes if key in ("src", "href", "xlink:href")]
    assert all(str(value).startswith("#") for value in outside)
    ids = [value for _, key, value in parsed.attributes if key == "id"]
    assert len(ids) == len(set(ids)), "each plot has ids of its own"
    used = {str(value)[1:] for value in outside} | set(re.findall(r"url\(#([^)]*)\)", text))
    assert used <= set(ids)


def test_plots_have_text_as_text_and_the_colours_of_the_page() -> None:
    parsed = Page(page(evaluations(0)))
    labels = {text for tag, text in parsed.texts if tag == "text"}
    assert labels >= {"failure rate", "validity", "accuracy", "retained", "share of samples", "share of test questions"}
    assert labels >= {"iteration (0 is the warm-up)", *SOURCES}
    styles = " ".join(str(value) for _, key, value in parsed.attributes if key == "style")
    assert set(re.findall(r"currentColor|var\([^)]*\)", styles)) == {"currentColor", "var(--first)", "var(--second)"}
    assert not re.search(r"#[0-9a-f]{3,6}\b", styles), "a fixed colour is lost in light or in dark"
    assert sum(key == "aria-label" for tag, key, _ in parsed.attributes if tag == "svg") == 2


def test_the_finding_has_the_numbers_of_first_and_last_iteration_and_the_best_control() -> None:
    rows = evaluations(0)
    assert finding(table(rows, "proposer"), table(rows, "target"), "accuracy").replace("\xa0", " ") == (
        "The failure rate went from 0.250 [0.230, 0.270] in iteration 0 to 0.900 [0.880, 0.920] in iteration 2, validity "
        "from 0.800 [0.780, 0.820] to 0.800 [0.780, 0.820], accuracy went from 0.450 [0.430, 0.470] of the untouched "
        "target to 0.710 [0.690, 0.730] with reversegen, beside 0.580 [0.560, 0.600] with the best control, "
        "warmup_failures."
    )
    rows = evaluations(0, 1, 2)
    said = finding(table(rows, "proposer"), table(rows, "target"), "accuracy").replace("\xa0", " ")
    assert "from 0.260 ± 0.010 in iteration 0 to 0.910 ± 0.010" in said


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
        "Attack success rate went from 0.450 [0.430, 0.470] of the untouched target to 0.710 [0.690, 0.730] with "
        "reversegen, over-refusal from 0.950 [0.930, 0.970] to 0.950 [0.930, 0.970], beside 0.500 [0.480, 0.520] with the "
        "best control, seeds."
    )


def test_baseline_and_transfer_are_in_the_tables_and_neither_in_the_plots_nor_the_finding() -> None:
    rows = evaluations(0)
    base = rows[0].model_copy(
        update={"iteration": None, "source": "baseline", "metrics": {"failure_rate": share(0.123)}}
    )
    other = rows[-1].model_copy(update={"source": "transfer/other", "metrics": {"failure_rate": share(0.456)}})
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
    targets = [e for e in rows if e.source in ("seeds", "reversegen")]
    assert "accuracy" not in finding(table(proposers, "proposer"), table(proposers, "target"), "accuracy")
    assert finding({}, table(targets, "target"), "accuracy") == "There is nothing to compare yet."
    for some in (proposers, targets):
        tags = Page(page(some)).tags
        assert (tags["svg"], tags["table"]) == (1, 1)


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
    assert {"accuracy", "retained", "validity", "baseline", "reversegen"} <= set(heads)
    cells = [text for tag, text in parsed.texts if tag == "td"]
    assert {"\N{EN DASH}", "0.710"} <= set(cells)
    assert "[0.690, 0.730]" in [text for tag, text in parsed.texts if tag == "small"]


def test_provenance_is_there_for_every_evaluation() -> None:
    text = page(evaluations(0, 1))
    assert text.count("<h3>") == 16
    assert "tiny-math.s1: proposer, iteration 2" in text
    assert "&quot;sha256:1&quot;" in text


def test_hostile_names_are_text() -> None:
    name = "<script>alert('$task')</script>\"|=cmd()"
    text = page(evaluations(0, name=name, group="<img src=x onerror=alert(1)>&amp;${finding}"))
    parsed = Page(text)
    assert not parsed.tags.keys() & {"script", "img"}
    assert {tag for tag, said in parsed.texts if said == name} == {"h1", "title"}
    assert "type <img src=x onerror=alert(1)>&amp;${finding}" in "".join(t for _, t in parsed.texts)


def test_the_same_evaluations_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    rows = evaluations(0, 1)
    paths = [tmp_path / f"{n}.json" for n in range(len(rows))]
    for path, row in zip(paths, rows, strict=True):
        path.write_text(row.model_dump_json())
    write_report.main(paths[:3], paths[3:], tmp_path / "here.html", "tiny-math", [])
    words = [
        "--proposers",
        *map(str, paths[:2:-1]),
        "--targets",
        *map(str, paths[:3]),
        "--page",
        str(tmp_path / "there.html"),
        "--task",
        "tiny-math",
        "--reused",
    ]
    subprocess.run([sys.executable, str(write_report.__file__), *words], check=True, capture_output=True)
    assert (tmp_path / "here.html").read_bytes() == (tmp_path / "there.html").read_bytes()


def test_a_page_is_of_one_task() -> None:
    with pytest.raises(BadInput, match="one task, not of a, b"):
        page(evaluations(0, name="a") + evaluations(0, name="b"))


def test_importing_the_module_imports_no_plots() -> None:
    code = "import sys, reversegen.report, reversegen.tables; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(write_report.__file__).parent)
