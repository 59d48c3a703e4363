"""The Makefile's targets explain themselves, and its Snakemake behaves as one without a Makefile."""

from __future__ import annotations

import re
import subprocess

import yaml
from tests.support.workflows import REPOSITORY

MAKEFILE = (REPOSITORY / "Makefile").read_text()


def make(*words: str) -> str:
    return subprocess.run(
        ["make", "--no-print-directory", *words], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout


def test_help_has_one_line_for_each_target_that_fits_a_screen() -> None:
    phony = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[0].split()
    lines = make("help").splitlines()
    assert [line.split()[1] for line in lines] == list(dict.fromkeys(phony))
    assert all(len(line) <= 100 for line in lines)


def test_the_rerun_triggers_are_those_of_the_profile_that_snakemake_would_load() -> None:
    profile = yaml.safe_load((REPOSITORY / "profiles/default/config.yaml").read_text())
    assert profile.keys() == {"rerun-triggers"}
    [given] = re.findall(r"--rerun-triggers (.+?) +--", make("-n", "-o", ".venv/demo", "demo"))
    assert given.split() == profile["rerun-triggers"]
