"""Equal instructions have equal ids, and neighbouring draws share nothing."""

import itertools
import sys
import unicodedata

import pytest

from reversegen.ids import content_id, hashed_seed, instruction_id


@pytest.mark.parametrize(
    "variant",
    [
        "What is 35 plus 7 ?",
        "WHAT IS 35 PLUS 7 ?",
        "  what is\t35\n\nplus 7 ?\r\n",
        "what\u00a0is\u200335\u2028plus 7 ?",
        "what is \uff13\uff15 plus \u2077 \uff1f",
        "\uff37\uff48\uff41\uff54 is 35 plus 7 ?",
    ],
)
def test_an_instruction_has_one_id_however_it_is_written(variant: str) -> None:
    # printf '["what is 35 plus 7 ?"]' | sha256sum
    assert instruction_id(variant) == "3ce8490263b120d6"


def test_case_and_compatibility_variants_of_every_character_have_one_id() -> None:
    letters = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) not in ("Cn", "Co", "Cs")]
    forms = [lambda c, form=form: unicodedata.normalize(form, c) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    forms += [str.lower, str.casefold, lambda c: c if c == "\u0131" else c.upper()]  # a dotless i is not an i
    different = [(c, v) for c in letters for v in {f(c) for f in forms} - {c} if instruction_id(c) != instruction_id(v)]
    assert not different


@pytest.mark.parametrize(
    "other", ["what is 35 plus 8 ?", "what is 35 minus 7 ?", "what is 3 5 plus 7 ?", "whatis 35 plus 7 ?", "35 + 7", ""]
)
def test_different_instructions_have_different_ids(other: str) -> None:
    assert instruction_id(other) != instruction_id("what is 35 plus 7 ?")


def test_ids_never_run_parts_together() -> None:
    lists = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("abc", ""), ("", "abc"), (), ("",), (1,), ("1",)]
    lists += [(1, 1), (11,), ('a", "b',), ("a", "b"), ("a\\",), ("\ud800",), ("\\ud800",), (-1,)]
    assert len({content_id(*parts) for parts in lists}) == len(lists)
    # printf '[1, "a", "\u00fc"]' | sha256sum
    assert content_id(1, "a", "\u00fc") == "44406e19c8ed61d5"


def test_seeds_of_neighbouring_draws_share_no_structure() -> None:
    grid = [(seed, n, stage, batch) for seed in range(3) for n in range(4) for stage in "ab" for batch in range(250)]
    seeds = [hashed_seed(*parts) for parts in grid]
    assert len(set(seeds)) == len(seeds) == 6000
    assert all(0 <= seed < 2**64 for seed in seeds)
    for bit in range(64):  # standard deviation of a fair coin here: 39
        assert abs(sum(seed >> bit & 1 for seed in seeds) - 3000) < 5 * 39
    flips = [(one ^ other).bit_count() for one, other in itertools.pairwise(seeds)]
    assert abs(sum(flips) / len(flips) - 32) < 5 * 4 / len(flips) ** 0.5
    steps = {other - one for one, other in itertools.pairwise(seeds)}
    assert len(steps) == len(seeds) - 1
