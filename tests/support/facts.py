"""A small world of facts: rows of our own in the form of the packages' files, and the table that is made from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reversegen.config.paths import FACTS_TABLE
from reversegen.core.records import write_records
from reversegen.worlds.facts.real_facts import Facts
from reversegen.worlds.facts.sources import Sources

COUNTRIES = """
AO|Angola|AF|Luanda|30000000|AOA|Kwanza
CA|Canada|NA|Ottawa|37000000|CAD|Dollar
DE|Germany|EU|Berlin|83000000|EUR|Euro
FR|France|EU|Paris|67000000|EUR|Euro
GB|United Kingdom|EU|London|66000000|GBP|Pound
GE|Georgia|AS|Tbilisi|3700000|GEL|Lari
GN|Guinea|AF|Conakry|12000000|GNF|Franc
GU|Guam|OC|Hagatna|160000|USD|Dollar
GW|Guinea-Bissau|AF|Bissau|1900000|XOF|Franc
JO|Jordan|AS|Amman|10000000|JOD|Dinar
JP|Japan|AS|Tokyo|126000000|JPY|Yen
MX|Mexico|NA|Mexico City|126000000|MXN|Peso
NL|The Netherlands|EU|Amsterdam|17000000|EUR|Euro
SG|Singapore|AS|Singapore|5600000|SGD|Dollar
TD|Chad|AF|N'Djamena|15000000|XAF|Franc
TR|Turkey|AS|Ankara|82000000|TRY|Lira
US|United States|NA|Washington|327000000|USD|Dollar
ZA|South Africa|AF|Pretoria|57000000|ZAR|Rand
"""
CITIES = """
AO|Luanda|2800000|Loanda,São Paulo de Loanda,LAD
CA|London|380000|
CA|Toronto|2600000|TO
DE|Berlin|3400000|Berolino,Berlín
DE|Munich|1260000|München,Monaco di Baviera,Muenchen
FR|Lyon|470000|Lugdunum
FR|Nice|340000|Nizza
FR|Paris|2100000|Parigi,Paname,Lutetia,pali
FR|Tiny|900|
GB|Birmingham|1100000|Brum
GB|London|8900000|Londres,Londinium
GN|Conakry|1700000|Konakri
JO|Amman|1200000|Philadelphia
JP|Tokyo|8300000|Tokio,Edo
MX|Guadalajara|1400000|
MX|Mexico City|12000000|Ciudad de México,Mexiko
NL|Amsterdam|740000|Mokum
TR|Ankara|3500000|Angora
TR|Istanbul|14000000|Constantinople,Stambul
US|Birmingham|200000|
US|Paris|25000|
US|Philadelphia|1500000|Philly
US|Washington|690000|
"""
ELEMENTS = """
1,Hydrogen,H,1766
2,Helium,He,1868
8,Oxygen,O,1774
26,Iron,Fe,
50,Tin,Sn,
53,Iodine,I,1811
74,Wolfram,W,1783
79,Gold,Au,
82,Lead,Pb,
112,Copernicium ,Cn,1996
"""


def write_sources(folder: Path) -> Sources:
    """Write the three files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    countries: dict[str, Any] = {}
    for code, name, continent, capital, people, money, noun in (
        row.split("|") for row in COUNTRIES.strip().splitlines()
    ):
        countries[code] = {"iso": code, "name": name, "capital": capital, "population": int(people)}
        countries[code] |= {"continentcode": continent, "currencycode": money, "currencyname": noun}
    cities: dict[str, Any] = {}
    for number, (code, name, people, others) in enumerate(row.split("|") for row in CITIES.strip().splitlines()):
        cities[str(number)] = {"geonameid": number, "name": name, "countrycode": code, "population": int(people)}
        cities[str(number)]["alternatenames"] = others.split(",") if others else []
    sources = Sources(folder / "1-countries.json", folder / "2-cities15000.json", folder / "3-PTE.csv")
    sources.countries.write_text(json.dumps(countries), encoding="utf-8")
    sources.cities.write_text(json.dumps(cities), encoding="utf-8")
    sources.elements.write_text(f"AtomicNumber,Element,Symbol,Year{ELEMENTS}", encoding="latin-1")
    return sources


def place_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Facts:
    """Make the table where stages look for it, in a new working folder. Returns its world."""
    write_records(folder / FACTS_TABLE, write_sources(folder / "packages").facts())
    monkeypatch.chdir(folder)
    return Facts(folder / FACTS_TABLE)
