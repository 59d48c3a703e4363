"""The shipped configuration, and a copy to break."""

from pathlib import Path

import pytest
from tests.support.edited_config import CONFIG, WORKFLOW, Edited, content

from reversegen.config.workflow import Configuration
from reversegen.workflow.configuration import load_configuration


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    return Edited(tmp_path / "config")


@pytest.fixture(scope="module")
def shipped() -> Configuration:
    return load_configuration(content(WORKFLOW), CONFIG)
