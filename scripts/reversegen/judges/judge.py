"""Judge models: a generative one read by its form in `JUDGES`, or a text classifier. torch is imported when one starts."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from reversegen.config.models import Limits, ModelUse
from reversegen.config.task import Judge
from reversegen.core.errors import BadInput
from reversegen.core.records import Judgement, Message
from reversegen.engines import open_engine
from reversegen.engines.base import Decoding, Engine, Request
from reversegen.engines.chat_templates import templated
from reversegen.engines.conversations import CANNOT_RENDER
from reversegen.engines.halving import HalvedBatches
from reversegen.engines.unreadable_replies import UnreadableReplies
from reversegen.ids import content_id
from reversegen.judges import JUDGES
from reversegen.judges.formats.base import JudgeFormat, Opinion
from reversegen.kinds.answers.reply import read_reply
from reversegen.models.folder import check_folder, weights_identity


def open_judge(
    settings: Judge,
    model: ModelUse,
    folder: Path | None,
    threads: int,
    calls: Path | None = None,
    limits: Limits | None = None,
) -> GenerativeJudge | Classifier:
    """The judge of a task. Raises BadInput for a folder that is no model, and for an endpoint without its key.

    `calls` and `limits` are an endpoint's, as for `open_engine`.
    """
    if settings.format == "classifier":
        if folder is None:
            raise BadInput("judge: a classifier must be a hub id or a folder; an endpoint serves conversations")
        return Classifier(folder, settings.failed_labels, model, threads)
    adapter = JUDGES[settings.format]
    engine = open_engine(model, folder, Decoding(adapter.max_new_tokens), threads, calls, limits)
    return GenerativeJudge(engine, adapter, settings.format, settings.max_unreadable_share)


class GenerativeJudge:
    """A model that writes its verdict; what is not in its own form, a thought before it apart, is invalid."""

    def __init__(self, engine: Engine, adapter: JudgeFormat, name: str, max_unreadable_share: float = 1.0) -> None:
        self.engine, self.adapter, self.at_once = engine, adapter, engine.at_once
        self.identity = content_id(engine.identity, name)
        self._replies = UnreadableReplies(
            "the judge's question",
            max_unreadable_share,
            "judge.max_unreadable_share",
            "name the form of its replies in judge.format",
            masked=True,
        )
        self.unreadable = [self._replies]

    def request_texts(self, answers: Sequence[tuple[str, str]]) -> list[str]:
        """What the model is asked of each (instruction, answer) pair, as its engine says it."""
        return self.engine.request_texts(self._requests(answers))

    def _requests(self, answers: Sequence[tuple[str, str]]) -> list[Request]:
        return [
            Request(
                messages=self.adapter.messages(*pair),
                template=self.adapter.template,
                parts=self.adapter.parts,
                pattern=self.adapter.pattern,
            )
            for pair in answers
        ]

    def judge(self, answers: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Opinions of (instruction, answer) pairs."""
        judged = []
        for reply, *_ in self.engine.generate(self._requests(answers), 1, 0):
            visible = read_reply(reply.text, reply.finished, reply.invalid)
            opinion = Opinion("invalid", visible.invalid, None) if visible.invalid else self.adapter.read(visible.text)
            if not reply.invalid:
                self._replies.count(opinion.detail if opinion.verdict == "invalid" else None, reply.text)
            judged.append(_judgement(opinion.verdict, opinion.detail, refusal=opinion.refusal))
        return judged


class Classifier:
    """A sequence classifier of conversations, rendered by its own chat template; failed from a probability of one half."""

    unreadable: Sequence[UnreadableReplies] = ()
    """None: it writes no reply."""

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
        classifier.config.pad_token_id = tokenizer.pad_token_id  # it finds the last token by this id
        labels = classifier.config.id2label
        if len(labels) < 2:
            raise BadInput(f"{self.folder}: a classifier of one label gives no probability; give one with two or more")
        if unknown := self.failed_labels - set(labels.values()):
            raise BadInput(
                f"{self.folder}: failed_labels: no label {', '.join(sorted(unknown))}; it has {', '.join(labels.values())}"
            )
        failed = [number for number, label in labels.items() if label in self.failed_labels]
        return classifier, failed

    def request_texts(self, answers: Sequence[tuple[str, str]]) -> list[str]:
        """The text of each (instruction, answer) pair, the same reason for all that the chat template refuses."""
        return [text or CANNOT_RENDER for text in self._texts(answers)]

    def _texts(self, answers: Sequence[tuple[str, str]]) -> list[str | None]:
        texts: list[str | None] = []
        for instruction, answer in answers:
            try:
                texts.append(conversation_text(self._tokenizer, instruction, answer))
            except BadInput:
                raise
            except Exception:  # the template's own, of this conversation
                texts.append(None)
        return texts

    def judge(self, answers: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Opinions of (instruction, answer) pairs with the probability of a failed label.

        One that the chat template refuses is invalid.
        """
        import torch

        classifier, failed = self._loaded
        rendered = self._texts(answers)
        scores: list[float] = []
        if texts := [text for text in rendered if text is not None]:
            batch = self._tokenizer(
                texts, return_tensors="pt", padding=True, padding_side="right", add_special_tokens=False
            )
            # one forward pass continues nothing: a cache would only take memory
            more = {"use_cache": False} if "use_cache" in inspect.signature(classifier.forward).parameters else {}

            def part(rows: slice) -> list[float]:
                own = {name: tensor[rows].to(classifier.device) for name, tensor in batch.items()}
                with torch.inference_mode():
                    logits = classifier(**own, **more).logits.float()
                shares: list[float] = torch.softmax(logits, -1)[:, failed].sum(-1).tolist()
                return shares

            scores = [score for shares in self._parts.run(len(texts), part) for score in shares]
        left = iter(scores)
        return [
            _judgement("invalid", CANNOT_RENDER)
            if text is None
            else _judgement("failed" if (s := next(left)) >= 0.5 else "passed", "classifier", score=round(s, 6))
            for text in rendered
        ]


def conversation_text(tokenizer: Any, instruction: str, answer: str) -> str:
    """An instruction and its answer as a classifier reads them."""
    turns = [Message(role="user", content=instruction), Message(role="assistant", content=answer)]
    return templated(tokenizer, Request(messages=turns), add_generation_prompt=False)


def _judgement(verdict: Any, detail: str, *, score: float | None = None, refusal: bool | None = None) -> Judgement:
    """An opinion; the caller puts the id."""
    return Judgement(instruction_id="", verdict=verdict, score=score, detail=detail, refusal=refusal)
