"""README and site: short, linked to what is there, and loading nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pyarrow.parquet
import pytest
import yaml
from tests.support.workflows import REPOSITORY

from reversegen.core.failure_records import Failure
from reversegen.core.records import Instruction, Label, Record, Reference, Response
from reversegen.reporting.failures import write_failures

OUTSIDE = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md", "results/README.md")]
"""Pages that MkDocs does not check."""
PAGES = sorted((REPOSITORY / "docs").rglob("*.md"))


def links(text: str) -> list[str]:
    """Targets of links and pictures that lie in this repository."""
    text = re.sub(r"^(```.*?^```|    .*?)$", "", text, flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)|^\[[\w-]+\]: (\S+)|(?:src|srcset)=\"([^\"]+)\"", text, re.MULTILINE)
    return [link for several in targets for link in several if link and not link.startswith("https://")]


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub and MkDocs both make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def missing(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    lost = []
    for link in links(page.read_text()):
        name, _, anchor = link.partition("#")
        place = page.parent / name if name else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            lost.append(link)
    return lost


@pytest.mark.parametrize("page", OUTSIDE, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_each_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert links(page.read_text())
    assert missing(page) == []


@pytest.mark.parametrize("page", [OUTSIDE[0], *PAGES], ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_each_picture_is_there_for_a_light_and_a_dark_screen(page: Path) -> None:
    text = page.read_text()
    pictures = re.findall(
        r"<picture>.*?srcset=\"(.*?)-dark\.(\w+)\".*?src=\"(.*?)-light\.(\w+)\".*?</picture>", text, re.DOTALL
    )
    assert len(pictures) == text.count("<img") == text.count("<picture>")  # MkDocs checks no HTML
    for dark, dark_form, light, light_form in pictures:
        assert (dark, dark_form) == (light, light_form)
        assert (page.parent / f"{dark}-dark.{dark_form}").is_file()
        assert (page.parent / f"{light}-light.{light_form}").is_file()


def test_the_search_for_links_knows_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('# A title, with `code`\n[a](b.md) [c](#a-title-with-code) [d](page.md#e)\n[f]: g\n<img src="h">\n')
    assert missing(page) == ["b.md", "page.md#e", "g", "h"]


def test_the_readme_is_a_front_door() -> None:
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    assert len(lines) <= 150
    assert len((REPOSITORY / "config/README.md").read_text().splitlines()) <= 60


def test_pages_name_targets_of_make_and_files_that_are_there() -> None:
    targets = set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    for page in (*OUTSIDE, *PAGES):
        text = page.read_text()
        commands = re.findall(r"(?:`|^    )make ([a-z]+)", text, re.MULTILINE)
        assert set(commands) <= targets, page
        named = re.findall(r"`((?:scripts|rules|tests|config|envs|profiles|slurm|resources|docs)/[\w./-]+\.\w+)`", text)
        invented = {
            name for name in named if re.search(r"(NAME|VERB_NOUN|brevity|mine|fixed-reference|longer)\.", name)
        }
        published = {"config/config.yaml", "config/loss/dpo.yaml"}  # of the published code, which method.md cites
        assert [n for n in named if n not in invented | published and not (REPOSITORY / n).exists()] == [], page


def test_the_records_of_the_tutorial_are_records() -> None:
    text = (REPOSITORY / "docs/tutorial.md").read_text()
    rows = [row for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) for row in block.splitlines()]
    classes: list[type[Record]] = [Instruction, Response, Reference, Label]
    records = [kind.model_validate_json(row) for kind, row in zip(classes, rows, strict=True)]
    assert {json.loads(row).get("instruction_id", json.loads(row).get("id")) for row in rows} == {records[0].id}  # type: ignore[attr-defined]


def test_the_columns_of_the_failures_are_those_of_the_file(tmp_path: Path) -> None:
    nullable = {name for name, field in Failure.model_fields.items() if type(None) in get_args(field.annotation)}
    write_failures(tmp_path / "failures.parquet", [])
    columns = {
        field.name: f"{field.type} or null" if field.name in nullable else str(field.type)
        for field in pyarrow.parquet.read_schema(tmp_path / "failures.parquet")
    }
    section = (REPOSITORY / "docs/file-targets.md").read_text().split("## The columns of failures.parquet\n")[1]
    assert dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|$", section.split("\n## ")[0], re.MULTILINE)) == columns


def test_the_site_has_no_plugin_that_its_successor_cannot_read() -> None:
    settings = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text())
    plugins = [next(iter(plugin)) if isinstance(plugin, dict) else plugin for plugin in settings["plugins"]]
    assert plugins == ["search", "mkdocstrings"]
    assert not {"hooks", "extra_javascript"} & set(settings)
    assert settings["theme"]["font"] is False


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.skipif(not importlib.util.find_spec("mkdocs"), reason="MkDocs is not installed: make docs installs it")
def test_the_site_is_built_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > len(PAGES) - 1
    for page in pages:
        text = page.read_text()
        assert "mermaid" not in text, f"{page}: the theme fetches what draws it"
        tags = re.findall(r"<(?:link|script|img|iframe)\b[^>]*>", text)
        loaded = [
            tag for tag in tags if re.search(r"(?:href|src)=\"?(?:https?:)?//", tag) and 'rel="canonical"' not in tag
        ]
        assert loaded == [], page
