"""Facts: rows of public sets, verdicts with abstentions, rows from several answers, and metrics of outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from reversegen.config.task import Evaluation, KindUse
from reversegen.core.errors import BadInput
from reversegen.core.records import Frequency, Label, Question, Reference, Response
from reversegen.engines.base import Generated
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.outcomes import EvaluationOutcomes, frequency_scores, target_counts
from reversegen.evaluation.statistics import difference, estimate
from reversegen.evaluation.target import AnsweredTests, evaluate_target
from reversegen.ids import instruction_id
from reversegen.kinds import factual, open_kind, target_metrics
from reversegen.kinds.answers.equivalence import Checker
from reversegen.kinds.answers.reply import read_reply
from reversegen.kinds.base import Case, KeptShare, Unusable
from reversegen.kinds.question_rows import read_row
from reversegen.loop.enhancement import Selection
from reversegen.loop.references import reference, structured_reference, vote
from reversegen.loop.sampled_rows import with_sampled_rows
from reversegen.worlds import WORLDS
from reversegen.worlds.base import World

SECTION: dict[str, Any] = {
    "samples": 4,
    "temperature": 0.7,
    "calibration_samples": None,
    "abstentions": ["I don't know.", "No idea."],
    "never_right": "abstention",
    "sometimes_right": "right_answer",
    "always_right": "own_answer",
}
CITIES = {"What is the capital of Ukraine?": ("Kyiv", "Kiev"), "What is the capital of Australia?": ("Canberra",)}
UKRAINE, AUSTRALIA = CITIES
SETTINGS = Evaluation(bootstrap=200, diversity_sample=10)


def kind(**changes: Any):  # type: ignore[no-untyped-def]
    return open_kind(KindUse(name="factual", factual=SECTION | changes))


FACTUAL = kind()


def named(question: str, response: str) -> list[str]:
    return [names[0] for names in [*CITIES.values(), ("Sydney",)] if any(name in response for name in names)]


CAPITALS: World = replace(
    WORLDS["arithmetic"],
    solve=lambda question: f"The capital is {CITIES[question][0]}." if question in CITIES else None,
    type_of=lambda question: "capital" if question in CITIES else None,
    canonical=lambda question: question.lower() if question in CITIES else None,
    aliases=lambda question: CITIES.get(question, ()),
    named=named,
)
OF_WORLD = factual.open_kind(KindUse(name="factual", factual=SECTION), [CAPITALS])


def responses(*texts: str, finished: bool = True) -> list[Response]:
    return [
        Response(instruction_id="i", sample=n, text=text, tokens=1, finished=finished) for n, text in enumerate(texts)
    ]


def trusted(answer: str | None, *aliases: str, solution: str | None = None) -> Reference:
    given: dict[str, Any] = {
        "answer": answer,
        "aliases": list(aliases),
        "invalid": None if answer else "not answerable",
    }
    return Reference(instruction_id="i", solution=solution, teacher="t", **given)


@pytest.mark.parametrize(
    ("row", "question", "answer", "subject", "aliases"),
    [
        (
            {
                "id": "1", "subj": "Ada Lund", "prop": "occupation", "obj": "politician", "s_pop": "120", "o_pop": "9",
                "question": "What is Ada Lund's occupation?", "possible_answers": '["politician", "leader", "Politician"]',
            },
            "What is Ada Lund's occupation?", "politician", "occupation", ("leader",),
        ),
        (
            {"metadata": "{'topic': 'Art', 'answer_type': 'Person', 'urls': ['https://example.org']}",
             "problem": "Who  painted the\nblue gate?", "answer": "Ada Lund"},
            "Who painted the blue gate?", "Ada Lund", "Art", (),
        ),
        (
            {"question": "Which river flows through Lund?", "question_id": "q1", "question_source": "own",
             "answer": {"value": "Höje å", "aliases": ["Hoje", "Höje Å"], "normalized_aliases": ["hoje", "hoje river"]}},
            "Which river flows through Lund?", "Höje å", None, ("Hoje", "hoje river"),
        ),
        ({"question": "Who wrote it?", "answer": "Ada Lund", "aliases": ["A. Lund"], "subject": "books"},
         "Who wrote it?", "Ada Lund", "books", ("A. Lund",)),
        ({"text": "Who wrote it?"}, "Who wrote it?", None, None, ()),
    ],
    ids=["PopQA", "SimpleQA", "TriviaQA", "own", "text"],
)  # fmt: skip
def test_rows_of_public_sets(
    row: dict[str, Any], question: str, answer: str, subject: str, aliases: Sequence[str]
) -> None:
    read = read_row(row)
    assert (read.text, read.answer, read.subject, read.aliases) == (question, answer, subject, tuple(aliases))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"question": "Who?", "possible_answers": "politician", "obj": ""},
            "possible_answers: a list of texts as JSON",
        ),
        ({"question": "Who?", "possible_answers": "[]"}, "obj: missing"),
        ({"question": "Who?", "possible_answers": '[""]', "obj": ""}, "obj: a text is needed"),
        ({"question": "Who?", "possible_answers": "[" * 100_000}, "possible_answers: a list of texts as JSON"),
        ({"problem": "Who?", "answer": "A", "metadata": "{'topic'"}, "metadata: an object"),
        ({"problem": "Who?", "answer": "A", "metadata": "-" * 100_000 + "1"}, "metadata: an object"),
        ({"question": "Who?", "answer": {"value": None}}, "value: a text is needed"),
        ({"question": "Who?", "answer": "A", "aliases": "B"}, "aliases: a list of texts as JSON"),
        ({"question": "Who?", "answer": "A", "aliases": [1]}, "aliases: a list of texts is needed"),
        ({"query": "Who?"}, "question: missing"),
    ],
)
def test_a_row_of_another_form_is_refused_with_its_field(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_row(row)


def test_a_question_with_its_answer_is_unusable() -> None:
    with pytest.raises(Unusable, match="carries its answer"):
        read_row({"question": "Who wrote it? Answer: Ada", "answer": "Ada"})


@pytest.mark.parametrize(
    ("text", "verdict", "abstained", "detail"),
    [
        ("Canberra.", "passed", False, "right answer"),
        ("Sydney.", "failed", False, "wrong answer"),
        ("I don't know.", "passed", True, "says that it does not know"),
        ("Sydney or Canberra", "invalid", False, "right and wrong answers together"),
        ("", "invalid", False, "empty response"),
    ],
)
def test_verdicts(text: str, verdict: str, abstained: bool, detail: str) -> None:
    case = Case("i", AUSTRALIA, responses(text), trusted("Canberra"))
    with Checker() as checker:
        label = FACTUAL.label(case, checker)
    assert (label.verdict, label.abstained, label.detail) == (verdict, abstained, detail)


def test_without_a_trusted_answer_a_label_is_invalid_even_for_an_abstention() -> None:
    with Checker() as checker:
        for given, reason in ((trusted(None), "not answerable"), (None, "no reference")):
            label = FACTUAL.label(Case("i", AUSTRALIA, responses("I don't know."), given), checker)
            assert (label.verdict, label.detail, label.abstained) == ("invalid", reason, False)
        assert FACTUAL.label(Case("i", AUSTRALIA, [], trusted("Canberra")), checker).detail == "no response"


def test_aliases_of_references_and_of_test_questions_are_accepted() -> None:
    question = Question(
        id="i", text="Who wrote it?", answer="Ada Lund", group=None, measure="accuracy", aliases=["The Owl"]
    )
    with Checker() as checker:
        case = Case("i", "Who wrote it?", responses("It was written by the Owl."), trusted("Ada Lund", "The Owl"))
        assert FACTUAL.label(case, checker).detail == "right answer"
        assert FACTUAL.label_test(question, replace(case, reference=None), checker).detail == "right answer"
        assert FACTUAL.label_test(question.model_copy(update={"aliases": []}), case, checker).verdict == "failed"


def test_a_wording_of_the_task_is_read_as_an_abstention() -> None:
    case = Case("i", AUSTRALIA, responses("Da muss ich passen."), trusted("Canberra"))
    with Checker() as checker:
        assert not FACTUAL.label(case, checker).abstained
        assert kind(abstentions=["Da muss ich passen."]).label(case, checker).abstained


def test_a_world_gives_the_answer_its_aliases_and_the_possible_answers() -> None:
    written = reference("i", UKRAINE, CAPITALS.solve(UKRAINE), "capitals", OF_WORLD)
    assert (written.answer, written.solution, written.invalid) == ("Kyiv", "The capital is Kyiv.", None)
    with Checker() as checker:
        for text, verdict in (("Kiev", "passed"), ("Sydney", "failed"), ("Kiev or Canberra", "invalid")):
            assert OF_WORLD.label(Case("i", UKRAINE, responses(text), written), checker).verdict == verdict
    assert OF_WORLD.group(UKRAINE) == "capital"
    assert reference("i", "Who?", None, "capitals", OF_WORLD).invalid == "not answerable"


def test_a_model_as_teacher_votes_by_name_and_may_give_other_names() -> None:
    solutions = [Generated(text, 1, True) for text in ("The capital is Kyiv.", "Kiev", "Lviv")]
    with Checker() as checker:
        elected = vote("i", UKRAINE, solutions, 2, "m", FACTUAL, checker)
        assert (elected.answer, elected.invalid) == ("Kyiv", None)
        assert vote("i", UKRAINE, solutions[1:], 2, "m", FACTUAL, checker).invalid == "teacher's answers disagree"
        unknown = [Generated("I do not know that.", 1, True)]
        assert vote("i", UKRAINE, unknown, 1, "m", FACTUAL, checker).invalid == "not answerable"

    form = FACTUAL.structured
    assert form
    reply = read_reply('{"answer": "Kyiv", "other_names": ["Kiew", " "]}')
    written = structured_reference("i", UKRAINE, reply, "m", FACTUAL, form)
    assert (written.answer, written.aliases) == ("Kyiv", ["Kiew"])
    row = FACTUAL.enhancement_row(UKRAINE, written, "failed", None)
    assert row[1][0].content == "Kyiv"
    none = read_reply('{"answer": null, "other_names": []}')
    assert structured_reference("i", UKRAINE, none, "m", FACTUAL, form).invalid == "not answerable"


@pytest.mark.parametrize(
    ("texts", "changes", "taught"),
    [
        (("Sydney", "Perth", "I don't know.", "Sydney"), {}, "abstention"),
        (("Sydney", "Perth", "Hobart", "Sydney"), {"never_right": "right_answer"}, "It is Canberra."),
        (("Sydney", "Canberra", "Perth", "Perth"), {}, "It is Canberra."),
        (("Sydney", "Canberra", "Perth", "Perth"), {"sometimes_right": "abstention"}, "abstention"),
        (("Canberra!", "Canberra", "It's Canberra", "Canberra."), {}, "Canberra!"),
        (("Canberra!", "Canberra", "It's Canberra", "Canberra."), {"always_right": "right_answer"}, "It is Canberra."),
    ],
)
def test_what_is_taught_follows_from_the_drawn_answers(
    texts: Sequence[str], changes: dict[str, str], taught: str
) -> None:
    opened = kind(**changes)
    assert opened.sampled
    case = Case("i", AUSTRALIA, responses(*texts), trusted("Canberra", solution="It is Canberra."))
    prompt, completion = opened.sampled.row(case, "Be brief.")
    assert [turn.content for turn in prompt] == ["Be brief.", AUSTRALIA]
    assert completion[0].content in (SECTION["abstentions"] if taught == "abstention" else [taught])


def test_answers_that_were_not_received_do_not_count() -> None:
    opened, answer = kind(), trusted("Canberra", solution="It is Canberra.")
    assert opened.sampled
    lost = [row.model_copy(update={"invalid": "content filter", "text": ""}) for row in responses("", "")]
    assert opened.sampled.row(Case("i", AUSTRALIA, lost, answer), None)[1][0].content == "It is Canberra."
    both = [*responses("Canberra."), *lost]
    assert opened.sampled.row(Case("i", AUSTRALIA, both, answer), None)[1][0].content == "Canberra."


def test_both_wordings_of_an_abstention_are_taught() -> None:
    opened = kind()
    assert opened.sampled
    texts = {
        opened.sampled.row(Case(f"i{n}", AUSTRALIA, responses("Sydney"), trusted("Canberra")), None)[1][0].content
        for n in range(20)
    }
    assert texts == set(SECTION["abstentions"])


def answered(states: str, original: str = "") -> AnsweredTests:
    """Questions with these outcomes: r right, w wrong, a abstained, x without a verdict."""

    def labels(letters: str) -> list[Label]:
        verdicts = {"r": "passed", "a": "passed", "w": "failed", "x": "invalid"}
        return [
            Label(instruction_id=f"q{n}", verdict=verdicts[one], score=None, detail="", abstained=one == "a")  # type: ignore[arg-type]
            for n, one in enumerate(letters)
        ]

    questions = [
        Question(id=f"q{n}", text=f"q{n}", answer="A", group="even" if n % 2 == 0 else "odd", measure="accuracy")
        for n in range(len(states))
    ]
    return AnsweredTests({"test": questions}, labels(states), [], original=labels(original))


def test_metrics_count_right_wrong_and_abstained() -> None:
    metrics, groups = evaluate_target(answered("rrwwwaax"), SETTINGS, 0, FACTUAL)
    counted = {
        name: (metrics[name].count, metrics[name].total)
        for name in ("accuracy", "hallucination_rate", "abstention_rate")
    }
    assert counted == {"accuracy": (2, 8), "hallucination_rate": (3, 8), "abstention_rate": (2, 8)}
    truth = metrics["truthfulness"]
    assert truth.value == -0.125
    assert truth.low is not None
    assert truth.high is not None
    assert truth.low < -0.125 < truth.high
    assert (truth.count, truth.total) == (None, None)
    assert (metrics["retained"].value, metrics["over_abstention"].value) == (None, None)
    assert metrics["retained"].reason == "it compares an enhanced target with the original"
    assert groups["type"]["even"]["truthfulness"].value == -0.25  # r, w, w and a
    assert groups["set"]["test"]["hallucination_rate"] == metrics["hallucination_rate"]


def test_an_enhanced_target_is_compared_with_the_right_answers_of_the_original() -> None:
    metrics, _ = evaluate_target(answered("rawrarrx", original="rrrrwwar"), SETTINGS, 0, FACTUAL)
    # q0 to q3 and q7 were right before: right, abstained, wrong, right, and without a verdict now
    assert (metrics["retained"].count, metrics["retained"].total) == (2, 5)
    assert (metrics["over_abstention"].count, metrics["over_abstention"].total) == (1, 5)


def test_outcomes_hold_the_counts_of_every_share() -> None:
    several = answered("rawrarrx", original="rrrrwwar")
    metrics, _ = evaluate_target(several, SETTINGS, 0, FACTUAL)
    counts = target_counts(several.tests, several.labels, FACTUAL, several.original)
    for name in ("accuracy", "hallucination_rate", "abstention_rate", "retained", "over_abstention"):
        assert (sum(counts[name].hits), sum(counts[name].totals)) == (metrics[name].count, metrics[name].total)
    assert len({one.clusters for one in counts.values()}) == 1
    assert "retained" not in target_counts(several.tests, several.labels, FACTUAL)


def test_truthfulness_is_pooled_over_random_seeds_below_zero_and_paired_between_targets() -> None:
    def stored(states: str, seed: int) -> EvaluationOutcomes:
        several = answered(states)
        metrics, groups = evaluate_target(several, SETTINGS, seed, FACTUAL)
        given: dict[str, Any] = {"role": "target", "arm": None, "iteration": None, "provenance": {}}
        evaluation = EvalFile(task="t", kind="factual", variant="original", metrics=metrics, groups=groups, **given)
        counts = target_counts(several.tests, several.labels, FACTUAL)
        return EvaluationOutcomes(evaluation=evaluation, counts=counts, scores=None)

    bad, good = "wwwwwwwrwaww", "rarrrrarrrra"
    pooled = estimate({seed: stored(bad, seed) for seed in (0, 1)}, "truthfulness")
    assert pooled.value == pytest.approx((1 - 10) / 12)
    assert pooled.low is not None
    assert pooled.high is not None
    assert -1 <= pooled.low < pooled.value < pooled.high < 0
    less = difference({0: stored(good, 0)}, {0: stored(bad, 0)}, "truthfulness")
    assert less.value == pytest.approx(9 / 12 + 9 / 12)
    assert less.low is not None
    assert less.low > 0


def test_the_most_frequent_answer_is_right_wrong_or_none() -> None:
    frequent = kind(calibration_samples=4).repetition
    assert frequent
    assert (frequent.decision.samples, kind().repetition) == (4, None)
    question = Question(id="i", text=AUSTRALIA, answer="Canberra", group=None, measure="accuracy")
    table = {
        ("Canberra", "It's Canberra.", "The capital of Australia is Canberra", "Sydney"): (True, 0.75),
        ("Sydney", "The capital is Sydney.", "Canberra", "Perth"): (False, 0.5),
        ("I don't know.", "Not sure.", "No idea.", "Canberra"): (None, 0.75),
        ("Sydney", "Perth", "Canberra", "Canberra!"): (True, 0.5),
    }
    for texts, expected in table.items():
        assert frequent.frequent(question, Case("i", AUSTRALIA, responses(*texts))) == expected
    lost = [row.model_copy(update={"invalid": "content filter"}) for row in responses("")]
    assert frequent.frequent(question, Case("i", AUSTRALIA, lost)) == (None, 0.0)


def test_calibration_compares_the_share_of_the_most_frequent_answer_with_how_often_it_is_right() -> None:
    given = [("q0", True, 1.0), ("q1", False, 1.0), ("q2", True, 0.5), ("q3", False, 0.5), ("q4", None, 1.0)]
    frequencies = [Frequency(question_id=i, right=right, share=share) for i, right, share in given]
    several = replace(answered("rwrwa"), frequencies=frequencies)
    metrics, groups = evaluate_target(several, SETTINGS, 0, FACTUAL)
    assert metrics["calibration_error"].value == pytest.approx((2 * 0.5 + 2 * 0.0) / 4)
    shares = groups["share of the most frequent answer"]
    assert {share: (m["frequent_right"].count, m["frequent_right"].total) for share, m in shares.items()} == {
        "0.50": (1, 2),
        "1.00": (1, 2),
    }
    scores = frequency_scores(several.tests, frequencies, FACTUAL)
    assert scores is not None
    assert (scores.right, scores.score) == ([1, 0, 1, 0], [1.0, 1.0, 0.5, 0.5])
    none = replace(several, frequencies=frequencies[-1:])
    assert evaluate_target(none, SETTINGS, 0, FACTUAL)[0]["calibration_error"].reason is not None
    assert "calibration_error" not in evaluate_target(answered("rw"), SETTINGS, 0, FACTUAL)[0]


def test_the_metrics_have_distinct_names_and_places() -> None:
    metrics = target_metrics("factual")
    assert len({metric.name for metric in metrics}) == len(metrics)
    assert {metric.name for metric in metrics if isinstance(metric, KeptShare)} == {"retained", "over_abstention"}
    assert FACTUAL.measures == ["accuracy"]


def test_a_sample_is_parsed_as_one_question() -> None:
    assert FACTUAL.parse_instruction(" Who wrote it?\n\nQ5. Who sang it?", True).text == "Who wrote it?"
    assert FACTUAL.parse_instruction(" Who wrote it? Answer: Ada", True).invalid == "carries its answer"
    for answered in ("What is the capital of France? Paris.", "Who wrote it?\nAda Lund", "Who?\tPort of Spain"):
        assert FACTUAL.parse_instruction(answered, True).invalid == "carries its answer"
    for asked in (
        "Who wrote it? Please answer in one word.",
        "Who wrote it? I forgot.",
        "Who? Explain.",
        "Who? And when?",
    ):
        assert FACTUAL.parse_instruction(asked, True).invalid is None
    assert FACTUAL.build_prompt("More:", ["Who?", "What?", "When?"]).endswith("Q3. When?\n\nQ4.")
    assert instruction_id(FACTUAL.parse_instruction(" Who\nwrote it?", True).text) == instruction_id("Who wrote it?")


def test_a_kind_without_sampled_rows_refuses_answers() -> None:

    with pytest.raises(BadInput, match="writes no rows from several answers"):
        with_sampled_rows(Selection({}, {}, {}), {}, replace(FACTUAL, sampled=None), None)
