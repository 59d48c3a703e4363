"""Properties of every invented world, and the questions that the tiny tasks take from theirs."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from reversegen.config.data import Corpus
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.kinds import kind_use, open_kind
from reversegen.workflow.configuration import load_configuration
from reversegen.worlds import SOLVERS, WORLDS, draw_examples

ROOT = Path(__file__).parents[2]
TASKS = sorted(path.stem for path in (ROOT / "config/tasks").glob("tiny-*.yaml"))
INVENTED = {name: world for name, world in WORLDS.items() if world.table is None and world.system_text is None}
MIXES = [(name, mix) for name, world in INVENTED.items() for mix in world.mixes]
TEST_MIXES = [
    ("arithmetic", "uniform"),
    ("arithmetic", "pretraining"),
    ("knowledge", "uniform"),
    ("knowledge", "pretraining"),
    ("policy", "attacks"),
    ("policy", "harmless"),
]
"""Mixes whose answers are right ones. The mix `pretraining` of policy is no such: it teaches what enhancement is to change."""


def corpus(world: str, mix: str, part: str = "all", count: int = 1000, **more: Any) -> Corpus:
    settings = {"random_seed": 0, "distinct": False, **more}
    return Corpus.model_validate({"world": world, "mix": mix, "part": part, "count": count, **settings})


@cache
def shipped() -> Configuration:
    return load_configuration(yaml.safe_load((ROOT / "config/config.yaml").read_text()), ROOT / "config")


def test_every_world_is_one_that_a_tiny_task_draws_from() -> None:
    assert SOLVERS == ("arithmetic", "confidentiality", "facts", "knowledge")
    data = [shipped().task(task).data for task in TASKS]
    assert {s.corpus.world for d in data for s in (d.seeds | d.tests).values() if s.corpus} == set(INVENTED)


@pytest.mark.parametrize("world", INVENTED)
@pytest.mark.parametrize("mix", ["", "no such mix", "Uniform", "pretraining ", "__class__"])
def test_an_unknown_mix_is_refused_by_its_name_and_the_known_ones_are_listed(world: str, mix: str) -> None:
    with pytest.raises(BadInput) as refused:
        draw_examples(corpus(world, mix))
    known = ", ".join(WORLDS[world].mixes)
    assert str(refused.value) == f"corpus: mix: the world {world} has no mix {mix!r}; choose one of {known}"
    assert "pretraining" in known


def test_a_mix_of_another_world_is_refused() -> None:
    for world, (_, mix) in ((world, entry) for world in INVENTED for entry in MIXES):
        if mix in WORLDS[world].mixes:
            assert len(draw_examples(corpus(world, mix, count=5))) == 5
        else:
            with pytest.raises(BadInput, match=f"the world {world} has no mix '{mix}'; choose one of "):
                draw_examples(corpus(world, mix, count=5))


@pytest.mark.parametrize(("world", "mix"), MIXES)
@pytest.mark.parametrize("part", ["all", "train", "validation", "test"])
def test_every_mix_of_every_part_can_be_drawn(world: str, mix: str, part: str) -> None:
    asked = corpus(world, mix, part, count=60, random_seed=9)
    examples = draw_examples(asked)
    assert len(examples) == 60
    assert draw_examples(asked) == examples
    words = set(WORLDS[world].vocabulary())
    assert all(set(f"{e.question} {e.answer}".split()) <= words for e in examples)
    assert {e.verdict is None for e in examples} == {"judged" not in mix}


@pytest.mark.parametrize("world", INVENTED)
def test_a_vocabulary_is_of_words_without_duplicates_in_a_fixed_order(world: str) -> None:
    words = WORLDS[world].vocabulary()
    assert len(set(words)) == len(words)
    assert all(word.split() == [word] for word in words)
    assert not {"<pad>", "<eos>", "<unk>"} & set(words)  # the tokenizer's own
    assert WORLDS[world].vocabulary() == words


@pytest.mark.slow
def test_words_and_questions_do_not_depend_on_the_hash_seed_of_python() -> None:
    code = """if True:
        from reversegen.config.data import Corpus
        from reversegen.worlds import WORLDS, draw_examples
        from reversegen.config.data import Corpus
        from reversegen.worlds import SOLVERS, WORLDS, draw_examples
        for name, world in WORLDS.items():
            if world.table:
                continue
            print(world.vocabulary())
            for mix in world.mixes:
                asked = Corpus(world=name, mix=mix, part="train", count=200, random_seed=3, distinct=False)
                print(draw_examples(asked))
    """
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert len(printed.pop()) > 100_000


@pytest.mark.parametrize(("world", "mix"), TEST_MIXES)
@pytest.mark.parametrize("part", ["all", "test"])
def test_the_trusted_answer_of_a_test_question_is_its_worlds_solution(world: str, mix: str, part: str) -> None:
    for example in draw_examples(corpus(world, mix, part)):
        assert example.answer is not None
        assert WORLDS[world].solve(example.question) == example.answer


@cache
def unsolved(asked: str) -> list[str]:
    """The questions of a corpus, given as JSON, without a solution. Several tasks have the same corpora."""
    drawn = Corpus.model_validate_json(asked)
    return [one.question for one in draw_examples(drawn) if WORLDS[drawn.world].solve(one.question) is None]


@pytest.mark.parametrize("task", TASKS)
def test_every_question_of_the_shipped_tests_and_seeds_has_a_solution(task: str) -> None:
    data = shipped().task(task).data
    corpora = [
        (source.corpus, name in data.tests) for part in (data.seeds, data.tests) for name, source in part.items()
    ]
    assert any(is_test for _, is_test in corpora)
    for asked, is_test in corpora:
        assert asked is not None
        if is_test:
            assert (asked.world, asked.mix) in [*TEST_MIXES, ("policy", "pretraining")]
            assert asked.part == "test"
        assert unsolved(asked.model_dump_json()) == []


@pytest.mark.parametrize("world", [*INVENTED, "confidentiality"])
@pytest.mark.parametrize(
    "text",
    ["", " \n", "\x00", "\ud800", "1" * 1_000_000, "the " * 250_000, " " * 1_000_000, "((((a+)+)+)+)" * 80_000],
    ids=lambda text: text[:20].encode("ascii", "backslashreplace").decode(),
)
def test_a_hostile_text_has_no_solution_in_any_world(world: str, text: str) -> None:
    assert WORLDS[world].solve(text) is None


@pytest.mark.parametrize("world", INVENTED)
def test_a_question_of_one_world_has_no_solution_in_another(world: str) -> None:
    questions = [e.question for e in draw_examples(corpus(world, "pretraining", count=300))]
    for other in INVENTED.keys() - {world}:
        assert {WORLDS[other].solve(question) for question in questions} == {None}


@pytest.mark.parametrize("task", TASKS)
def test_every_word_of_the_shipped_tiny_prompts_and_their_seeds_is_a_token(task: str) -> None:
    settings = shipped().task(task)
    kind = open_kind(kind_use(settings))
    for source in settings.data.seeds.values():
        assert source.corpus is not None
        words = set(WORLDS[source.corpus.world].vocabulary())
        examples = draw_examples(source.corpus.model_copy(update={"count": 2000}))
        assert examples
        subjects = {e.subject for e in examples}
        assert (subjects == {None}) == ("{subject}" not in settings.prompts.header)
        for subject in subjects:
            items = [
                kind.write_item(e.question, kind.read_reference(e.question, e.answer) if e.answer else None)
                for e in examples
                if e.subject == subject
            ]
            header = settings.prompts.header.replace("{subject}", subject or "")
            assert header.strip()
            for n in range(0, len(items) - 2, 3):
                prompt = kind.build_prompt(header, items[n : n + 3])
                assert prompt.startswith(header)
                assert set(prompt.split()) <= words, set(prompt.split()) - words


def test_every_word_that_asks_the_tiny_target_whether_it_is_sure_is_a_token() -> None:
    settings = shipped().task("tiny-honesty")
    choice = open_kind(kind_use(settings)).choice
    assert choice is not None
    question = draw_examples(corpus("knowledge", "uniform"))[0].question
    turns = [message.content for message in choice.sure_messages(question, "A", settings.responses.system)]
    words = " ".join([*turns, settings.honesty.sure, settings.honesty.unsure]).split()
    assert settings.honesty.sure in words
    assert set(words) <= set(WORLDS["knowledge"].vocabulary())
