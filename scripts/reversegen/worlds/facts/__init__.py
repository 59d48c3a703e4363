"""The world of real facts: countries, cities, currencies and chemical elements, from files of Python packages."""

from reversegen.worlds.facts.world import open_world

__all__ = ["open_world"]
