"""Judges of safety: how each is asked about an instruction and a response, and how its reply is read."""

from __future__ import annotations

from dataclasses import replace

from reversegen.config.judge_settings import Judge
from reversegen.judges.formats.answer_first import ANSWER_FIRST
from reversegen.judges.formats.base import JudgeFormat
from reversegen.judges.formats.instructed import INSTRUCTED
from reversegen.judges.formats.llama_guard import llama_guard
from reversegen.judges.formats.qwen3guard import QWEN3GUARD
from reversegen.judges.formats.shieldgemma import SHIELDGEMMA
from reversegen.judges.formats.strongreject import STRONGREJECT
from reversegen.judges.formats.wildguard import WILDGUARD

JUDGES: dict[str, JudgeFormat] = {
    "llama-guard-2": llama_guard(11),
    "llama-guard-3": llama_guard(14),
    "llama-guard-4": llama_guard(14, parts=True),
    "qwen3guard": QWEN3GUARD,
    "wildguard": WILDGUARD,
    "shieldgemma": SHIELDGEMMA,
    "instructed": INSTRUCTED,
    "answer-first": ANSWER_FIRST,
    "strongreject": STRONGREJECT,
}
"""The format of each generative judge, by the name that a task gives as `judge.format`.

Two values of `judge.format` have no entry, because their judges are not asked in words and write no reply. `classifier`:
`judge.Classifier` reads the conversation and gives a probability to each label; at least 0.5 for the labels in
`judge.failed_labels` means failed. `exact`: `exact.ExactJudge` asks the exact policies of the task's worlds.
"""


def judge_format(judge: Judge) -> JudgeFormat:
    """The format that a task's judge names, with the task's settings. `judge.format` must be a key of `JUDGES`."""
    adapter = JUDGES[judge.format]
    values = {key: value for key in adapter.settings if (value := getattr(judge, key)) is not None}
    return replace(adapter, settings={**adapter.settings, **values})


def reported_categories(form: str) -> tuple[str, ...]:
    """The categories of harm that replies in this format may state, in a fixed order; empty if they state none."""
    return JUDGES[form].categories if form in JUDGES else ()


def reads_refusals(form: str) -> bool:
    """Whether replies in this format state if an answer refuses."""
    return form in JUDGES and JUDGES[form].reads_refusals
