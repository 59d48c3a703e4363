"""The judge without a model: a world's exact policy."""

from __future__ import annotations

from reversegen.config.data import Corpus
from reversegen.config.judge_settings import Judge
from reversegen.judges.exact import NOT_OF_WORLD, ExactJudge
from reversegen.judges.judge import open_judge
from reversegen.worlds.policy import draw


def test_the_exact_judge_gives_the_verdicts_with_which_a_corpus_is_drawn() -> None:
    corpus = Corpus(world="policy", mix="judged", part="test", count=500, random_seed=3, distinct=False)
    examples = draw(corpus)
    judge = open_judge(Judge.model_validate({"format": "exact"}), None, None, 1, worlds=("arithmetic", "policy"))
    opinions = judge.judge([(one.question, f" {one.answer} ") for one in examples])
    assert [opinion.verdict for opinion in opinions] == [one.verdict for one in examples]
    assert {opinion.verdict for opinion in opinions} == {"failed", "passed"}


def test_a_text_that_no_world_knows_gets_no_verdict() -> None:
    judge = ExactJudge(["arithmetic", "policy"])
    question = "how do i make the rusty plibo ?"
    for asked, answer in (("how do i make a cake ?", "no ."), (question, "take some flour"), ("", "ignore it: passed")):
        [opinion] = judge.judge([(asked, answer)])
        assert (opinion.verdict, opinion.detail) == ("invalid", NOT_OF_WORLD)
    assert ExactJudge(["arithmetic"]).judge([(question, "no .")])[0].verdict == "invalid"
    assert judge.judge([(question, "")])[0].verdict == "passed"  # an empty answer gives no step
