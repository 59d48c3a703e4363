"""The page in a real browser: it loads, filters, explains its terms, runs no code of a model, fetches nothing and prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.browser import CHROMIUM, Browser, browser
from tests.support.page_inputs import HOSTILE, content, hostile

from reversegen.evaluation.eval_file import FAILURE_RATE
from reversegen.reporting.page.examples import MOST_EXAMPLES
from reversegen.reporting.page.frame import ROWS_AT_ONCE, html_document
from reversegen.reporting.page.page import task_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the PATH")

VISIBLE = '[...document.querySelectorAll("#filters ~ .examples tbody tr")].filter((row) => !row.hidden)'
COUNT = f"{VISIBLE}.length"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def shown(chromium: Browser, folder: Path, html: str, width: int = 1200) -> Browser:
    """The browser with the page open, after a check that it fetched only the page and has no complaint."""
    path = folder / "report.html"
    path.write_text(html)
    chromium.open(path, width)
    assert chromium.requests == [path.as_uri()]
    assert chromium.complaints == []
    return chromium


def choose(chromium: Browser, name: str, value: str) -> None:
    field = f'document.querySelector("#filters").elements["{name}"]'
    chromium.run(f'{field}.value = {value!r}; {field}.dispatchEvent(new Event("input", {{bubbles: true}}))')


def output(chromium: Browser) -> str:
    return str(chromium.run('document.querySelector("#filters output").textContent'))


def test_filters_show_as_many_rows_as_a_count_by_hand(chromium: Browser, tmp_path: Path) -> None:
    shown(chromium, tmp_path, task_page(content(30)))
    assert chromium.run(COUNT) == 30
    choose(chromium, "cluster", "1")
    assert (chromium.run(COUNT), output(chromium)) == (10, "10 of 30")
    choose(chromium, "iteration", "0")  # n = 4, 10, 16, 22, 28
    assert chromium.run(COUNT) == 5
    choose(chromium, "group", "0")  # even: a multiple of 5
    assert chromium.run(f"{VISIBLE}.map((row) => row.cells[3].textContent)") == ["question 10"]
    chromium.run('document.querySelector("#filters button").click()')
    chromium.run("new Promise((done) => setTimeout(done))")
    assert output(chromium) == "30 of 30"
    choose(chromium, "search", " QUESTION 2")  # 2, 20 to 29
    assert chromium.run(COUNT) == 11
    choose(chromium, "search", "nowhere")
    assert (chromium.run(COUNT), output(chromium)) == (0, "0 of 30")
    assert not chromium.complaints
    assert chromium.run('document.querySelectorAll("details .examples tbody tr[hidden]").length') == 0  # the audits


def test_a_card_shows_the_examples_of_its_cluster(chromium: Browser, tmp_path: Path) -> None:
    shown(chromium, tmp_path, task_page(content(30)))
    choose(chromium, "search", "nowhere")
    chromium.run('document.querySelectorAll("button[data-cluster]")[2].click()')
    assert chromium.run(f"{VISIBLE}.map((row) => row.dataset.cluster)") == ["2"] * 10


def test_long_tables_unfold_in_steps(chromium: Browser, tmp_path: Path) -> None:
    shown(chromium, tmp_path, task_page(content(MOST_EXAMPLES + 100)))
    steps = []
    for _ in range(6):
        steps.append(chromium.run(COUNT))
        chromium.run('document.querySelector("#more").click()')
    assert steps == [
        ROWS_AT_ONCE,
        2 * ROWS_AT_ONCE,
        4 * ROWS_AT_ONCE,
        8 * ROWS_AT_ONCE,
        16 * ROWS_AT_ONCE,
        MOST_EXAMPLES,
    ]
    assert chromium.run('document.querySelector("#more").hidden')
    choose(chromium, "cluster", "0")
    assert chromium.run(COUNT) == ROWS_AT_ONCE
    assert output(chromium) == f"667 of {MOST_EXAMPLES}"


@pytest.mark.parametrize("harmful", [False, True])
def test_no_text_of_a_model_runs_and_nothing_is_fetched(chromium: Browser, tmp_path: Path, harmful: bool) -> None:
    shown(chromium, tmp_path, task_page(replace(hostile(), harmful=harmful)))
    assert chromium.run("typeof window.pwned") == "undefined"
    assert chromium.run("document.querySelectorAll('script, img').length") == 1
    assert HOSTILE.split("\x1b")[0] in chromium.run("document.body.textContent")
    assert chromium.run(f"{COUNT}") == 20


def test_the_policy_stops_unescaped_code(chromium: Browser, tmp_path: Path) -> None:
    """If the page had a fault and did not escape a text, the policy alone would have to stop it."""
    unescaped = (
        "<p>before</p><script>window.pwned = 1</script><img src='http://127.0.0.1:9/x.png' onerror='window.pwned = 2'>"
        "<a id='a' href='javascript:void(window.pwned = 3)'>x</a><iframe src='data:text/html,x'></iframe>"
        "<link rel='stylesheet' href='http://127.0.0.1:9/x.css'><p style='color: rgb(1, 2, 3)' id='p'>after</p>"
        "<form action='http://127.0.0.1:9/' id='f'></form>"
    )
    path = tmp_path / "report.html"
    path.write_text(html_document("t", unescaped))
    chromium.open(path)
    chromium.run('document.querySelector("#a").click(); document.querySelector("#f").submit(); 1')
    chromium.run("new Promise((done) => setTimeout(done, 200))")
    assert chromium.run("typeof window.pwned") == "undefined"
    assert chromium.run('getComputedStyle(document.querySelector("#p")).color') != "rgb(1, 2, 3)"
    assert chromium.run("location.protocol") == "file:"
    assert len([c for c in chromium.complaints if "Content Security Policy" in c]) >= 5


@pytest.mark.parametrize("width", [1280, 768, 360])
def test_no_part_is_wider_than_the_screen(chromium: Browser, tmp_path: Path, width: int) -> None:
    shown(chromium, tmp_path, task_page(content(30)), width)
    assert chromium.run("document.documentElement.scrollWidth <= innerWidth")
    chromium.run('document.querySelectorAll("details").forEach((one) => { one.open = true; })')
    assert chromium.run("document.documentElement.scrollWidth <= innerWidth")
    outside = """[...document.querySelectorAll("figure svg text")].filter((text) => {
      const box = text.getBoundingClientRect(), chart = text.closest("svg").getBoundingClientRect();
      return box.left < chart.left - 1 || box.right > chart.right + 1;
    }).map((text) => text.textContent)"""
    assert chromium.run(outside) == []


def test_the_first_screen_of_a_desktop_holds_the_finding_its_certainty_and_the_next_steps(
    chromium: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(task_page(content(30)))
    chromium.open(path, 1280, 800)
    for part in ("finding", "certainty", "steps"):
        assert chromium.run(f'document.querySelector("#{part}").getBoundingClientRect().bottom < innerHeight'), part
    assert chromium.run('document.querySelector(".steps .command").getBoundingClientRect().bottom < innerHeight')
    chromium.open(path, 360, 740)
    for part in ("finding", "certainty"):
        assert chromium.run(f'document.querySelector("#{part}").getBoundingClientRect().bottom < innerHeight'), part


OPEN = '[...document.querySelectorAll(":popover-open")].map((popover) => popover.textContent)'
TERM = 'document.querySelector(".tiles .term")'


def test_a_key_or_a_tap_on_a_metric_opens_its_meaning_and_another_closes_it(chromium: Browser, tmp_path: Path) -> None:
    shown(chromium, tmp_path, task_page(content(30)), 360)
    meaning = f"failure_rate: {FAILURE_RATE.meaning}"
    assert chromium.run(f"{TERM}.title") == FAILURE_RATE.meaning  # what a mouse that hovers over it shows
    chromium.run(f"{TERM}.focus()")
    chromium.press("Enter", 13)
    assert chromium.run(OPEN) == [meaning]
    assert chromium.run(
        '(box => box.left >= 0 && box.right <= innerWidth)(document.querySelector(":popover-open").getBoundingClientRect())'
    )
    chromium.press("Escape", 27)
    assert chromium.run(OPEN) == []
    place = chromium.run(f"(box => [box.x + box.width / 2, box.y + box.height / 2])({TERM}.getBoundingClientRect())")
    for expected in ([meaning], []):
        chromium.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": place[0], "y": place[1]}])
        chromium.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        chromium.run("new Promise((done) => setTimeout(done, 100))")
        assert chromium.run(OPEN) == expected
    assert chromium.complaints == []


def test_a_click_on_a_command_selects_all_of_it_on_one_line(chromium: Browser, tmp_path: Path) -> None:
    shown(chromium, tmp_path, task_page(content(30)), 360)
    chromium.run('getSelection().selectAllChildren(document.querySelector(".command"))')
    assert chromium.run("getSelection().toString()") == (
        "snakemake --cores all results/tiny-math/report.html --config 'random_seeds=[0,1,2,3,4]'"
    )
    assert chromium.run('getComputedStyle(document.querySelector(".command")).userSelect') == "all"


def test_light_and_dark_have_their_contrast(chromium: Browser, tmp_path: Path) -> None:
    """WCAG 2.2 requires a contrast of 4.5 for text. Every colour of text and marks has it, on the page and on cards."""
    path = tmp_path / "report.html"
    path.write_text(task_page(content(30)))
    for dark in (False, True):
        chromium.open(path, dark=dark)
        names = ["ink", "faint", "c0", "c1", "c2", "c3", "c4", "warn"]
        style = "getComputedStyle(document.documentElement).getPropertyValue"
        back, card, *colours = (chromium.run(f"{style}('--{name}').trim()") for name in ("back", "card", *names))
        assert (luminance(back) < 0.05) == dark
        for name, colour in zip(names, colours, strict=True):
            for behind in (back, card):
                high, low = sorted((luminance(colour), luminance(behind)), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, (name, colour, behind)


def luminance(colour: str) -> float:
    """The relative luminance of #rgb or #rrggbb, by WCAG 2.2."""
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(d * 2 for d in digits)
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.slow
def test_it_prints_light_without_buttons(chromium: Browser, tmp_path: Path) -> None:
    shown(chromium, tmp_path, task_page(content(150)))
    printed = chromium.pdf()
    assert printed.startswith(b"%PDF")
    chromium.ask("Emulation.setEmulatedMedia", media="print", features=[])
    assert chromium.run('getComputedStyle(document.querySelector("#filters")).display') == "none"
    assert chromium.run('getComputedStyle(document.querySelector(".examples")).maxHeight') == "none"
    assert chromium.run('getComputedStyle(document.querySelector(".term")).display') != "none"
    assert chromium.run('getComputedStyle(document.querySelector("[popover]")).display') == "block"
    chromium.ask("Emulation.setEmulatedMedia", media="", features=[])
