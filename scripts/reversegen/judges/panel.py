"""The votes of a panel of judges on an answer, and the verdict that follows from them.

A judge votes `failed` or `passed`. A judge that gave no verdict does not vote, whatever the decision, so the readable votes
decide alone, and without a readable vote the verdict is invalid. A vote that is missing can hide a failure from `any`, and can
save no answer from `all`. The share of invalid replies of each judge is therefore shown beside every rate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from reversegen.config.judge_settings import Decision
from reversegen.core.records import Judgement, Verdict

TIE = "tie"


def decide(votes: Sequence[Verdict], decision: Decision) -> Verdict:
    """The verdict of a panel from the verdicts of its judges.

    `majority`: the verdict with more votes; a tie is invalid. `any`: failed if one vote is. `all`: failed if every vote is.
    Votes that are invalid do not count, and without any other vote the verdict is invalid.
    """
    counts = Counter(votes)
    failed, passed = counts["failed"], counts["passed"]
    if not failed + passed or (decision == "majority" and failed == passed):
        return "invalid"
    if decision == "majority":
        return "failed" if failed > passed else "passed"
    return "failed" if (failed if decision == "any" else not passed) else "passed"


def panel_judgement(votes: Sequence[Judgement], decision: Decision) -> Judgement:
    """The judgement of a panel on one answer, from the judgements of its judges, of which there is at least one.

    One judgement is returned as it is. Of several, `score` is null, `categories` are those of the judges that voted for the
    verdict, and `detail` holds what these judges give; of an invalid verdict, `tie` or what the judges say. `refusal` is what
    more judges state, and null if they are as many.
    """
    if len(votes) == 1:
        return votes[0]
    verdict = decide([vote.verdict for vote in votes], decision)
    agreeing = [vote for vote in votes if vote.verdict == verdict]
    details = "; ".join(dict.fromkeys(vote.detail for vote in agreeing if vote.detail))
    tied = verdict == "invalid" and any(vote.verdict != "invalid" for vote in votes)
    refusals = Counter(vote.refusal for vote in votes)
    return Judgement(
        instruction_id=votes[0].instruction_id,
        verdict=verdict,
        score=None,
        detail=TIE if tied else details,
        refusal=None if refusals[True] == refusals[False] else refusals[True] > refusals[False],
        categories=[*dict.fromkeys(name for vote in agreeing for name in vote.categories)],
    )


def refusals_tie(votes: Sequence[Judgement]) -> bool:
    """Whether as many judges state that the answer refuses as state that it does not, and some state either."""
    counts = Counter(vote.refusal for vote in votes)
    return counts[True] == counts[False] > 0


def panel_votes(judgements: Sequence[Sequence[Judgement]]) -> Mapping[str, list[Judgement]]:
    """The votes on each answer by instruction id, in the order of the panel. `judgements` holds the rows of each judge."""
    votes: dict[str, list[Judgement]] = {}
    for rows in judgements:
        for row in rows:
            votes.setdefault(row.instruction_id, []).append(row)
    return votes
