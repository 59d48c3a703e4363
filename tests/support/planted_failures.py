"""Failing instructions of planted kinds, which clusters must find."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from reversegen.config.task import KindUse
from reversegen.core.failure_records import Failure
from reversegen.reporting.failures import JudgedInstructions

PLANTED = {
    "ships": "the {} ship sails over the stormy sea to harbour {}",
    "bread": "bake a loaf of {} bread in an oven for {} minutes",
    "chess": "move the {} bishop to square {} and give mate",
    "music": "play {} violin sonata number {} in a minor key",
    "stars": "count {} stars of galaxy {} through telescope lenses",
    "taxes": "file {} income tax forms before april {} please",
}
SAFETY = KindUse.model_validate({"name": "safety", "safety": {"refusals": ["sorry"]}})


def planted(failed: dict[str, int], passed: dict[str, int] | None = None, iterations: int = 2) -> JudgedInstructions:
    """These numbers of failing and passed instructions of each kind. The iterations get them in turns.

    The id of an instruction starts with its kind.
    """
    rng, judged = (
        random.Random(0),
        JudgedInstructions(
            failed_by_iteration=[[] for _ in range(iterations)],
            passed_by_iteration=[[] for _ in range(iterations)],
            abstained_by_iteration=[[] for _ in range(iterations)],
        ),
    )
    for counts, failing in ((failed, True), (passed or {}, False)):
        for kind, count in counts.items():
            for n in range(count):
                identity = f"{kind}{'f' if failing else 'p'}{n}"
                text = PLANTED[kind].format("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)), n)
                place: dict[str, Any] = {"iteration": n % iterations, "group": None, "samples": 1, "detail": "d"}
                texts = {"characters": len(text), "score": None, "text": text, "response": "r", "reference": None}
                if failing:
                    judged.failures[identity] = Failure(instruction_id=identity, cluster=0, **place, **texts)
                    judged.failed_by_iteration[n % iterations].append(identity)
                else:
                    judged.passes[identity] = text
                    judged.passed_by_iteration[n % iterations].append(identity)
    return judged


def kinds_of(failures: list[Failure]) -> dict[int, Counter[str]]:
    """The number of failures of each kind, by cluster."""
    counts: dict[int, Counter[str]] = {}
    for failure in failures:
        counts.setdefault(failure.cluster, Counter())[failure.instruction_id[:5]] += 1
    return counts
