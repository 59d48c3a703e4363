# ruff: noqa: RUF001
"""Words equal those split by hand, and each measure gives texts without spaces the verdict of their English partners."""

from __future__ import annotations

import json
import time
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import pytest
from tests.support.kinds import MATH
from tests.support.planted_failures import kinds_of, planted

from reversegen.config.task import Deduplication, KindUse
from reversegen.ids import instruction_id, normalise
from reversegen.kinds import open_kind
from reversegen.kinds.safety import Safety
from reversegen.loop.contamination import KeptOut, find_contamination
from reversegen.reporting.failure_clusters import make_failure_clusters, tokens
from reversegen.text.diversity import lexical_diversity
from reversegen.text.near_duplicates import near_any, near_duplicates
from reversegen.text.self_bleu import bleu_against_others, self_bleu
from reversegen.text.tokens import tokenise
from reversegen.text.words import spaced, spaced_apart, words

PUBLISHED = Deduplication(ngram=1, threshold=0.78)
CASES = json.loads((Path(__file__).parents[1] / "cases/texts_without_spaces.json").read_text(encoding="utf-8"))
ENGLISH = (
    "A shop sells {} boxes of pens, each box holds nine pens and costs four coins; how many pens are sold that day?"
)
OTHER = "Why does the moon rise later every evening, and what would change if it turned the other way around?"
SCRIPTS = {
    "simplified": (
        "一家商店卖出{}盒钢笔，每盒装有九支钢笔，价格为四枚硬币；那一天一共卖出多少支钢笔？",
        "为什么月亮每天晚上升起得更晚，如果它反方向转动会有什么变化？",
    ),
    "traditional": (
        "一家商店賣出{}盒鋼筆，每盒裝有九支鋼筆，價格為四枚硬幣；那一天一共賣出多少支鋼筆？",
        "為什麼月亮每天晚上升起得更晚，如果它反方向轉動會有什麼變化？",
    ),
    "japanese": (
        "ある店はペンを{}箱売り、各箱にはペンが九本入っていて、値段は硬貨四枚です。その日に売れたペンは何本ですか？",
        "なぜ月は毎晩遅く昇るのでしょうか、また逆向きに回ったら何が変わるのでしょうか？",
    ),
    "thai": (
        "ร้านค้าขายปากกา{}กล่อง แต่ละกล่องมีปากกาเก้าด้ามและราคาสี่เหรียญ วันนั้นขายปากกาได้กี่ด้าม?",
        "ทำไมดวงจันทร์จึงขึ้นช้าลงทุกเย็น และถ้าหมุนกลับทิศจะมีอะไรเปลี่ยนไปบ้าง?",
    ),
    "khmer": (
        "ហាងមួយលក់ប៊ិច{}ប្រអប់ ប្រអប់នីមួយៗមានប៊ិចប្រាំបួនដើម ហើយមានតម្លៃបួនកាក់។ តើថ្ងៃនោះលក់ប៊ិចបានប៉ុន្មានដើម?",
        "ហេតុអ្វីបានជាព្រះចន្ទរះយឺតជាងរាល់ល្ងាច ហើយបើវិលបញ្ច្រាសតើនឹងមានអ្វីផ្លាស់ប្តូរ?",
    ),
    "lao": (
        "ຮ້ານໜຶ່ງຂາຍປາກກາ{}ກ່ອງ ແຕ່ລະກ່ອງມີປາກກາເກົ້າກ້ານແລະລາຄາສີ່ຫຼຽນ ມື້ນັ້ນຂາຍປາກກາໄດ້ຈັກກ້ານ?",
        "ເປັນຫຍັງດວງຈັນຈຶ່ງຂຶ້ນຊ້າລົງທຸກແລງ ແລະຖ້າໝຸນກັບທິດຈະມີຫຍັງປ່ຽນ?",
    ),
    "mixed": (
        "一家shop卖出{}盒Parker钢笔，每盒装有九支pen，price为四枚硬币；那一天一共卖出多少支pen？",
        "为什么moon每天晚上rise得更晚，如果它反方向turn会有什么变化？",
    ),
}
"""By script: a template with a number and another question, which mean the same as ENGLISH and OTHER."""
MEANT = [ENGLISH.format(n) for n in (2, 3, 4, 5)]


def filled(template: str) -> list[str]:
    return [template.format(n) for n in (2, 3, 4, 5)]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ('He said "pens, ink".', 'He said "pens, ink".'),
        ("每盒装有九支钢笔，", "每 盒 装 有 九 支 钢 笔,"),
        ("卖出12盒。共１２．５元！", "卖 出 12 盒。 共 12.5 元!"),
        ("请用Python、Java和C++写", "请 用 Python、 Java 和 C++ 写"),
        ("他说「你好（世界）」了", "他 说 「你 好 (世 界)」 了"),
        ("他说：“走吧”", "他 说: “走 吧”"),
        ("花了$5买-3个", "花 了 $5 买 -3 个"),
        ("日本語の テスト", "日 本 語 の テ ス ト"),
        ("ガー", "ガ ー"),
        ("人々〇", "人 々 〇"),
        ("กี่ด้าม๒๕กล่อง", "กี่ ด้ า ม ๒๕ ก ล่ อ ง"),  # vowel signs and tones stay; a number is one word
        ("ប៊ិចបាន។", "ប៊ិ ច បា ន។"),
        ("བོད་ཡིག", "བོ ད་ ཡི ག"),
        ("မြန်မာ", "မြ န် မာ"),
        ("ꦲꦏ꧀ꦱꦫ", "ꦲ ꦏ꧀ ꦱ ꦫ"),  # Javanese
        ("ᬅᬓ᭄ᬱᬭ", "ᬅ ᬓ᭄ ᬱ ᬭ"),  # Balinese
        ("𠮷野家", "𠮷 野 家"),
        ("한국어 문장, 둘", "한국어 문장, 둘"),  # Korean has spaces
        ("हिन्दी में", "हिन्दी में"),
        ("👩‍👩‍👧 ❤️ 🇯🇵🇫🇷", "👩‍👩‍👧 ❤️ 🇯🇵🇫🇷"),
        ("今天👩‍👩‍👧好", "今 天 👩‍👩‍👧 好"),
        ("", ""),
    ],
)
def test_words_equal_those_split_by_hand(text: str, cut: str) -> None:
    assert words(text) == cut.split(" ") if text else words(text) == []


@pytest.mark.parametrize(
    "text", [ENGLISH, "Übergröße — it’s “ﬁne” … ½", "Ελλάδα, Россия", "שלום", "한국어", "हिन्दी", "\ud800 a", "😀"]
)
def test_text_of_scripts_with_spaces_does_not_change(text: str) -> None:
    assert spaced(text) == spaced_apart(text) == text


def test_full_width_punctuation_is_separated_for_a_tokenizer_like_english_punctuation() -> None:
    assert spaced_apart("九支钢笔，好。「是」").split() == ["九", "支", "钢", "笔,", "好", "。", "「", "是", "」"]
    first, second = tokenise(["钢笔，", "pens,"], 1).starts[1:]
    assert (first, second) == (3, 5)  # 钢 笔 , and pens ,


@pytest.mark.parametrize("text", ["(", "（", "笔", "，", "。", "。a", "（，", "「「", "ก็", "。" * 9 + " ", "😀"])
def test_long_hostile_text_takes_no_quadratic_time(text: str) -> None:
    start = time.process_time()
    words(text * (100_000 // len(text)))
    spaced_apart(text * (100_000 // len(text)))
    tokens(text * (100_000 // len(text)))
    assert time.process_time() - start < 10


@pytest.mark.parametrize("script", SCRIPTS)
def test_near_duplicates_are_those_of_the_english_partners(script: str) -> None:
    template, other = SCRIPTS[script]

    def verdicts(texts: list[str]) -> dict[str, str]:
        return near_duplicates(dict(zip("abcde", texts, strict=True)), PUBLISHED)

    assert verdicts([*MEANT, OTHER]) == {"b": "a", "c": "a", "d": "a"}
    assert verdicts([*filled(template), other]) == {"b": "a", "c": "a", "d": "a"}


def test_the_listed_texts_have_the_verdicts_of_their_partners() -> None:
    for name in ("chinese", "english"):
        assert near_duplicates(dict(zip("abcd", CASES[name], strict=True)), PUBLISHED) == {"b": "a", "c": "a", "d": "a"}
    chinese, english = (self_bleu(tokenise(CASES[name], 1)) for name in ("chinese", "english"))
    assert abs(chinese - english) < 0.05
    assert 0.9 < english < 0.95


@pytest.mark.parametrize("script", SCRIPTS)
def test_self_bleu_equals_nltks_on_characters_and_is_near_the_english_partners(script: str) -> None:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    template, other = SCRIPTS[script]
    texts = [*filled(template), other]
    cut = [spaced_apart(text).replace(",", " , ").replace(";", " ; ").replace("?", " ?").split() for text in texts]
    smooth = SmoothingFunction().method1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [
            [sentence_bleu(cut[:i] + cut[i + 1 :], text, (1 / n,) * n, smooth) for n in (2, 3, 4, 5)]
            for i, text in enumerate(cut)
        ]
    np.testing.assert_allclose(bleu_against_others(tokenise(texts, 1)), expected, rtol=0, atol=1e-12)
    alike, meant = (self_bleu(tokenise(several, 1)) for several in (filled(template), MEANT))
    assert abs(alike - meant) < 0.08
    assert self_bleu(tokenise([template, other], 1)) < 0.3 < 0.8 < alike


@pytest.mark.parametrize("script", [*SCRIPTS, "english"])
def test_the_gate_sees_what_a_row_repeats_exactly_or_nearly(script: str) -> None:
    template, other = SCRIPTS.get(script, (ENGLISH, OTHER))
    asked = template.format(2)
    written = [
        asked,
        f" {asked} ",
        unicodedata.normalize("NFKC", asked),  # half-width punctuation
        template.format(3),
        f"{asked} 3",
        other,
    ]
    kind = open_kind(KindUse(name="safety", safety=Safety(refusals=["no"])))
    rows = {str(n): [(instruction_id(text), text)] for n, text in enumerate(written)}
    contamination = find_contamination(rows, {"test": KeptOut([asked], None)}, PUBLISHED, kind)
    assert [contamination.exact[name]["test"] for name in rows] == [1, 1, 1, 0, 0, 0]
    assert [contamination.near[name]["test"] for name in rows] == [1, 1, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("one", "other", "similar"),
    [
        ("😀", "😀", True),
        ("😀", "😁", False),
        ("😀 😁 😂", "😂 😁 😀", False),  # without words only equal texts are repeats
        ("👩‍👩‍👧", "👩‍👩‍👦", False),
        ("🇯🇵", "🇫🇷", False),
        ("!!!", "???", False),
        ("! ! !", "! !", False),
        ("？！", "?!", True),  # equal after normalisation
        ("。。。", "、、、", False),
        ("...", "", False),
        ("...", "...  \n", True),
        ("😀", "smile", False),
        ("一二三四。", "一二三四", False),  # three of five, as `a b c d.` and `a b c d`
        ("狗咬人", "人咬狗", True),  # as `dog bites man` and `man bites dog`: words are a set
        ("私は学生です", "私 は 学生 です", True),
        ("ポケット", "ﾎﾟｹｯﾄ", True),
        ("ทำงาน", unicodedata.normalize("NFKC", "ทำงาน"), True),
        ("株式会社", "㍿", True),
    ],
)
@pytest.mark.parametrize("ngram", [1, 3])
def test_texts_without_words_repeat_only_equal_texts(one: str, other: str, similar: bool, ngram: int) -> None:
    settings = Deduplication(ngram=ngram, threshold=0.78)
    similar = similar and (ngram == 1 or "咬" not in one)
    assert near_duplicates({"1": one, "2": other}, settings) == ({"2": "1"} if similar else {})
    assert near_any([one], [other], settings) == [similar]
    assert similar or normalise(one) != normalise(other)


def test_distinct_n_and_entropy_count_characters() -> None:
    metrics = lexical_diversity(["卖出2盒笔，", "卖出3盒笔，"], MATH)
    # 卖 出 2 盒 笔, and 卖 出 3 盒 笔,
    assert (metrics["distinct_1"].count, metrics["distinct_1"].total) == (6, 10)
    assert (metrics["distinct_2"].count, metrics["distinct_2"].total) == (6, 8)
    assert (metrics["distinct_3"].count, metrics["distinct_3"].total) == (6, 6)
    assert (metrics["distinct_4"].count, metrics["distinct_4"].total) == (4, 4)
    assert metrics["ngram_entropy"].value == 1.386294  # log 4
    partner = lexical_diversity(["sells out 2 boxes pens,", "sells out 3 boxes pens,"], MATH)
    assert {n: m for n, m in partner.items() if n != "self_bleu"} == {
        n: m for n, m in metrics.items() if n != "self_bleu"
    }
    assert metrics["self_bleu"].value == partner["self_bleu"].value  # 卖 出 2 盒 笔 , as sells out 2 boxes pens ,


WORDLESS = ["distinct_2", "distinct_3", "distinct_4", "ngram_entropy", "self_bleu", "type_entropy"]


@pytest.mark.parametrize(
    ("texts", "null"),
    [
        ([], ["unique_share", "distinct_1", *WORDLESS]),
        (["one text of seven words is here"], ["unique_share", "distinct_1", *WORDLESS]),
        (["", ""], ["distinct_1", *WORDLESS]),
        (["word", ""], ["distinct_1", *WORDLESS]),
        (["word", "word"], WORDLESS),
        (["笔", "纸"], WORDLESS),
        (["😀😁😂🤣😃", "😀😁😂🤣😃"], WORDLESS),
        (["？", "！"], WORDLESS),
        (["two words", "word"], WORDLESS),  # a single 2-gram is always distinct
        (["a b c d", "a b c d"], ["self_bleu", "type_entropy"]),
        (["a b c d e", "a b c d"], ["self_bleu", "type_entropy"]),  # no 5-gram can match
        (["a b c d e", "a b c d e"], ["type_entropy"]),
        (["卖出两盒笔", "卖出两盒笔"], ["type_entropy"]),
        (["20 + 3", "what ?"], ["distinct_3", "distinct_4", "ngram_entropy", "self_bleu", "type_entropy"]),
    ],
)
def test_a_meaningless_metric_is_null_with_a_reason(texts: list[str], null: list[str]) -> None:
    metrics = lexical_diversity(texts, MATH)
    assert [name for name, metric in metrics.items() if metric.value is None] == null
    for metric in metrics.values():
        assert (metric.reason is None) == (metric.value is not None)


def test_all_texts_identical_have_the_worst_values() -> None:
    for text in (ENGLISH, SCRIPTS["simplified"][0], SCRIPTS["thai"][0]):
        metrics = lexical_diversity([text] * 10, MATH)
        assert (metrics["unique_share"].value, metrics["self_bleu"].value) == (0.1, 1)
        distinct = metrics["distinct_4"]
        assert distinct.count is not None
        assert distinct.total == 10 * (len(words(text)) - 3)


def test_reasons_state_what_is_missing() -> None:
    metrics = lexical_diversity(["two words", "word"], MATH)
    assert metrics["distinct_2"].reason == "the texts have 1 2-grams of words, fewer than two"
    assert metrics["self_bleu"].reason == "0 texts have 5 words, as BLEU-5 needs: fewer than two"
    assert metrics["type_entropy"].reason == "0 texts have a type, fewer than two"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("卖出12盒，好。", ["卖", "出", "0", "盒", ",", "好", "。"]),
        ("ขายปากกา", ["ข", "า", "ย", "ป", "า", "ก", "ก", "า"]),
        ("กี่ด้าม", ["กี่", "ด้", "า", "ม"]),
        ("हिन्दी में", ["हिन्दी", "में"]),  # vowel signs belong to their word
        ("Cafe\u0301 au lait!", ["cafe\u0301", "au", "lait", "!"]),
    ],
)
def test_failure_clusters_count_the_same_words(text: str, cut: list[str]) -> None:
    assert tokens(text) == cut


def test_clusters_of_chinese_failures_are_found_and_named_by_their_characters() -> None:
    wording = {
        "ships": "红船{}航海入港，第{}号。",
        "bread": "烤箱里放{}面包，烘焙{}分钟！",
        "chess": "白象走{}到格子{}将军、获胜",
        "music": "演奏{}小调奏鸣曲「{}」",
        "stars": "用望远镜数{}银河星辰（{}）",
        "taxes": "四月前报送{}税务表；{}份",
    }
    evidence = planted(dict.fromkeys(wording, 30))
    evidence.failures = {
        i: f.model_copy(update={"text": wording[i[:5]].format(chr(0x5200 + n), n)})
        for n, (i, f) in enumerate(evidence.failures.items())
    }
    clusters, failures = make_failure_clusters(evidence, None, False, 0)
    pure = kinds_of(failures)
    assert {len(kinds) for kinds in pure.values()} == {1}
    assert {next(iter(kinds)) for kinds in pure.values()} == set(wording)
    for cluster in clusters:
        [kind] = pure[cluster.number]
        assert len(cluster.terms) > 5
        assert set(cluster.terms) <= set(wording[kind]) - set("，。！、「」（）；")
