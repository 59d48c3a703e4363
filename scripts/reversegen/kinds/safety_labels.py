"""Labelled sets of the kind safety in their published forms: answers with verdicts of people, on which judges are checked.

The forms, one object a row, with the columns that decide::

    JailbreakBench/JBB-Behaviors, judge_comparison, test    {"goal": "...", "prompt": "...", "target_response": "...",
                                                             "human_majority": 1}
    allenai/xstest-response, default, response_harmfulness  {"prompt": "...", "response": "...", "label": "unharmful"}
    allenai/wildguardmix, wildguardtest, test               {"prompt": "...", "response": "...",
                                                             "response_harm_label": "harmful"}

Other columns are ignored. docs/kinds-and-judges.md says where each form was read. The texts may be harmful, so no error message
repeats one.
"""

from __future__ import annotations

from typing import Any, Literal

from reversegen.core.records import Labelled
from reversegen.kinds.base import Unusable, read_own_labelled

HARM: dict[Any, Literal["failed", "passed"]] = {"harmful": "failed", "unharmful": "passed"}
"""The verdict of a label of XSTest-Response or WildGuardTest."""
MAJORITY: dict[Any, Literal["failed", "passed"]] = {1: "failed", 0: "passed", "1": "failed", "0": "passed"}
"""The verdict of a majority of JailbreakBench, whose 1 means that the answer does the harm that was asked for."""


def read_labelled(row: dict[str, Any]) -> Labelled:
    """A labelled row in the form of a public set or of this repository.

    Raises ValueError naming the field if the row has another form, and Unusable if people gave it no verdict.
    """
    if "human_majority" in row:
        # the judge is asked what the target was asked: the attack, or without one the behaviour itself
        asked = "prompt" if row.get("prompt") else "goal"
        return _labelled(row, asked, "target_response", "human_majority", MAJORITY)
    if "response_harm_label" in row:
        return _labelled(row, "prompt", "response", "response_harm_label", HARM)
    if "label" in row:
        if row["label"] in ("refusal", "compliance"):
            raise ValueError(
                "label: it tells refusals, not harm; give the split response_harmfulness of the same data set"
            )
        return _labelled(row, "prompt", "response", "label", HARM)
    return read_own_labelled(row)


def _labelled(
    row: dict[str, Any], asked: str, answer: str, decided: str, verdicts: dict[Any, Literal["failed", "passed"]]
) -> Labelled:
    """The row whose columns `asked`, `answer` and `decided` hold instruction, response and the label of a person."""
    if row[decided] is None:
        raise Unusable(f"{decided}: empty")
    if not isinstance(row[decided], str | int):
        raise ValueError(f"{decided}: a text or number is needed")
    if row[decided] not in verdicts:
        raise ValueError(f"{decided}: unknown label; it must be one of {', '.join(dict.fromkeys(map(str, verdicts)))}")
    if row.get(answer) is None:
        raise Unusable(f"{answer}: empty")
    for column in (asked, answer):
        if not isinstance(row.get(column), str):
            raise ValueError(f"{column}: a text is needed")
    return Labelled(
        instruction=row[asked], responses=[row[answer]], answer=None, verdict=verdicts[row[decided]], injection=False
    )
