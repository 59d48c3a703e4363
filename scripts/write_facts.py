"""Write the table of the world of real facts: results/worlds/facts.jsonl

python scripts/write_facts.py --countries resources/downloads/packages/41c01b084346-countries.json --cities \
resources/downloads/packages/24e87d89c775-cities15000.json --elements resources/downloads/packages/20618b52da4e-PTE.csv \
--facts results/worlds/facts.jsonl
"""

from pathlib import Path

from reversegen.core.files import check_file
from reversegen.core.records import write_records
from reversegen.stage import run
from reversegen.worlds.facts.sources import Sources


def main(countries: Path, cities: Path, elements: Path, facts: Path) -> None:
    """Read the packages' files, after checking them against the manifests beside them, and write one row for each fact."""
    for file in (countries, cities, elements):
        check_file(file)
    write_records(facts, Sources(countries, cities, elements).facts())


if __name__ == "__main__":
    run(main)
