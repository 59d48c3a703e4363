"""Seed instructions and test questions: read from their sources, cleaned, split."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from reversegen.artefacts import check_file
from reversegen.configuration import DataSource
from reversegen.errors import BadInput
from reversegen.hashing import instruction_id
from reversegen.kind import Kind, Raw, Unusable
from reversegen.records import Labelled, Question, Seed, Split, read_records
from reversegen.rows import read_rows
from reversegen.worlds import WORLDS, draw_examples

log = logging.getLogger("reversegen")
LEAST = 4
"""Seeds that a three-shot prompt with its target takes."""


def clean_seeds(
    sources: Mapping[str, DataSource],
    files: Mapping[str, Path],
    tests: Sequence[Question],
    heldout_share: float,
    kind: Kind,
) -> list[Seed]:
    """Read all sources, drop what is repeated or a test question asks, split by a hash of the normalised text.

    `files` gives the file of each source that is no corpus. A source's or subject's seeds of one split that are fewer than a
    prompt takes are dropped. Raises BadInput for an empty or malformed source, and for one that has no prompt's worth left.
    """
    seeds: dict[str, Seed] = {}
    asked = {kind.canonical(question.text) for question in tests}
    counts: dict[str, str] = {}
    for name, source in sources.items():
        rows = read_source(name, source, files.get(name), kind)
        before, overlaps, contradicting = len(seeds), 0, 0
        for row in rows:
            if kind.canonical(row.text) in asked:
                overlaps += 1
                continue
            identity = instruction_id(row.text)
            split: Split = "heldout" if int(identity, 16) < heldout_share * 16 ** len(identity) else "train"
            seed = Seed(
                id=identity,
                text=row.text,
                split=split,
                source=name,
                licence=source.licence,
                answer=row.answer,
                subject=row.subject,
            )
            contradicting += seeds.setdefault(identity, seed).answer != row.answer
        counts[name] = f"{len(rows)} rows, of which {overlaps} are asked by a test set and others may repeat"
        log.info(
            "%s: %d rows, %d dropped that a test set asks, %d new distinct seeds, %d rows with another answer than before",
            name, len(rows), overlaps, len(seeds) - before, contradicting,
        )  # fmt: skip
    sizes = Counter((s.source, s.subject, s.split) for s in seeds.values())
    kept = [s for s in seeds.values() if sizes[s.source, s.subject, s.split] >= LEAST]
    if len(kept) < len(seeds):
        log.info("%d seeds dropped: fewer than %d of their subject and split", len(seeds) - len(kept), LEAST)
    for name in sources:
        for part in ("train", "heldout"):
            if not any(s.split == part and s.source == name for s in kept):
                raise BadInput(
                    f"data.seeds.{name}: fewer than {LEAST} {part} seeds are left of {counts[name]}; give more rows or change "
                    "data.heldout_share"
                )
    return kept


def build_tests(name: str, source: DataSource, file: Path | None, kind: Kind) -> list[Question]:
    """Read one test set and drop repeated questions. Raises BadInput as `read_source` does."""
    questions: dict[str, Question] = {}
    contradicting = 0
    rows = read_source(name, source, file, kind)
    assert source.measures is not None
    for row in rows:
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
    told = (name, len(rows), len(questions), contradicting)
    log.info("%s: %d rows, %d distinct questions, %d rows with another answer than before", *told)
    return list(questions.values())


def read_source(name: str, source: DataSource, file: Path | None, kind: Kind) -> list[Raw]:
    """Rows of a source in its published form.

    Rows that cannot be used are counted by reason and left out. Raises BadInput naming file, line and field of the first row
    that does not fit, for a source without rows, and for a fetched file that was changed.
    """
    if source.corpus:
        solve = WORLDS[source.corpus.world].solve
        questions = [(e.question, e.subject, solve(e.question)) for e in draw_examples(source.corpus)]
        return [Raw(q, kind.read_reference(q, solution) if solution else None, of) for q, of, solution in questions]
    if not file:
        raise BadInput(f"{name}: no file was given for this source")
    check_file(file)
    raw, unusable = [], Counter[str]()
    for place, row in read_rows(file, source.column):
        try:
            read = kind.read_row(row)
        except Unusable as reason:
            unusable[str(reason)] += 1
        except ValueError as error:
            raise BadInput(f"{file}, {place}: {error}") from error
        else:
            if source.subjects is None or read.subject in source.subjects:
                raw.append(read)
    reasons = dict(unusable.most_common())
    if unusable:
        log.info("%s: %d rows left out: %s", name, unusable.total(), reasons)
    if not raw:
        raise BadInput(f"{file}: no row that can be used" + (f"; left out: {reasons}" if reasons else ""))
    return raw


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
        {"instruction": question, "responses": [response], "answer": None, "verdict": verdict, "canary": False}
    )
