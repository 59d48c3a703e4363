"""Write docs/images/report-light.png and report-dark.png: the first screen of a report, 1280 pixels wide.

python -m tests.support.report_images results/tiny-math/report.html
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.browser import browser

FOLDER = Path(__file__).parents[2] / "docs/images"
WIDTH, MARGIN = 1280, 12
"""In pixels: the width of the images, and the height of the margin below the first screen."""


def write_images(report: Path, folder: Path) -> None:
    """Write both images of `report` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        chromium.ask("Emulation.setScrollbarsHidden", hidden=True)
        for name, dark in (("light", False), ("dark", True)):
            chromium.open(report, WIDTH, dark=dark)
            bottom = chromium.run('document.querySelector(".first").getBoundingClientRect().bottom')
            chromium.open(report, WIDTH, round(bottom) + MARGIN, dark)
            chromium.screenshot(folder / f"report-{name}.png")


if __name__ == "__main__":
    write_images(Path(sys.argv[1]), FOLDER)
