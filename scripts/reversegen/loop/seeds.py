"""Seed instructions and test questions: they are read from their sources, cleaned and split."""

from __future__ import annotations

import heapq
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from reversegen.config.data import DataSource
from reversegen.core.data_files import read_rows
from reversegen.core.errors import BadInput
from reversegen.core.files import check_file
from reversegen.core.records import Labelled, Question, Seed, Split, read_records
from reversegen.core.validation import explain
from reversegen.ids import hashed_seed, instruction_id
from reversegen.kinds.base import ACCURACY, RETAINED, Kind, Raw, Unusable
from reversegen.loop.barred import Barred
from reversegen.worlds import WORLDS, draw_examples

log = logging.getLogger("reversegen")
LEAST = 4
"""Seeds that a three-shot row needs: three demonstrations and the seed that follows them."""
Group = tuple[str, str | None, Split]
"""Source, subject and split, which the demonstrations of a prompt share."""


def clean_seeds(
    sources: Mapping[str, DataSource],
    files: Mapping[str, Path],
    tests: Sequence[Question],
    heldout_share: float,
    kind: Kind,
) -> Iterator[Seed]:
    """The seeds of all sources, without repeated ones and without those that ask a test question or name what one is about.

    `files` gives the file of each source that is not a corpus. The split is decided by a hash of the normalised text. If a
    source and subject has fewer seeds of a split than a prompt needs, these seeds are dropped. Everything is read and checked
    before this function returns; the records are made one at a time. A seed of 240 characters takes about 550 bytes of memory
    (`make bench ONLY=host_memory`). Raises BadInput for an empty or malformed source, and for a source with too few seeds left
    for a prompt.
    """
    kept: dict[str, tuple[bytes, str | None, tuple[str, ...], Group]] = {}
    groups: dict[Group, Group] = {}  # all seeds of a group share one object
    sizes = Counter[Group]()
    barred = Barred(tests, kind)
    counts: dict[str, str] = {}
    for name, source in sources.items():
        before, rows, overlaps, contradicting = len(kept), 0, 0, 0
        for row in read_source(name, source, files.get(name), kind):
            rows += 1
            if barred.bars(row.text):
                overlaps += 1
                continue
            identity = instruction_id(row.text)
            if identity in kept:
                contradicting += kept[identity][1] != row.answer
                continue
            split: Split = "heldout" if int(identity, 16) < heldout_share * 16 ** len(identity) else "train"
            group = (name, row.subject, split)
            group = groups.setdefault(group, group)
            kept[identity] = row.text.encode(), row.answer, row.aliases, group
            sizes[group] += 1
        counts[name] = f"{rows} rows, of which {overlaps} are asked by a test set and some may be repeated"
        log.info(
            "%s: %d rows, %d dropped that a test set asks, %d new distinct seeds, %d repeated rows with a different answer",
            name, rows, overlaps, len(kept) - before, contradicting,
        )  # fmt: skip
    if few := sum(size for size in sizes.values() if size < LEAST):
        log.info("%d seeds dropped, since there are fewer than %d of their subject and split", few, LEAST)
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
            aliases=list(aliases),
        )
        for identity, (text, answer, aliases, group) in kept.items()
        if sizes[group] >= LEAST
    )


def _check_sizes(sizes: Mapping[Group, int], counts: Mapping[str, str]) -> None:
    """Raise BadInput if a source, named in `counts`, has too few seeds of a split left for a prompt."""
    enough = {(source, split) for (source, _, split), size in sizes.items() if size >= LEAST}
    for name, count in counts.items():
        for part in ("train", "heldout"):
            if (name, part) not in enough:
                raise BadInput(
                    f"data.seeds.{name}: too few {part} seeds are left of {count}: a prompt needs {LEAST}. Give more rows, or "
                    "change data.heldout_share"
                )


def build_tests(name: str, source: DataSource, file: Path | None, kind: Kind) -> list[Question]:
    """Read one test set and drop repeated questions.

    Raises BadInput as `read_source` does, and for a question without an answer if its measure needs one.
    """
    questions: dict[str, Question] = {}
    rows = contradicting = 0
    assert source.measures is not None
    for row in read_source(name, source, file, kind):
        rows += 1
        measure = row.measure or source.measures
        if row.answer is None and kind.measure(measure).needs_answer:
            raise BadInput(
                f"data.tests.{name}: a question has no answer and cannot count for {measure}; give every row an answer, or "
                "set another `measures`"
            )
        question = Question(
            id=instruction_id(row.text),
            text=row.text,
            answer=row.answer,
            group=kind.group(row.text) or row.subject,
            measure=measure,
            aliases=list(row.aliases),
        )
        contradicting += questions.setdefault(question.id, question).answer != row.answer
    message = "%s: %d rows, %d distinct questions, %d repeated rows with a different answer"
    log.info(message, name, rows, len(questions), contradicting)
    return list(questions.values())


def read_source(name: str, source: DataSource, file: Path | None, kind: Kind) -> Iterator[Raw]:
    """Read the rows of a source in its published form, with one row in memory at a time. `source.rows` draws that many.

    Rows that cannot be used are left out and counted by reason. Raises BadInput, with file, line and field, for the first
    malformed row, and also for a source without usable rows and for a fetched file that has changed.
    """
    rows = _usable_rows(name, source, file, kind)
    return rows if source.rows is None else iter(_drawn_rows(name, rows, source.rows))


def _usable_rows(name: str, source: DataSource, file: Path | None, kind: Kind) -> Iterator[Raw]:
    if source.corpus:
        solve = WORLDS[source.corpus.world].solve
        for example in draw_examples(source.corpus):
            solution = solve(example.question)
            answer = kind.read_reference(example.question, solution) if solution else None
            aliases = tuple(kind.aliases(example.question, answer)) if answer is not None else ()
            yield Raw(example.question, answer, example.subject, aliases=aliases)
        return
    if not file:
        raise BadInput(f"{name}: this source has no file; pass its file, in the order of the sources")
    check_file(file)
    yield from file_rows(name, source, file, kind)


def file_rows(name: str, source: DataSource, file: Path, kind: Kind) -> Iterator[Raw]:
    """The rows of a source's file that can be used, with one row in memory at a time. Its manifest is not checked.

    Raises BadInput with file, line and field when a malformed row is reached, and at the end of a file without usable rows.
    """
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
        left_out = f" (left out: {reasons})" if reasons else ""
        raise BadInput(
            f"{file}: no row can be used{left_out}; check the source's columns and subjects, or give another file"
        )


def _drawn_rows(name: str, rows: Iterable[Raw], count: int) -> list[Raw]:
    """The `count` rows whose texts have the lowest hashes, in the order of the file.

    The draw of a row does not depend on its position. The hash uses random seed 0 in every run, since all random seeds of a
    task share their data. A repeated text counts once, with its first answer.
    """
    drawn: dict[str, Raw] = {}
    highest: list[tuple[int, str]] = []  # a heap, the highest hash first
    usable = 0
    for row in rows:
        usable += 1
        identity = instruction_id(row.text)
        entry = (-hashed_seed(0, "rows", identity), identity)
        if identity in drawn or (len(drawn) == count and entry < highest[0]):
            continue
        if len(drawn) == count:
            del drawn[heapq.heapreplace(highest, entry)[1]]
        else:
            heapq.heappush(highest, entry)
        drawn[identity] = row
    log.info("%s: %d of %d rows drawn", name, len(drawn), usable)
    return list(drawn.values())


def read_labelled_sets(
    sources: Mapping[str, DataSource], files: Iterable[Path], kind: Kind
) -> dict[str, list[Labelled]]:
    """Read each labelled set by name. `files` are those of the sets that are not a corpus. Raises as `read_labelled`."""
    left = iter(files)
    return {
        name: read_labelled(name, source, None if source.corpus else next(left), kind)
        for name, source in sources.items()
    }


def read_labelled(name: str, source: DataSource, file: Path | None, kind: Kind) -> list[Labelled]:
    """Read a labelled set that a judge is checked on: a file in a form that the kind reads, or a corpus with verdicts.

    Rows without a verdict of a person are left out and counted by reason. `source.rows` draws that many rows by a hash of their
    texts. Raises BadInput, with file, line and field, for the first malformed row, and also for a corpus whose mix has no
    verdicts, for a set without usable rows and for a fetched file that has changed.
    """
    if source.corpus:
        examples = draw_examples(source.corpus)
        if any(e.verdict is None for e in examples):
            raise BadInput(
                f"data.judge.{name}: corpus: the mix {source.corpus.mix!r} has no verdicts; use a mix of judged answers"
            )
        return [labelled(e.question, str(e.answer), e.verdict) for e in examples]
    assert file is not None
    check_file(file)
    rows, unusable = list[Labelled](), Counter[str]()
    for place, row in read_rows(file, None):
        try:
            rows.append(kind.read_labelled(row))
        except Unusable as reason:
            unusable[str(reason)] += 1
        except ValidationError as error:
            raise BadInput(f"{file}, {place}: {explain(error)}") from error
        except ValueError as error:
            raise BadInput(f"{file}, {place}: {error}") from error
    if unusable:
        log.info("%s: %d rows left out: %s", name, unusable.total(), dict(unusable.most_common()))
    if not rows:
        raise BadInput(f"{file}: no row has a verdict of a person; give another file or split")
    order = sorted(range(len(rows)), key=lambda n: hashed_seed(0, "rows", rows[n].instruction, *rows[n].responses))
    return [rows[n] for n in sorted(order[: source.rows])]


def read_tests(paths: Sequence[Path]) -> dict[str, list[Question]]:
    """The questions of test sets, by the name of the set.

    Each question is answered and judged once. If two sets use a question for measures that one verdict cannot serve, such as
    over-refusal and accuracy, the question counts in the first set only, and the log gives the number of such questions.
    """
    first: dict[str, Question] = {}
    sets = {}
    for path in paths:
        questions = read_records(path, Question)
        counting = []
        for question in questions:
            measures = {question.measure, first.setdefault(question.id, question).measure}
            if len(measures) == 1 or measures == {ACCURACY.name, RETAINED.name}:
                counting.append(question)
        if dropped := len(questions) - len(counting):
            log.info(
                "%s: %d of %d questions count for another measure in an earlier set", path, dropped, len(questions)
            )
        sets[path.stem] = counting
    return sets


def labelled(question: str, response: str, verdict: str | None) -> Labelled:
    """A row of a labelled set, made from one judged answer of a world's corpus."""
    return Labelled.model_validate(
        {"instruction": question, "responses": [response], "answer": None, "verdict": verdict, "injection": False}
    )
