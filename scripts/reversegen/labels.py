"""Verdicts: responses joined to references by id, and judged by the kind."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence

from reversegen.equivalence import Checker
from reversegen.kind import Kind
from reversegen.records import Label, Reference, Response

log = logging.getLogger("reversegen")


def label_responses(
    asked: Sequence[str], responses: Sequence[Response], references: Sequence[Reference], timeout: float, kind: Kind
) -> list[Label]:
    """One label for each id of `asked`, in order. `timeout` is in seconds, for one comparison of answers."""
    answers: dict[str, list[Response]] = defaultdict(list)
    for response in sorted(responses, key=lambda r: r.sample):
        answers[response.instruction_id].append(response)
    trusted = {reference.instruction_id: reference for reference in references}
    with Checker(timeout=timeout) as checker:
        labels = [kind.label(identity, answers[identity], trusted.get(identity), checker) for identity in asked]
    counts = Counter((label.verdict, label.detail) for label in labels)
    log.info("%d labels: %s", len(labels), {f"{v}: {d}": n for (v, d), n in counts.most_common()})
    return labels
