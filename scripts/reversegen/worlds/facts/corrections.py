"""What the packages' files do not hold: other names of countries and currencies, and facts with more than one answer.

These lists are the project's own. The kind of reader that they have in mind writes English.
"""

from __future__ import annotations

from functools import cache

_TERRITORIES_TEXT = """
AI AN AQ AS AW AX BL BM BQ BV CC CK CS CW CX EH FK FO GF GG GI GL GP GS GU HK HM IM IO JE KY MF MO MP MQ MS NC NF NU PF PM PN PR
PS RE SH SJ SX TC TF TK UM VA VG VI WF YT
"""
TERRITORIES = frozenset(_TERRITORIES_TEXT.split())
"""ISO codes that are left out: dependent territories, states that no longer exist, and those whose capital is their name or
is not agreed on."""

NO_CAPITAL = frozenset(("GQ", "IL", "NR", "PW"))
"""Countries without a city that is their capital, or whose capital has just moved or is not agreed on."""

SEVERAL_CAPITALS = """
BI: Gitega | Bujumbura
BJ: Porto-Novo | Cotonou
BO: Sucre | La Paz
CI: Yamoussoukro | Abidjan
LK: Sri Jayawardenepura Kotte | Colombo
MY: Kuala Lumpur | Putrajaya
SZ: Mbabane | Lobamba
TZ: Dodoma | Dar es Salaam
ZA: Pretoria | Cape Town | Bloemfontein
"""
"""Countries with several seats of government, and those whose government still works in a former capital."""

NO_CONTINENT = frozenset(("AU",))
"""Australia, which many people call a continent of its own."""

SEVERAL_CONTINENTS = """
AM: AS | EU
AZ: AS | EU
CY: AS | EU
EG: AF | AS
GE: AS | EU
KZ: AS | EU
RU: EU | AS
TR: AS | EU
"""
"""Countries in two continents, by GeoNames' codes."""

NO_CURRENCY = frozenset(("SV", "ZW"))
"""Countries whose legal tender has changed several times."""

SEVERAL_CURRENCIES = """
BG: BGN | EUR
BT: BTN | INR
LS: LSL | ZAR
PA: PAB | USD
SZ: SZL | ZAR
"""
"""Countries with several legal tenders, and Bulgaria, whose currency changed in 2026."""

CONTINENTS = {
    "AF": ("Africa", "African"),
    "AS": ("Asia", "Asian"),
    "EU": ("Europe", "European"),
    "NA": ("North America", "North American", "Central America", "Central American"),
    "OC": ("Oceania", "Australasia", "Australia and Oceania"),
    "SA": ("South America", "South American"),
}
"""Names and adjectives of the continents, by GeoNames' code. A country of Central America is in North America."""

WITH_ARTICLE = frozenset(
    [
        *("Bahamas", "Central African Republic", "Comoros", "Democratic Republic of the Congo", "Dominican Republic"),
        *("Gambia", "Maldives", "Marshall Islands", "Netherlands", "Philippines", "Republic of the Congo"),
        *("Solomon Islands", "United Arab Emirates", "United Kingdom", "United States"),
    ]
)
"""Countries that a question names with `the`."""

COUNTRY_NAMES = """
AE: UAE | Emirates
BA: Bosnia | Bosnia-Herzegovina
BN: Brunei Darussalam
BO: Plurinational State of Bolivia
BY: Belorussia | Byelorussia
CD: DRC | DR Congo | Congo-Kinshasa | Democratic Republic of Congo | Congo | Zaire
CG: Congo-Brazzaville | Republic of Congo | Congo Republic | Congo
CI: Côte d'Ivoire
CN: People's Republic of China | PRC | mainland China
CV: Cape Verde
CZ: Czech Republic
DE: Federal Republic of Germany
FM: Federated States of Micronesia
FR: French Republic
GB: UK | U.K. | Great Britain | Britain
GM: The Gambia
IR: Islamic Republic of Iran | Persia
KG: Kyrgyz Republic | Kirghizia
KN: St Kitts and Nevis | St. Kitts
KP: Democratic People's Republic of Korea | DPRK | Korea, North
KR: Republic of Korea | Korea, South | Korea
LA: Lao People's Democratic Republic | Lao PDR
LC: St Lucia
LK: Ceylon
LY: Libyan Arab Jamahiriya
MD: Republic of Moldova
MK: Macedonia | Republic of North Macedonia
MM: Burma
NL: Holland | Kingdom of the Netherlands
RU: Russian Federation
SK: Slovak Republic
ST: São Tomé | Sao Tome & Principe
SY: Syrian Arab Republic
SZ: Swaziland
TH: Siam
TL: East Timor | Timor-Leste | Timor
TR: Türkiye | Turkiye
TT: Trinidad
TW: Republic of China | Chinese Taipei | Formosa
TZ: United Republic of Tanzania
US: USA | U.S.A. | U.S. | US | United States of America | America | the States
VC: St Vincent and the Grenadines | Saint Vincent | St. Vincent
VE: Bolivarian Republic of Venezuela
VN: Viet Nam
"""
"""Other names of countries, after their ISO code: formal ISO names, former names and short forms."""

CAPITAL_NAMES = """
AG: Saint John's | St Johns
GB: Greater London
KI: South Tarawa | Bairiki
KZ: Astana | Nur-Sultan | Nursultan
MM: Naypyidaw | Naypyitaw | Nay Pyi Taw
MN: Ulan Bator | Ulaanbaatar
MX: Ciudad de Mexico | CDMX
US: Washington, D.C. | Washington DC | Washington D.C | District of Columbia
UA: Kyiv | Kiev
"""
"""Names of capitals, after the ISO code of the country. For KZ the first one replaces the file's, which is out of date."""

CURRENCY_NAMES = """
AED: UAE dirham | United Arab Emirates dirham | Emirati dirham
ALL: Albanian lek | lek
AMD: Armenian dram | dram
ARS: Argentine peso | Argentinian peso
AUD: Australian dollar
AZN: Azerbaijani manat | manat
BAM: convertible mark | Bosnia and Herzegovina convertible mark | Bosnian mark | marka
BBD: Barbadian dollar | Barbados dollar
BGN: lev | Bulgarian lev | leva
BHD: Bahraini dinar | Bahrain dinar
BIF: Burundian franc | Burundi franc
BND: Brunei dollar
BRL: real | Brazilian real | reais
BSD: Bahamian dollar | Bahamas dollar
BTN: ngultrum | Bhutanese ngultrum
BYN: Belarusian ruble | Belarusian rouble | ruble | rouble
BZD: Belize dollar | Belizean dollar
CAD: Canadian dollar
CDF: Congolese franc
CHF: Swiss franc
CLP: Chilean peso
CNY: renminbi | yuan | Chinese yuan | yuan renminbi | RMB
COP: Colombian peso
CRC: Costa Rican colón | colon
CUP: Cuban peso
CVE: Cape Verdean escudo | Cape Verde escudo
CZK: Czech koruna | koruna | Czech crown
DJF: Djiboutian franc | Djibouti franc
DKK: Danish krone
DOP: Dominican peso
DZD: Algerian dinar
EGP: Egyptian pound
ERN: nakfa | Eritrean nakfa
EUR: euro
FJD: Fijian dollar | Fiji dollar
GBP: pound sterling | British pound | sterling | pound
GNF: Guinean franc | Guinea franc
GYD: Guyanese dollar | Guyana dollar
ILS: Israeli new shekel | shekel | new shekel | Israeli shekel
INR: Indian rupee
IQD: Iraqi dinar
IRR: Iranian rial
ISK: Icelandic króna | króna | Icelandic krona
JMD: Jamaican dollar
JOD: Jordanian dinar
JPY: yen | Japanese yen
KES: Kenyan shilling
KGS: Kyrgyz som | Kyrgyzstani som
KHR: riel | Cambodian riel
KMF: Comorian franc
KPW: North Korean won
KRW: South Korean won | Korean won
KWD: Kuwaiti dinar
LBP: Lebanese pound | Lebanese lira
LKR: Sri Lankan rupee
LRD: Liberian dollar
LSL: loti | maloti | Lesotho loti
LYD: Libyan dinar
MAD: Moroccan dirham
MDL: Moldovan leu
MKD: denar | Macedonian denar
MUR: Mauritian rupee
MVR: rufiyaa | Maldivian rufiyaa
MXN: Mexican peso
NAD: Namibian dollar | Namibia dollar
NOK: Norwegian krone
NPR: Nepalese rupee | Nepali rupee
NZD: New Zealand dollar
OMR: Omani rial
PAB: balboa | Panamanian balboa
PHP: Philippine peso | Filipino peso
PKR: Pakistani rupee
PLN: złoty | Polish zloty
QAR: Qatari riyal | Qatari rial | riyal
RON: Romanian leu
RSD: Serbian dinar
RUB: Russian ruble | Russian rouble | ruble | rouble
RWF: Rwandan franc | Rwanda franc
SAR: Saudi riyal | Saudi rial | riyal | Saudi Arabian riyal
SBD: Solomon Islands dollar
SCR: Seychellois rupee | Seychelles rupee
SDG: Sudanese pound
SEK: Swedish krona | Swedish crown
SGD: Singapore dollar | Singaporean dollar
SOS: Somali shilling
SRD: Surinamese dollar | Suriname dollar
SSP: South Sudanese pound
SYP: Syrian pound | Syrian lira
SZL: lilangeni | emalangeni | Swazi lilangeni
THB: baht | Thai baht
TMT: Turkmenistan manat | Turkmen manat
TND: Tunisian dinar
TRY: Turkish lira
TTD: Trinidad and Tobago dollar
TWD: New Taiwan dollar | Taiwan dollar | NT dollar
UGX: Ugandan shilling | Uganda shilling
USD: US dollar | United States dollar | U.S. dollar | American dollar
UYU: Uruguayan peso
UZS: Uzbekistani som | Uzbek som | sum
VES: bolívar | Venezuelan bolívar | bolivar soberano
VND: dong | Vietnamese dong
XAF: Central African CFA franc | CFA franc
XCD: East Caribbean dollar | Eastern Caribbean dollar
XOF: West African CFA franc | CFA franc
YER: Yemeni rial | riyal
ZAR: rand | South African rand
"""
"""Names of currencies, after their ISO code. A currency that is not listed has the name in the country file."""

ELEMENT_NAMES = """
Al: aluminum | aluminium
S: sulfur | sulphur
Cs: cesium | caesium
W: tungsten | wolfram
Hg: mercury | quicksilver
"""
"""Names of elements that have several, after their symbol."""


@cache
def names_by_code(text: str) -> dict[str, tuple[str, ...]]:
    """The lists of this module, by code."""
    lines = (line.partition(": ") for line in text.strip().splitlines())
    return {code: tuple(names.split(" | ")) for code, _, names in lines}
