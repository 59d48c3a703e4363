"""The world of real facts: countries, cities, currencies and chemical elements, from files of Python packages."""

from reversegen.config.paths import FACTS_TABLE
from reversegen.worlds.facts.world import open_world

WORLD = open_world(FACTS_TABLE)
