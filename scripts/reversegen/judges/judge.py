"""Judge models: generative ones, whose replies a format of `JUDGES` reads, and classifiers. They import torch at first use."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from reversegen.config.judge_settings import CLASSIFIER, EXACT, Judge
from reversegen.config.models import Limits, ModelUse
from reversegen.core.errors import BadInput
from reversegen.core.records import Judgement, Message
from reversegen.engines import open_engine
from reversegen.engines.base import END, Decoding, Engine, Generated, Request
from reversegen.engines.chat_templates import templated
from reversegen.engines.conversations import CANNOT_RENDER
from reversegen.engines.halving import HalvedBatches
from reversegen.engines.unreadable_replies import UnreadableReplies
from reversegen.ids import content_id
from reversegen.judges import judge_format
from reversegen.judges.exact import ExactJudge
from reversegen.judges.formats.base import JudgeFormat, Opinion, invalid_opinion
from reversegen.kinds.answers.reply import read_reply
from reversegen.models.folder import check_folder, weights_identity


def open_judge(
    settings: Judge,
    model: ModelUse | None,
    folder: Path | None,
    threads: int,
    calls: Path | None = None,
    limits: Limits | None = None,
    worlds: Sequence[str] = (),
) -> OpenedJudge:
    """A judge of a task. Raises BadInput for a folder without a model, and for an endpoint without its key.

    `model` is None for a judge without one, whose verdicts follow from the policies of `worlds`. `calls` and `limits` apply to
    an endpoint, as in `open_engine`.
    """
    if settings.format == EXACT:
        return ExactJudge(worlds)
    assert model is not None, "every other format needs a model"
    if settings.format == CLASSIFIER:
        if folder is None:
            raise BadInput(
                f"judge: {settings.name}: a classifier must be a hub id or a folder, but this model is an endpoint; name "
                "another model"
            )
        return Classifier(folder, settings.failed_labels, model, threads)
    adapter = judge_format(settings)
    engine = open_engine(model, folder, Decoding(adapter.max_new_tokens), threads, calls, limits)
    return GenerativeJudge(engine, adapter, settings.format, settings.max_unreadable_share)


class GenerativeJudge:
    """A model that writes its verdict. Apart from a thought before it, a reply in any other format is invalid."""

    def __init__(self, engine: Engine, adapter: JudgeFormat, name: str, max_unreadable_share: float = 1.0) -> None:
        self.engine, self.adapter, self.at_once = engine, adapter, engine.at_once
        self.identity = content_id(engine.identity, name, *(f"{k}: {v}" for k, v in adapter.settings.items()))
        self._replies = UnreadableReplies(
            "the judge's question",
            max_unreadable_share,
            "judge.max_unreadable_share",
            "name the format of its replies in judge.format",
            masked=True,
        )
        self.unreadable = [self._replies]

    def request_texts(self, answers: Sequence[tuple[str, str]]) -> list[str]:
        """The texts with which the engine asks the model about each (instruction, answer) pair."""
        return self.engine.request_texts(self._requests(answers))

    def _requests(self, answers: Sequence[tuple[str, str]]) -> list[Request]:
        return [judge_request(self.adapter, *pair) for pair in answers]

    def judge(self, answers: Sequence[tuple[str, str]]) -> list[Judgement]:
        """The judgements of (instruction, answer) pairs, in their order."""
        judged = []
        replies = self.engine.generate(self._requests(answers), 1, 0)
        for (reply, *_), pair in zip(replies, answers, strict=True):
            opinion = _read(self.adapter, reply, *pair)
            if not reply.invalid:
                self._replies.count(None if opinion.understood else opinion.detail, reply.text)
            judged.append(_judgement(opinion))
        return judged


def _read(adapter: JudgeFormat, reply: Generated, instruction: str, answer: str) -> Opinion:
    """The opinion in a reply, without the judge's thought before it.

    If the judged texts hold the mark that ends a thought, a judge may quote it, and what follows it in the reply may be a
    quotation too. Such a reply is invalid.
    """
    if END in reply.text and (END in instruction or END in answer):
        return invalid_opinion("the end of the thought may be quoted")
    visible = read_reply(reply.text, reply.finished, reply.invalid)
    return invalid_opinion(visible.invalid) if visible.invalid else adapter.opinion(visible.text, instruction, answer)


def judge_request(adapter: JudgeFormat, instruction: str, answer: str) -> Request:
    """The request in which a judge of this format is asked about an answer."""
    return Request(
        messages=adapter.messages(instruction, answer),
        template=adapter.template,
        parts=adapter.parts,
        pattern=adapter.pattern,
    )


class Classifier:
    """A sequence classifier of conversations, which its chat template renders. A probability of at least 0.5 means failed."""

    unreadable: Sequence[UnreadableReplies] = ()
    """Empty, because a classifier writes no reply."""

    at_once = 1

    def __init__(self, folder: Path, failed_labels: Sequence[str], model: ModelUse, threads: int) -> None:
        check_folder(folder)
        self.folder, self.failed_labels, self.model, self.threads = folder, set(failed_labels), model, threads
        self.identity = content_id(weights_identity(folder), model.model_dump_json(), *sorted(failed_labels))
        self._parts = HalvedBatches(folder)

    @cached_property
    def _tokenizer(self) -> Any:
        from reversegen.models.loading import load_tokenizer

        return load_tokenizer(self.folder, self.model)

    @cached_property
    def _loaded(self) -> tuple[Any, list[int]]:
        from reversegen.models.loading import load_classifier

        classifier = load_classifier(self.folder, self.model, self.threads).eval()
        tokenizer = self._tokenizer
        classifier.config.pad_token_id = tokenizer.pad_token_id  # the model finds the last token by this id
        labels = classifier.config.id2label
        if len(labels) < 2:
            raise BadInput(
                f"{self.folder}: the classifier has one label, which gives no probability; name a classifier with two or more"
            )
        if unknown := self.failed_labels - set(labels.values()):
            raise BadInput(
                f"{self.folder}: judge.failed_labels: the classifier has no label {', '.join(sorted(unknown))}; choose from "
                f"{', '.join(labels.values())}"
            )
        failed = [number for number, label in labels.items() if label in self.failed_labels]
        return classifier, failed

    def request_texts(self, answers: Sequence[tuple[str, str]]) -> list[str]:
        """The text of each (instruction, answer) pair, or a fixed reason if the chat template refuses the pair."""
        return [text or CANNOT_RENDER for text in self._texts(answers)]

    def _texts(self, answers: Sequence[tuple[str, str]]) -> list[str | None]:
        texts: list[str | None] = []
        for instruction, answer in answers:
            try:
                texts.append(conversation_text(self._tokenizer, instruction, answer))
            except BadInput:
                raise
            except Exception:  # the template raised it for this conversation
                texts.append(None)
        return texts

    def judge(self, answers: Sequence[tuple[str, str]]) -> list[Judgement]:
        """The judgements of (instruction, answer) pairs, with the probability of a failed label as their score.

        A pair that the chat template refuses is invalid.
        """
        import torch

        classifier, failed = self._loaded
        rendered = self._texts(answers)
        scores: list[float] = []
        if texts := [text for text in rendered if text is not None]:
            batch = self._tokenizer(
                texts, return_tensors="pt", padding=True, padding_side="right", add_special_tokens=False
            )
            # nothing continues this forward pass, so a cache would only take memory
            options = {"use_cache": False} if "use_cache" in inspect.signature(classifier.forward).parameters else {}

            def part(rows: slice) -> list[float]:
                tensors = {name: tensor[rows].to(classifier.device) for name, tensor in batch.items()}
                with torch.inference_mode():
                    logits = classifier(**tensors, **options).logits.float()
                shares: list[float] = torch.softmax(logits, -1)[:, failed].sum(-1).tolist()
                return shares

            scores = [score for shares in self._parts.run(len(texts), part) for score in shares]
        next_scores = iter(scores)
        return [
            _judgement(Opinion("invalid", CANNOT_RENDER, None))
            if text is None
            else _judgement(_classified(next(next_scores)))
            for text in rendered
        ]


def _classified(score: float) -> Opinion:
    """The opinion of a classifier that gives its failed labels this probability."""
    return Opinion("failed" if score >= 0.5 else "passed", "classifier", None, score=round(score, 6))


def conversation_text(tokenizer: Any, instruction: str, answer: str) -> str:
    """An instruction and its answer as the text that a classifier reads."""
    turns = [Message(role="user", content=instruction), Message(role="assistant", content=answer)]
    return templated(tokenizer, Request(messages=turns), add_generation_prompt=False)


def _judgement(opinion: Opinion) -> Judgement:
    """The opinion as a judgement without its instruction id, which the caller sets."""
    return Judgement(
        instruction_id="",
        verdict=opinion.verdict,
        score=opinion.score,
        detail=opinion.detail,
        refusal=opinion.refusal,
        categories=[*opinion.categories],
    )


OpenedJudge = GenerativeJudge | Classifier | ExactJudge
"""A judge that is ready to be asked."""
