"""The text around a number: units, currencies, scale words and counted things, in any language.

Units are read by name. A word that is not a unit names the counted things, unless it changes the number (`half`, `minus`)::

    read_unit(" sq. cm")       ("sq. cm", 1)
    read_unit(" million")      ("", 1000000)
    read_unit("支")             ("支", 1)
    read_unit(" and a half")   (None, 1): undecided
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

_SCALE_WORDS = {
    12: "dozen",
    10**2: "hundred",
    1000: "thousand tausend mille тысяча тысячи тысяч тыс тисяч тисячі tysiąc tysiące tysięcy duizend tusen tusind ribu"
    " nghìn हज़ार हजार হাজার ألف آلاف هزار ہزار אלף พัน 千 천",
    10**4: "万 萬 만 หมื่น",
    10**5: "lakh lac लाख লাখ แสน",
    10**6: "million millionen millón millones milhão milhões milione milioni миллион миллиона миллионов млн мільйон"
    " мільйонів milion miliony milionów miljoen miljon miljoner milyon juta mio mln"
    " triệu मिलियन مليون ملايين میلیون מיליון ล้าน",
    10**7: "crore करोड़ कोटि",
    10**8: "億 亿 억",
    10**9: "billion milliard milliarden miliardo miliardi миллиард миллиарда миллиардов млрд мільярд мільярдів miliard"
    " miliardów miljard mrd mld milyar tỷ مليار میلیارد מיליארד",
    10**12: "trillion",
}  # "billion" is the English one, 10^9
_SCALES = {unicodedata.normalize("NFC", word): scale for scale, words in _SCALE_WORDS.items() for word in words.split()}
_MONEY_SCALES = {"k": 10**3, "m": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9}
"""Letters that are scales beside a currency. Without a currency they may be variables."""
_SCALE = re.compile(r" ?([千万萬億亿천만억]|พัน|หมื่น|แสน|ล้าน)|[ -]?([^\W\d_][^\s\d.,;]*)\.?(?= |$)")

CURRENCIES = {
    "$": "dollar", "us$": "dollar", "usd": "dollar", "€": "euro", "eur": "euro", "£": "pound sterling",
    "gbp": "pound sterling", "¢": "cent", "¥": "yen yuan", "jpy": "yen", "円": "yen", "cny": "yuan", "rmb": "yuan",
    "元": "yuan", "人民币": "yuan", "₹": "rupee", "inr": "rupee", "rs": "rupee", "pkr": "pakistani rupee", "₩": "won",
    "krw": "won", "원": "won", "₽": "ruble", "rub": "ruble", "руб": "ruble", "рублей": "ruble", "₺": "lira",  # noqa: RUF001
    "try": "lira", "₫": "dong", "vnd": "dong", "đồng": "dong", "đ": "dong",
    "₪": "shekel", "ils": "shekel", "₦": "naira", "ngn": "naira",
    "₴": "hryvnia", "uah": "hryvnia", "₱": "philippine peso", "php": "philippine peso", "mxn": "mexican peso",
    "฿": "baht", "thb": "baht", "zł": "zloty", "pln": "zloty", "r$": "real", "brl": "real", "zar": "rand",
    "chf": "swiss franc", "sek": "swedish krona", "nok": "norwegian krone", "dkk": "danish krone", "₿": "bitcoin",
    "btc": "bitcoin", "a$": "australian dollar", "aud": "australian dollar", "c$": "canadian dollar",
    "ca$": "canadian dollar", "cad": "canadian dollar", "nz$": "new zealand dollar", "nzd": "new zealand dollar",
    "s$": "singapore dollar", "sgd": "singapore dollar", "hk$": "hong kong dollar", "hkd": "hong kong dollar",
    "nt$": "taiwan dollar", "twd": "taiwan dollar", "kč": "czech koruna", "czk": "czech koruna", "huf": "forint",
    "rp": "rupiah", "idr": "rupiah", "৳": "taka", "tk": "taka", "bdt": "taka", "rm": "ringgit", "myr": "ringgit",
    "aed": "dirham", "sar": "saudi riyal", "egp": "egyptian pound", "kes": "kenyan shilling", "ksh": "kenyan shilling",
    "₸": "tenge", "kzt": "tenge", "₵": "cedi", "ghs": "cedi", "₾": "lari", "gel": "lari", "﷼": "rial", "irr": "rial",
}  # fmt: skip
"""Signs and ISO 4217 codes of currencies, in lower case, and the names of their units. Yen and yuan share one sign."""
MONEY = (
    "(?:"
    + "|".join(re.escape(sign.upper()) for sign in sorted(CURRENCIES, key=len, reverse=True))
    + r"|[Rr]s\.?|Rp\.?|Tk\.?|Kč|Ksh\.?)(?![a-zA-Z])"
)
"""A pattern for the currency before an amount."""

_POINT_IS_DECIMAL = {
    "dollar",
    "pound",
    "yen",
    "yuan",
    "rupee",
    "won",
    "shekel",
    "naira",
    "baht",
    "taka",
    "ringgit",
    "bitcoin",
}

_MEASURES: dict[str, dict[str, str]] = {  # exact; inch, pound, gallon and acre as NIST Handbook 44 gives them
    "length": {
        "m meter metre": "1", "mm millimeter millimetre": "1/1000", "cm centimeter centimetre": "1/100",
        "km kilometer kilometre": "1000", "in inch": "0.0254", "ft foot feet": "0.3048", "yd yard": "0.9144",
        "mi mile": "1609.344",
    },
    "length*length": {"hectare ha": "10000", "acre": "4046.8564224", "sqm": "1", "sqft": "0.09290304"},
    "length*length*length": {
        "l liter litre": "1/1000", "ml milliliter millilitre cc": "1/1000000", "gallon": "0.003785411784",
    },
    "mass": {
        "g gram": "1", "mg milligram": "1/1000", "kg kilogram": "1000", "lb pound": "453.59237", "oz ounce": "28.349523125",
    },
    "time": {
        "s sec second": "1", "min minute": "60", "h hr hour": "3600", "day": "86400", "week": "604800",
    },
    "months": {"month": "1", "yr year": "12"},
    "dollar": {"dollar": "1", "cent": "1/100"},
    "angle": {"degree deg": "1"},
    "radians": {"radian rad": "1"},
    "temperature": {"celsius": "1", "fahrenheit": "5/9", "kelvin": "1"},
    "frequency": {"hz hertz": "1", "khz kilohertz": "1000", "mhz megahertz": "1000000"},
    "power": {"watt": "1", "kw kilowatt": "1000"},
    "%": {"%": "1"},
}  # fmt: skip
_ZEROS = {"celsius": Fraction("273.15"), "fahrenheit": Fraction("459.67")}
"""Zero of each temperature scale above absolute zero, in degrees of that scale (NIST SP 811, appendix B.8)."""
_UNITS = {name: (name, Fraction(1)) for name in CURRENCIES.values() if name.isalpha()} | {
    name: (kind, Fraction(factor))
    for kind, units in _MEASURES.items()
    for names, factor in units.items()
    for name in names.split()
}
_UNIT = re.compile(r"(?:(square|sq\.?|cubic|cu\.?) )?([a-z]+|%)\.?(?: *\^ *\{? *([23]) *\}?)?")
_PLAIN_POWER = re.compile(r"([kcm]?m|in|ft|yd|mi)([23])")
_INVERSE = re.compile(r"(?: |\\cdot|\*)*([a-z]+) ?\^ ?\{? ?-(?:1|([23])) ?\}?")
_SPEEDS = {"mph": "mile/hour", "kph": "km/hour", "kmh": "km/hour"}
_PER = re.compile(r" */ *| per | an? ")
_TEMPERATURE = re.compile(
    r"degrees? ([cfk])\b|(?:degrees? )?\b(c)(?:elsius|entigrade)\b|(?:degrees? )?\b([fk])(?:ahrenheit|elvin)\b"
)
_DEGREES = {"c": "celsius", "f": "fahrenheit", "k": "kelvin"}
_PER_CENT = re.compile(
    r" ?(?:%|per ?cent|pct\.?|percentage points?|prozent|procent|por ciento|por cento|per cento|pour cent|процент\w*)"
    r"(?![^\W\d_])(?: [^\d_,;()+*/^=<>\\$%]+)?"
)
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SPELLED = {word: n for n, word in enumerate(_ONES.split())} | {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
_BASE = re.compile(rf"(?:_ *\{{? *|(?: in)? base )(\d+|{'|'.join(_SPELLED)}) *\}}?")
_CALCULATION = re.compile(
    r"(?:and|or|plus|minus|times|over|mod|modulo|choose|squared|cubed|factorial|hal(?:f|ves)|third|quarter|fourth|fifth"
    r"|sixth|seventh|eighth|ninth|tenth|hundredth|thousandth|sqrt|exp|cot|csc|gcd|lcm|max|min|if|not|point|below"
    rf"|{'|'.join(_SPELLED)}"
    r"|alpha|beta|gamma|delta|epsilon|theta|lambda|sigma|omega|infinity"
    r"|und|oder|et|ou|y|e|o|и|или|с|halb\w*|einhalb|demie?|medi[oa]|mei[oa]|mezz[oa]|полов\w*|более|менее"  # noqa: RUF001
    r"|más|menos|mehr|weniger|moins|komma|coma|virgule|vírgula|virgola|целых|mil|bin|thousand|million|billion)s?"
)
"""Words after a number that do not name counted things: they change the number, or have two meanings."""
_COUNTABLE = ("points", "bins")
_APPROXIMATELY = re.compile("[半多余餘几幾数割成折以未超]|分之")
"""Characters that change a number in Chinese and Japanese, which have no spaces between words."""


class Measure(NamedTuple):
    """The kind and the size of a known unit."""

    kind: str
    """For example "length/time"."""
    size: Fraction
    """The size in the base unit of the kind."""
    zero: Fraction
    """Zero of the unit above the zero of the kind, in the unit itself; 0 except for temperatures."""


def read_unit(suffix: str, *, money: bool = False) -> tuple[str | None, int]:
    """The unit or counted things after a number, and a factor such as a million. The unit is None for any other suffix.

    `money`: a currency comes before the number, so that `k` means a thousand.
    """
    if suffix.strip() == "M" and not money:  # not a metre, which is a small letter
        return None, 1
    suffix = unicodedata.normalize("NFC", suffix).lower().removesuffix("/-")
    scale = 1
    while match := _SCALE.match(suffix):
        word = match[1] or match[2]
        factor = (
            _SCALES.get(word) or _SCALES.get(word.removesuffix("s")) or (_MONEY_SCALES.get(word) if money else None)
        )
        if not factor:
            break
        scale *= factor
        suffix = suffix[match.end() :].removeprefix(" de ").removeprefix(" of ")
        suffix = suffix if not suffix or suffix[0] == " " or match[1] else f" {suffix}"
    if not suffix.strip():
        return "", scale
    if _PER_CENT.fullmatch(suffix):
        return "%", scale
    if base := _BASE.fullmatch(suffix):
        return f"base {_SPELLED.get(base[1], base[1])}", scale
    unit = _INVERSE.sub(lambda match: f"/{match[1]}" + f"^{match[2]}" * bool(match[2]), suffix.strip(" ."))
    unit = CURRENCIES.get(unit, unit)
    sign, slash, per = unit.partition("/")
    if slash and (sign.strip() in CURRENCIES or (money and not sign)):
        suffix = f" {CURRENCIES.get(sign.strip(), '')} per {per.strip()}"
        unit = suffix.strip()
    unit = _TEMPERATURE.sub(lambda match: _DEGREES[match[match.lastindex or 0]], unit)
    if unit in CURRENCIES.values() or (measure(unit) and (suffix[0] == " " or len(unit) > 1)):
        return unit, scale
    return (unit if _is_counted(suffix[0] == " ", unit) else None), scale


def _is_counted(spaced: bool, name: str) -> bool:
    """Whether words after a number name counted things."""
    words = re.sub(r"^of (?:an? |the )?", "", name).split()
    letters = all(
        one.isalpha() or unicodedata.category(one)[0] == "M" or one in "'\u2019-" for word in words for one in word
    )
    if not words or not letters or any(unicodedata.numeric(one, -1) >= 0 for one in name):
        return False
    if _APPROXIMATELY.search(name) or any(_CALCULATION.fullmatch(w) and w not in _COUNTABLE for w in words):
        return False
    if name[0] < "\u0400":  # Latin and Greek: a shorter word may be a product of variables
        return spaced and len(words[0]) >= 3 and not set(words[0][:3]) & set("'\u2019-")
    return name[0] >= "\u0530" or len(words[0]) >= 2


def measure(unit: str) -> Measure | None:
    """The size of a unit, None for an unknown unit: "km per hour" has the kind length/time and the size 5/18."""
    sizes = []
    for name in _PER.split(_SPEEDS.get(unit, unit)):
        match = _UNIT.fullmatch(_PLAIN_POWER.sub(r"\1^\2", name))
        stems = (match[2], match[2].removesuffix("s"), match[2].removesuffix("es")) if match else ()
        unit_size = next((_UNITS[stem] for stem in stems if stem in _UNITS), None)
        if not match or not unit_size:
            return None
        power = 1 if not (match[1] or match[3]) else int(match[3] or (3 if match[1].startswith("cu") else 2))
        sizes.append(("*".join([unit_size[0]] * power), unit_size[1] ** power))
    (kind, size), *others = sizes
    for per_kind, per_size in others:
        kind, size = f"{kind}/{per_kind}", size / per_size
    return Measure(kind, size, _ZEROS.get(unit, Fraction(0)))


def spelled(words: str) -> int | None:
    """The number that English words spell; None if they do not spell a whole number below a trillion."""
    total = part = 0
    for word in re.split("[ -]+(?:and )?", words.lower()):
        scale = _SCALES.get(word, 0) if word.isascii() else 0
        if word in _SPELLED:
            part += _SPELLED[word]
        elif scale == 100:
            part *= scale
        elif scale in (10**3, 10**6, 10**9):
            total, part = total + part * scale, 0
        else:
            return None
    return total + part


def currency(sign: str, unit: str) -> str | None:
    """The unit of an amount between a currency and a unit; None if the two are different currencies."""
    name = CURRENCIES[sign.lower().rstrip(". ")]
    first, *others = unit.split() or [""]
    if unit in CURRENCIES.values():
        return unit if set(name.split()) & set(unit.split()) else None
    return " ".join([name, *([first] if first.removesuffix("s") != name.split()[0] and first else []), *others])


def is_currency(unit: str) -> bool:
    """Whether a unit is exactly one currency. A cent is not, because several currencies have it."""
    names = {unit, unit.removesuffix("s")}
    return "cent" not in names and not names.isdisjoint(CURRENCIES.values())


def has_point_groups(unit: str) -> bool:
    """Whether amounts of a currency may have points between thousands: in most of Europe 1.234 euros are over a thousand."""
    return is_currency(unit) and not stems(unit) & _POINT_IS_DECIMAL


def stems(unit: str) -> set[str]:
    """The words of a unit without the plural ending."""
    return {word.removesuffix("s") for word in re.findall(r"[^\W\d_]{3,}|[\u1100-\uffff]+", unit)}
