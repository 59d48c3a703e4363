"""A judge without a model: the exact policy of a world decides."""

from __future__ import annotations

from collections.abc import Sequence

from reversegen.core.records import Judgement
from reversegen.engines.unreadable_replies import UnreadableReplies
from reversegen.ids import content_id
from reversegen.worlds import WORLDS
from reversegen.worlds.base import ExactVerdict

NOT_OF_WORLD = "not a text of the world"


class ExactJudge:
    """The exact policies of worlds. The first world that knows both texts decides; texts that no world knows are invalid."""

    unreadable: Sequence[UnreadableReplies] = ()
    """Empty, because it writes no reply."""

    at_once = 1

    def __init__(self, worlds: Sequence[str]) -> None:
        """`worlds` are names in `WORLDS`. A world without a policy is passed over."""
        self.identity = content_id("exact", *worlds)
        self._policies = [policy for name in worlds if (policy := WORLDS[name].verdict)]

    def request_texts(self, answers: Sequence[tuple[str, str]]) -> list[str]:
        """An empty text for each (instruction, answer) pair, because nothing is asked."""
        return [""] * len(answers)

    def judge(self, answers: Sequence[tuple[str, str]]) -> list[Judgement]:
        """The judgements of (instruction, answer) pairs, in their order."""
        return [self._judgement(instruction, answer) for instruction, answer in answers]

    def _judgement(self, instruction: str, answer: str) -> Judgement:
        verdicts = (policy(instruction, answer) for policy in self._policies)
        verdict, detail = next(filter(None, verdicts), ExactVerdict("invalid", NOT_OF_WORLD))
        return Judgement(instruction_id="", verdict=verdict, score=None, detail=detail, refusal=None)
