"""The draw of an audit's rows with known probabilities, and the failure rate that follows from a person's verdicts on them.

The population is the distinct instructions of the held-out prompts that have a label, as in `failure_rate_unique`. Stratum and
verdict divide it into cells, and abstentions are apart from right answers. Each row of a cell of N instructions, of which n are
drawn, has the probability n / N.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from reversegen.core.metric import Metric, MetricDescription
from reversegen.core.records import Instruction, Label, Verdict
from reversegen.evaluation.bootstrap import percentiles, six_decimals
from reversegen.ids import hashed_seed

ROWS = 50
"""The number of rows of an audit: a person can judge them in half an hour."""
STRATA = ("disagreement", "near_threshold", "other")
"""Instructions on which judges disagree, those whose score is nearest to the threshold, and all others."""
NEAR = 5
"""One in this many instructions with a score is near the threshold."""
VERDICTS: tuple[Verdict, ...] = ("failed", "passed", "invalid")
DRAWS = 4000
"""Number of draws behind an interval: its ends then move by about a hundredth of its width."""
PRIOR = 0.5
"""Jeffreys' prior: what each of the three verdicts of a person counts in a cell before any row is judged."""
AUDITED_RATE = MetricDescription(
    "failure_rate_audited",
    "failure_rate_unique by a person's verdicts on the rows of audit.csv, each weighted by 1 / its probability of being drawn",
)

Cell = tuple[str, str]
"""A stratum, and the verdict of the labels or `abstained` for a passed answer that abstains."""


@dataclass(frozen=True)
class DrawnRow:
    """An instruction that was drawn for a person to judge."""

    id: str
    cell: Cell
    drawn: int
    """Number of instructions that were drawn from its cell."""
    size: int
    """Number of instructions in its cell."""


def audit_cells(
    instructions: Sequence[Instruction], labels: Sequence[Label], disagreements: Collection[str] = ()
) -> dict[Cell, list[str]]:
    """The ids of the population by cell, in the order of STRATA and VERDICTS, abstentions last, without empty cells.

    `disagreements` are the ids on which several judges disagree; a single judge has none. Ids are in the order of their
    subjects or categories, from which `draw_rows` takes them evenly.
    """
    heldout = {i.id: i for i in instructions if "heldout" in i.splits}
    labelled = [label for label in labels if label.instruction_id in heldout]
    near = _near_threshold(labelled)

    def stratum(label: Label) -> str:
        if label.instruction_id in disagreements:
            return "disagreement"
        return "near_threshold" if label.instruction_id in near else "other"

    def place(label: Label) -> tuple[str, str]:
        return label.category or heldout[label.instruction_id].subject or "", label.instruction_id

    cells: dict[Cell, list[str]] = {(name, part): [] for name in STRATA for part in (*VERDICTS, "abstained")}
    for label in sorted(labelled, key=place):
        part = "abstained" if label.abstained else label.verdict
        cells[stratum(label), part].append(label.instruction_id)
    return {cell: ids for cell, ids in cells.items() if ids}


def _near_threshold(labels: Iterable[Label]) -> set[str]:
    """The ids of the scores nearest to the threshold, one in NEAR of all; of equally near ones, those with the first ids.

    An answer failed if its score reaches the threshold. So the threshold is between the highest score that passed and the
    lowest that failed, and their middle serves. If no answer passed, it is the lowest score; if none failed, the highest.
    """
    scored = [(label.score, label) for label in labels if label.score is not None and label.verdict != "invalid"]
    if not scored:
        return set()
    failed = [score for score, label in scored if label.verdict == "failed"]
    passed = [score for score, label in scored if label.verdict == "passed"]
    ends = [*([min(failed)] if failed else []), *([max(passed)] if passed else [])]
    threshold = sum(ends) / len(ends)
    nearest = sorted((abs(score - threshold), label.instruction_id) for score, label in scored)
    return {identity for _, identity in nearest[: -(-len(nearest) // NEAR)]}


def draw_rows(cells: Mapping[Cell, Sequence[str]], random_seed: int) -> list[DrawnRow]:
    """ROWS rows, in turns from the cells: first those of the first stratum, so that the first rows are of all cells.

    The cells give equally many rows, except for those that have fewer. From a cell the rows are drawn systematically: at equal
    distances from a random start (Cochran, Sampling Techniques, 1977, chapter 8). So all have the same probability, and the
    subjects and categories have their shares.
    """
    counts = _allocate({cell: len(ids) for cell, ids in cells.items()})
    rng = random.Random(hashed_seed(random_seed, "audit"))
    of_cell = []
    for cell, ids in cells.items():
        start, count = rng.random(), counts[cell]
        chosen = [ids[int((start + n) * len(ids) / count)] for n in range(count)]
        of_cell.append([DrawnRow(i, cell, count, len(ids)) for i in rng.sample(chosen, count)])
    rows = []
    for turn in zip_longest(*of_cell):
        of_turn = [row for row in turn if row]
        rng.shuffle(of_turn)  # the order within a turn would give the verdicts away
        rows += sorted(of_turn, key=lambda row: STRATA.index(row.cell[0]))
    return rows


def _allocate(sizes: Mapping[Cell, int]) -> Counter[Cell]:
    """How many of ROWS rows each cell gives: one in each turn, as long as it has any."""
    counts = Counter[Cell]()
    while counts.total() < min(ROWS, sum(sizes.values())):
        for cell, size in sizes.items():
            if counts[cell] < size and counts.total() < ROWS:
                counts[cell] += 1
    return counts


def audited_rate(
    cells: Mapping[Cell, Sequence[str]], rows: Sequence[DrawnRow], persons: Mapping[str, Verdict], random_seed: int
) -> Metric:
    """The failure rate of the population by a person's verdicts, `persons`, on the drawn rows, with a 95 % interval.

    Each verdict counts N / n times, for the n rows of its cell of N that are filled in (Horvitz and Thompson 1952), and the
    rate is the quotient of both sums, failed / (failed + passed) (Hajek 1971). Rows that are not filled in count as missing
    by chance. The interval is over the draw of the rows: the instructions of a cell that nobody judged are drawn from the
    Dirichlet-multinomial posterior of that cell (Ericson 1969), so a cell without an error still has an uncertain share of
    them. Null if nothing is filled in, if a cell has no row that is filled in, or if nothing is valid.
    """
    counts = {cell: dict.fromkeys(VERDICTS, 0) for cell in cells}
    for row in rows:
        if row.id in persons:
            counts[row.cell][persons[row.id]] += 1
    filled = {cell: sum(several.values()) for cell, several in counts.items()}
    if not any(filled.values()):
        return Metric(value=None, reason="no person has filled in audit.csv")
    if empty := ["stratum {} with the verdict {}".format(*cell) for cell in cells if not filled[cell]]:
        return Metric(value=None, reason=f"no row is filled in of {', '.join(empty)}")
    observed = np.array([[counts[cell][verdict] for verdict in VERDICTS] for cell in cells], dtype=float)
    sizes, judged = np.array([len(ids) for ids in cells.values()]), observed.sum(axis=1).astype(int)
    failed, passed, _ = (observed * (sizes / judged)[:, None]).sum(axis=0)
    if not failed + passed:
        return Metric(value=None, reason="the person called every row invalid")
    rng = np.random.default_rng(hashed_seed(random_seed, "audited"))
    totals = np.broadcast_to(observed.sum(axis=0), (DRAWS, len(VERDICTS))).copy()
    for cell, left in zip(observed, sizes - judged, strict=True):
        totals += rng.multinomial(left, rng.dirichlet(cell + PRIOR, size=DRAWS))
    value = failed / (failed + passed)
    with np.errstate(invalid="ignore"):
        low, high = percentiles(totals[:, 0] / (totals[:, 0] + totals[:, 1]))
    return Metric(value=six_decimals(value), low=six_decimals(min(low, value)), high=six_decimals(max(high, value)))
