"""The reference of configuration keys: complete, current, and with the reasons that config.yaml gives."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from tests.support.schemas import SCHEMAS
from tests.support.workflows import REPOSITORY

from reversegen.reporting.key_tables import anchor, configuration_page, key_comments

SHIPPED = (REPOSITORY / "config/config.yaml").read_text()
PAGE = configuration_page(SCHEMAS, SHIPPED)
PARTS = dict(zip(("config", "task", "models"), PAGE.split("\n## ")[1:], strict=True))


def table(part: str, heading: str) -> dict[str, list[str]]:
    """The cells after the key of each row below a heading, '' for the top of a part."""
    text = PARTS[part].split(f"\n### `{heading}`\n")[1] if heading else PARTS[part]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", text.split("\n### ")[0], re.MULTILINE)
    return {key: re.split(r"(?<!\\) \| ", cells) for key, cells in rows}


def test_the_committed_page_is_that_of_the_types() -> None:
    page = (REPOSITORY / "docs/configuration-reference.md").read_text()
    assert page == PAGE, "run `make reference` and commit docs/configuration-reference.md"


@pytest.mark.parametrize("part", PARTS)
def test_each_key_of_each_class_has_a_row(part: str) -> None:
    schema: dict[str, Any] = SCHEMAS[f"{part}.schema.json"]
    root = schema["additionalProperties"] if part == "models" else schema
    keys = {key for node in (root, *schema["$defs"].values()) for key in node.get("properties", {})}
    if part == "config":  # `defaults` has the part of tasks
        task = SCHEMAS["task.schema.json"]
        keys -= {key for node in (task, *task["$defs"].values()) for key in node.get("properties", {})}
        keys -= {"defaults"}
    assert keys <= {key for _, rows in tables(part) for key in rows}


def tables(part: str) -> list[tuple[str, dict[str, list[str]]]]:
    headings = ["", *re.findall(r"^### `(.*)`$", PARTS[part], re.MULTILINE)]
    return [(heading, table(part, heading)) for heading in headings]


def test_a_row_has_type_default_and_the_reason_above_the_default() -> None:
    kind, default, meaning = table("task", "preference")["min_steps"]
    assert (kind, default) == ("integer ≥ 0", "`50`")
    assert meaning.endswith("<br>Fewer than 50 steps of 16 hardly move an 8B model.")
    assert table("task", "sampling")["top_p"][0] == "number > 0 and ≤ 1"
    assert table("models", "")["size"][1] == ""  # required
    assert table("models", "limits")["tries"][1] == "`6`"


def test_another_place_of_a_class_shows_what_differs() -> None:
    assert table("task", "preference.training").keys() == {"learning_rate"}
    assert table("task", "preference.training")["learning_rate"][1] == "`1.0e-06`"
    assert "enhancement.training" not in PARTS["task"]  # its defaults are those of warmup.training


def test_each_link_leads_to_one_heading() -> None:
    anchors = [anchor(heading) for heading in re.findall(r"^### `(.*)`$", PAGE, re.MULTILINE)]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#(.*?)\)", PAGE)) <= set(anchors)


def test_every_default_of_the_shipped_file_is_shown() -> None:
    def leaves(values: dict[str, Any], above: str = "") -> list[tuple[str, str, Any]]:
        rows = []
        for key, value in values.items():
            inner = f"{above}.{key}" if above else key
            rows += leaves(value, inner) if isinstance(value, dict) and value else [(above, key, value)]
        return rows

    shown = dict(tables("task"))
    for section, key, value in leaves(yaml.safe_load(SHIPPED)["defaults"]):
        place = section if key in shown.get(section, {}) else "warmup.training"  # where both have the same
        assert yaml.safe_load(shown[place][key][1].strip("`")) == value, (section, key)


def test_comments_belong_to_the_key_below_them_and_merged_keys_keep_theirs() -> None:
    text = """\
# of no key

one: &one
  # the first,
  # in two lines
  inner: 1
  plain: 2
two: {inner: 3}
three:
  <<: *one
  # another reason
  plain: 4
"""
    assert key_comments(text) == {
        ("one", "inner"): "the first, in two lines",
        ("three", "inner"): "the first, in two lines",
        ("three", "plain"): "another reason",
    }
