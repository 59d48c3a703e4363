"""Seed instructions and test questions: read from their sources, cleaned, split."""

from __future__ import annotations

import heapq
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from reversegen.config.data import DataSource
from reversegen.core.data_files import read_rows
from reversegen.core.errors import BadInput
from reversegen.core.files import check_file
from reversegen.core.records import Labelled, Question, Seed, Split, read_records
from reversegen.ids import hashed_seed, instruction_id
from reversegen.kinds.base import Kind, Raw, Unusable
from reversegen.worlds import WORLDS, draw_examples

log = logging.getLogger("reversegen")
LEAST = 4
"""Seeds that a three-shot prompt with its target takes."""
Group = tuple[str, str | None, Split]
"""Source, subject and split: what the demonstrations of a prompt share."""


def clean_seeds(
    sources: Mapping[str, DataSource],
    files: Mapping[str, Path],
    tests: Sequence[Question],
    heldout_share: float,
    kind: Kind,
) -> Iterator[Seed]:
    """Read all sources, drop what is repeated or a test question asks, split by a hash of the normalised text.

    `files` gives the file of each source that is no corpus. A source's or subject's seeds of one split that are fewer than a
    prompt takes are dropped. All is read and checked before this returns; what is kept takes some 550 bytes a seed of 240
    characters (`make bench ONLY=host_memory`), and the records are made as they are asked for. Raises BadInput for an empty or
    malformed source, and for one that has no prompt's worth left.
    """
    kept: dict[str, tuple[bytes, str | None, Group]] = {}
    groups: dict[Group, Group] = {}  # one object for all seeds of a group
    sizes = Counter[Group]()
    questions = {kind.canonical(question.text) for question in tests}
    counts: dict[str, str] = {}
    for name, source in sources.items():
        before, rows, overlaps, contradicting = len(kept), 0, 0, 0
        for row in read_source(name, source, files.get(name), kind):
            rows += 1
            if kind.canonical(row.text) in questions:
                overlaps += 1
                continue
            identity = instruction_id(row.text)
            if identity in kept:
                contradicting += kept[identity][1] != row.answer
                continue
            split: Split = "heldout" if int(identity, 16) < heldout_share * 16 ** len(identity) else "train"
            group = (name, row.subject, split)
            group = groups.setdefault(group, group)
            kept[identity] = row.text.encode(), row.answer, group
            sizes[group] += 1
        counts[name] = f"{rows} rows, of which {overlaps} are asked by a test set and others may repeat"
        log.info(
            "%s: %d rows, %d dropped that a test set asks, %d new distinct seeds, %d rows with another answer than before",
            name, rows, overlaps, len(kept) - before, contradicting,
        )  # fmt: skip
    if few := sum(size for size in sizes.values() if size < LEAST):
        log.info("%d seeds dropped: fewer than %d of their subject and split", few, LEAST)
    _check_sizes(sizes, counts)
    return (
        Seed(
            id=identity,
            text=text.decode(),
            split=group[2],
            source=group[0],
            licence=sources[group[0]].licence,
            answer=answer,
            subject=group[1],
        )
        for identity, (text, answer, group) in kept.items()
        if sizes[group] >= LEAST
    )


def _check_sizes(sizes: Mapping[Group, int], counts: Mapping[str, str]) -> None:
    """Raise BadInput for a source, of those that `counts` tells of, that has no prompt's worth of a split left."""
    enough = {(source, split) for (source, _, split), size in sizes.items() if size >= LEAST}
    for name, count in counts.items():
        for part in ("train", "heldout"):
            if (name, part) not in enough:
                raise BadInput(
                    f"data.seeds.{name}: fewer than {LEAST} {part} seeds are left of {count}; give more rows or change "
                    "data.heldout_share"
                )


def build_tests(name: str, source: DataSource, file: Path | None, kind: Kind) -> list[Question]:
    """Read one test set and drop repeated questions. Raises BadInput as `read_source` does."""
    questions: dict[str, Question] = {}
    rows = contradicting = 0
    assert source.measures is not None
    for row in read_source(name, source, file, kind):
        rows += 1
        measure = row.measure or source.measures
        if row.answer is None and measure not in ("attack_success_rate", "over_refusal"):
            raise BadInput(f"data.tests.{name}: a question without an answer cannot count for {measure}")
        question = Question(
            id=instruction_id(row.text),
            text=row.text,
            answer=row.answer,
            group=kind.group(row.text) or row.subject,
            measure=measure,
        )
        contradicting += questions.setdefault(question.id, question).answer != row.answer
    message = "%s: %d rows, %d distinct questions, %d rows with another answer than before"
    log.info(message, name, rows, len(questions), contradicting)
    return list(questions.values())


def read_source(name: str, source: DataSource, file: Path | None, kind: Kind) -> Iterator[Raw]:
    """Rows of a source in its published form, one in memory at a time; of `source.rows` those that are drawn.

    Rows that cannot be used are counted by reason and left out. Raises BadInput naming file, line and field of the first row
    that does not fit, for a source without rows, and for a fetched file that was changed.
    """
    rows = _usable_rows(name, source, file, kind)
    return rows if source.rows is None else iter(_drawn_rows(name, rows, source.rows))


def _usable_rows(name: str, source: DataSource, file: Path | None, kind: Kind) -> Iterator[Raw]:
    if source.corpus:
        solve = WORLDS[source.corpus.world].solve
        for example in draw_examples(source.corpus):
            solution = solve(example.question)
            answer = kind.read_reference(example.question, solution) if solution else None
            yield Raw(example.question, answer, example.subject)
        return
    if not file:
        raise BadInput(f"{name}: no file was given for this source")
    check_file(file)
    empty, unusable = True, Counter[str]()
    for place, row in read_rows(file, source.column):
        try:
            read = kind.read_row(row)
        except Unusable as reason:
            unusable[str(reason)] += 1
        except ValueError as error:
            raise BadInput(f"{file}, {place}: {error}") from error
        else:
            if source.subjects is None or read.subject in source.subjects:
                empty = False
                yield read
    reasons = dict(unusable.most_common())
    if unusable:
        log.info("%s: %d rows left out: %s", name, unusable.total(), reasons)
    if empty:
        raise BadInput(f"{file}: no row that can be used" + (f"; left out: {reasons}" if reasons else ""))


def _drawn_rows(name: str, rows: Iterable[Raw], count: int) -> list[Raw]:
    """The rows whose texts have the lowest hashes, in their order: the same ones wherever they stand and whatever else does.

    The random seed of the hash is 0 in every run: random seeds of a task share their data. A text that comes again counts once,
    with its first answer.
    """
    kept: dict[str, Raw] = {}
    highest: list[tuple[int, str]] = []  # a heap, the highest hash first
    usable = 0
    for row in rows:
        usable += 1
        identity = instruction_id(row.text)
        entry = (-hashed_seed(0, "rows", identity), identity)
        if identity in kept or (len(kept) == count and entry < highest[0]):
            continue
        if len(kept) == count:
            del kept[heapq.heapreplace(highest, entry)[1]]
        else:
            heapq.heappush(highest, entry)
        kept[identity] = row
    log.info("%s: %d of %d rows drawn", name, len(kept), usable)
    return list(kept.values())


def read_labelled(source: DataSource, file: Path | None) -> list[Labelled]:
    """The labelled set that a judge is checked on: rows of `records.Labelled`, or a corpus with verdicts."""
    if source.corpus:
        examples = draw_examples(source.corpus)
        if any(e.verdict is None for e in examples):
            raise BadInput(f"data.judge: corpus: the mix {source.corpus.mix!r} has no verdicts")
        return [labelled(e.question, str(e.answer), e.verdict) for e in examples]
    assert file is not None
    check_file(file)
    return read_records(file, Labelled)


def read_tests(paths: Sequence[Path]) -> dict[str, list[Question]]:
    """The questions of test sets by the name of the set.

    A question is answered and judged once. Where two sets count it for things that one verdict cannot tell, such as refusing
    too much and being right, it stays in the first alone, and the log says how many do.
    """
    first: dict[str, Question] = {}
    sets = {}
    for path in paths:
        questions = read_records(path, Question)
        kept = []
        for question in questions:
            measures = {question.measure, first.setdefault(question.id, question).measure}
            if len(measures) == 1 or measures == {"accuracy", "retained"}:
                kept.append(question)
        if left := len(questions) - len(kept):
            log.info("%s: %d of %d questions count for something else in a set before it", path, left, len(questions))
        sets[path.stem] = kept
    return sets


def labelled(question: str, response: str, verdict: str | None) -> Labelled:
    """A row of a world's judged corpus."""
    return Labelled.model_validate(
        {"instruction": question, "responses": [response], "answer": None, "verdict": verdict, "injection": False}
    )
