"""Every metric on the page shows its meaning, which is the one that its kind declares."""

from __future__ import annotations

import html
import re

import pytest
from tests.support.page_inputs import ParsedPage, content

from reversegen.kinds import KINDS, target_metrics
from reversegen.reporting.page.page import task_page
from reversegen.reporting.page.terms import metric_term, popovers, row_term
from reversegen.reporting.rows import TARGET_ROWS
from reversegen.reporting.tables import descriptions


@pytest.mark.parametrize("kind", KINDS)
def test_the_name_of_a_metric_opens_the_meaning_that_its_kind_declares(kind: str) -> None:
    for metric in target_metrics(kind):
        term = metric_term(metric.name, kind)
        assert f'popovertarget="meaning-{metric.name}" title="{html.escape(metric.meaning)}"' in term
        [meaning] = [text for tag, text in ParsedPage(popovers(term, kind)).texts if tag == "p"]
        assert meaning == f": {metric.meaning}"


def test_a_name_without_a_meaning_is_text() -> None:
    assert metric_term("<no_metric>", "math") == "&lt;no_<wbr>metric&gt;"
    assert row_term("3") == "3"
    assert row_term("transfer/<other>") == "transfer/&lt;other&gt;"
    assert popovers("<p>3</p>", "math") == ""


def test_every_source_has_a_meaning() -> None:
    assert all("popovertarget" in row_term(row) for row in (*TARGET_ROWS, "untrained"))


def test_every_metric_of_the_page_has_one_popover_and_every_popover_is_opened() -> None:
    text = task_page(content())
    opened = set(re.findall(r'popovertarget="([\w-]+)"', text))
    popover_ids = re.findall(r'<p id="([\w-]+)" popover>', text)
    assert sorted(opened) == sorted(popover_ids)
    names = {name for tag, name in ParsedPage(text).texts if tag == "th" and name in descriptions("math")}
    assert not names  # a name with a meaning is a button, never plain text
    assert {f"meaning-{name}" for name in ("accuracy", "validity", "failure_rate", "seeds", "yield")} <= opened
