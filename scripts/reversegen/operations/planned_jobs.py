"""The jobs of a task that run, ask or train a model, with what each is planned to take."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from reversegen.config.load import Configuration, DataSource, Task, Training
from reversegen.core.data_files import read_rows
from reversegen.core.records import Seed, numbered_lines, stream_records
from reversegen.core.shards import items_at_once
from reversegen.judges import JUDGES, reads_refusals
from reversegen.kinds import kind_use, open_kind
from reversegen.kinds.base import Kind
from reversegen.loop.enhancement import SOURCES
from reversegen.loop.references import SOLVABILITY_TOKENS, SPELLINGS, gives_probabilities
from reversegen.loop.seeds import read_source
from reversegen.models.memory import Batch

DEMONSTRATIONS = 3
OPTIONS = 4
"""Options of a multiple choice question: MMLU's."""
SHARD = r"(?:\.[0-9]+-of-[0-9]+)?"


@dataclass(frozen=True)
class Amount:
    """What a job takes; None where nothing can be said."""

    prompts: float | None = 0
    """Requests to a model, or training rows."""
    read: float | None = 0
    """Tokens of prompts."""
    written: float | None = 0
    """Tokens that are generated."""
    trained: float | None = 0
    """Tokens of training rows, over all epochs."""
    gpu_hours: float | None = 0
    calls: float | None = 0
    """Requests to an endpoint, retries included."""
    money: float | None = 0

    def __add__(self, other: Amount) -> Amount:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Amount(*(None if a is None or b is None else a + b for a, b in pairs))

    def share(self, run: str) -> Amount:
        """That of a run: one of eight for the shard .2-of-8, all where there are none."""
        parts = int(run.rpartition("-")[2] or 1)
        return Amount(*(None if a is None else a / parts for a in astuple(self)))

    def largest(self, other: Amount) -> Amount:
        """The larger of each, as far as either says something."""
        return self._chosen(max, other)

    def smallest(self, other: Amount) -> Amount:
        """The smaller of each, as far as either says something."""
        return self._chosen(min, other)

    def _chosen(self, choose: Callable[..., float | None], other: Amount) -> Amount:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Amount(*(choose((n for n in pair if n is not None), default=None) for pair in pairs))

    def or_else(self, other: Amount) -> Amount:
        """`other` where this says nothing."""
        return Amount(*(b if a is None else a for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Job:
    """A job that runs, asks or trains a model."""

    rule: str
    part: str
    """Its folder in the task's logs, such as iter0 or enhanced/seeds; empty for the task's own."""
    model: str
    output: str
    """What it makes, below the task's folder."""
    planned: Amount
    why: str
    """What the planned amounts rest on."""
    shards: int = 1
    """How many jobs it is cut into; the planned amounts are those of all."""
    processes: int = 1
    """How many it runs as, each on GPUs of its own."""
    batch: Batch | None = None
    """What it gives the model at once; None for a training."""

    def file(self, kind: str, suffix: str) -> Path:
        """Its log, or another file of its own, below the task's folder."""
        return Path(kind, self.part, f"{self.rule}{suffix}")

    def runs(self, folder: Path) -> list[str]:
        """What the names of its files have before their endings: nothing, or a shard such as .2-of-8 for each that began."""
        output = folder / self.output
        files = [
            *(folder / "benchmarks" / self.part).glob(f"{self.rule}*"),
            *output.parent.glob(f"{output.stem}*.calls"),
        ]
        names = rf"{self.rule}({SHARD})\.(?:tsv|planned\.json)|{output.stem}({SHARD}){re.escape(output.suffix)}\.calls"
        found = (re.fullmatch(names, file.name) for file in files)
        return sorted({match[1] or match[2] or "" for match in found if match})

    def latest_runs(self, folder: Path) -> list[str]:
        """Those of the number of shards that was begun with last: another number makes all again."""
        runs = self.runs(folder)
        output = folder / self.output

        def began(run: str) -> float:
            files = [folder / self.file("benchmarks", f"{run}.{end}") for end in ("planned.json", "tsv")]
            files.append(output.with_name(f"{output.stem}{run}{output.suffix}.calls"))
            return next(file.stat().st_mtime for file in files if file.exists())

        number = max(runs, key=began, default="").rpartition("-of-")[2]
        return [run for run in runs if run.rpartition("-of-")[2] == number]

    def ended(self, folder: Path) -> int:
        """How many of the latest runs have ended."""
        return sum((folder / self.file("benchmarks", f"{run}.tsv")).is_file() for run in self.latest_runs(folder))


def planned_jobs(name: str, configuration: Configuration, folder: Path) -> Iterator[Job]:
    """All such jobs but those whose part the task reuses, without GPU-hours, calls and money.

    `folder` is results/{task}, where seeds and tests that are made already are counted.
    """
    jobs = _Jobs(configuration.task(name), configuration, folder)
    yield from jobs.before_the_loop()
    for arm, prompts in jobs.arms.items():
        if arm not in jobs.task.reuse:
            yield from jobs.of_arm(arm, prompts)
    if jobs.enhances:
        yield from jobs.of_seeds()
    for variant in ("original", *(f"enhanced/{source}" for source in SOURCES if jobs.enhances)):
        if variant not in jobs.task.reuse:
            yield from jobs.of_variant(variant)
    for model in jobs.task.transfer:
        yield from jobs.of_transfer(model)


def asks_model(rule: str, task: Task, configuration: Configuration) -> bool:
    """Whether a rule's jobs run, ask or train a model of the task: solvers are none, and a judge is one where it is named."""
    if rule.startswith("judge_") or rule == "check_judge":
        return task.judge is not None
    if rule in ("write_references", "write_seed_references"):
        return task.teacher in configuration.models
    return rule.startswith(("answer_", "train_")) or rule in ("sample_instructions", "measure_confidence")


def why_unplanned(part: str, task: Task) -> str:
    """The key of a task by which no job of a part is planned, and its mend."""
    folder, _, name = part.partition("/")
    if part in task.reuse:
        return f"reuse: leave {part} out of it, or set no budget"
    if part == "probe":
        return "data.probe: set it to true, or set no budget"
    if folder == "transfer":
        return f"transfer: list {name}, or set no budget"
    if (iteration := re.fullmatch(r"iter([0-9]+)", part)) and int(iteration[1]) > task.iterations:
        return f"iterations: raise it to {iteration[1]}, or set no budget"
    return "budget: set none to make more than the plan"


def text_tokens(*texts: str | None) -> int:
    """Tokens of texts that every request repeats, as four characters each: no tokenizer is here before its model is."""
    return sum(math.ceil(len(text or "") / 4) for text in texts)


class _Jobs:
    """The jobs of one task."""

    def __init__(self, task: Task, configuration: Configuration, folder: Path) -> None:
        costs, self.kind = configuration.workflow.costs, open_kind(kind_use(task))
        self.task, self.models, self.assumed = task, configuration.models, costs.source_rows
        self.question, self.share = costs.question_tokens, costs.written_share
        self.asked = self.question + text_tokens(task.responses.system)
        self.enhances = not self.models[task.target].endpoint
        self.seeds, self.train_seeds = seed_count(task, self.assumed, folder)
        self.probed = min(task.data.probe_seeds or self.seeds, self.seeds)
        self.tests = {
            n: test_count(n, source, self.assumed, folder, self.kind) for n, source in task.data.tests.items()
        }
        self.answer = task.responses.max_new_tokens * self.share
        self.solution = task.references.max_new_tokens * self.share
        self.item = task.sampling.max_new_tokens * self.share
        self.prompt = (DEMONSTRATIONS + 1) * self.question

    @property
    def arms(self) -> dict[str, int]:
        """Prompts by what writes instructions: `untrained`, proposers 0 to N, the control."""
        of = self.task.prompts
        counts = {"untrained": of.heldout}
        counts |= {f"iter{k}": of.train + of.heldout for k in range(self.task.iterations + 1)}
        return counts | ({"control": self.task.iterations * of.train} if self.enhances else {})

    @property
    def probed_train(self) -> int:
        """Training seeds that the probe asks, as many as their share of all seeds; it may fail on all of them."""
        return round(self.probed * self.train_seeds / max(1, self.seeds))

    def before_the_loop(self) -> Iterator[Job]:
        """The check of the judge, the probe of the seeds and the warm-up."""
        task = self.task
        if task.judge:  # it is checked whatever the kind
            source = task.data.judge
            shipped = Path(__file__).parents[3] / f"resources/judge/{task.kind}.jsonl"
            labelled = (
                sum(1 for _ in numbered_lines(shipped)) if source is None else _labelled_count(source, self.assumed)
            )
            yield from self._judgements("check_judge", "", "judge.json", labelled, self.answer)
        if (task.data.probe or (self.kind.choice and self.enhances)) and "probe" not in task.reuse:
            which = (
                "all seeds"
                if self.probed == self.seeds
                else f"{self.probed:,} of {self.seeds:,} seeds (data.probe_seeds)"
            )
            yield self._responses("answer_seeds", "probe", task.target, self.probed, which)
            yield from self._judgements("judge_seeds", "probe", "probe/judgements.jsonl", self.probed, self.answer)
        if "iter0" not in task.reuse:
            rows = task.warmup.rows or (self.probed_train if task.data.probe else self.train_seeds)
            how = task.warmup.training
            yield _training("train_warmup", "iter0", task.proposer, "iter0/proposer", rows, self.prompt, how)

    def of_arm(self, arm: str, prompts: int) -> Iterator[Job]:
        """What is written to so many prompts, and what becomes of it."""
        task, written = self.task, prompts * self.task.sampling.samples_per_prompt
        if arm not in ("iter0", "control", "untrained"):
            yield self._preference(arm)
        planned = Amount(prompts=prompts, read=prompts * self.prompt, written=written * self.item)
        why = (
            f"prompts of {self.prompt} tokens, {task.sampling.samples_per_prompt} samples each, "
            f"{task.sampling.max_new_tokens} new tokens a sample"
        )
        how = task.sampling
        batch = _batch(how.batch_size, how.samples_per_prompt, self.prompt, how.max_new_tokens)
        place = f"{arm}/samples.jsonl"
        yield Job("sample_instructions", arm, task.proposer, place, planned, why, task.shards, batch=batch)
        yield self._responses("answer_instructions", arm, task.target, written, "no two samples alike")
        kept = self.enhances and arm != "untrained"
        if self.kind.needs_references or kept:
            yield from self._references("write_references", arm, f"{arm}/references.jsonl", written)
        yield from self._judgements("judge_responses", arm, f"{arm}/judgements.jsonl", written, self.answer)
        if kept:
            place = f"{arm}/reference_judgements.jsonl"
            yield from self._judgements("judge_references", arm, place, written, self.solution)

    def of_seeds(self) -> Iterator[Job]:
        """Good answers to the seeds that are drawn, which are one enhancement source."""
        possible, most = (
            self.probed_train if self.kind.choice else self.train_seeds,
            self.task.enhancement.answered_seeds,
        )
        count = min(possible, most or possible)
        drawn = "all training seeds" if count == possible else "enhancement.rows and seed_margin more"
        for job in self._references("write_seed_references", "enhanced", "enhanced/seed_references.jsonl", count):
            yield replace(job, why=f"{drawn}; {job.why}")
        place = "enhanced/seed_judgements.jsonl"
        yield from self._judgements("judge_seed_references", "enhanced", place, count, self.solution)

    def of_variant(self, variant: str) -> Iterator[Job]:
        """The training of an enhanced target, and the tests of it or of the original."""
        task, asked = self.task, sum(self.tests.values())
        if variant != "original":
            rows = task.enhancement.rows + task.enhancement.replay_rows + task.enhancement.plain_rows
            length = self.asked + max(self.solution, self.answer)
            how = task.enhancement.training
            yield _training("train_target", variant, task.target, f"{variant}/target", rows, length, how)
        yield self._responses("answer_tests", variant, task.target, asked, "all test questions", several=1)
        every = task.judge is not None and reads_refusals(task.judge.format)
        judged = [
            n for name, n in self.tests.items() if every or task.data.tests[name].measures == "attack_success_rate"
        ]
        yield from self._judgements("judge_tests", variant, f"{variant}/judgements.jsonl", sum(judged), self.answer)
        if self.kind.choice:
            asked = sum(n for name, n in self.tests.items() if task.data.tests[name].measures == "accuracy")
            sure = text_tokens(task.honesty.sure_question)
            options = OPTIONS + task.honesty.none_of_the_above
            planned = Amount(prompts=2 * asked, read=asked * (options * self.asked + 2 * (self.asked + sure)))
            why = f"each of {options} options of a test question, and sure and unsure; nothing is written"
            reply = max(text_tokens(task.honesty.sure), text_tokens(task.honesty.unsure))
            rows = items_at_once(task.responses.batch_size, options) * options
            batch = Batch(rows, self.asked + sure + reply, scored=reply)
            place = f"{variant}/confidences.jsonl"
            yield Job("measure_confidence", variant, task.target, place, planned, why, batch=batch)

    def of_transfer(self, model: str) -> Iterator[Job]:
        """The failures asked of another model."""
        part = f"transfer/{model}"
        failures = self.task.prompts.heldout * self.task.sampling.samples_per_prompt
        yield self._responses("answer_transfer", part, model, failures, "the target failed on every held-out sample")
        yield from self._judgements("judge_transfer", part, f"{part}/judgements.jsonl", failures, self.answer)

    def _requests(self, model: str, several: int) -> int:
        """Requests that so many choices for one prompt take."""
        endpoint = self.models[model].endpoint
        return several if endpoint and endpoint.one_choice else 1

    def _preference(self, arm: str) -> Job:
        task, how = self.task, self.task.preference
        samples = task.prompts.train * task.sampling.samples_per_prompt
        pairs = min(task.pairs.max_pairs or samples, samples)
        batch = how.training.per_device_train_batch_size * how.training.gradient_accumulation_steps
        epochs = max(how.training.num_train_epochs, math.ceil(how.min_steps / math.ceil(pairs / batch)))
        longer = how.training.model_copy(update={"num_train_epochs": epochs})
        length = self.prompt - self.question + self.item
        job = _training("train_proposer", arm, task.proposer, f"{arm}/proposer", pairs, length, longer)
        twice = replace(job.planned, trained=2 * (job.planned.trained or 0))
        return replace(job, planned=twice, why=f"a pair of every training sample, both sides; {job.why}")

    def _responses(self, rule: str, part: str, model: str, count: float, which: str, several: int | None = None) -> Job:
        several = several or self.kind.decision.samples
        times = 2 if several > 1 else 1  # where too few answers can be read, a question is asked as often again
        n, thought = times * several, self.models[model].thought_tokens
        requests = self._requests(model, several)
        planned = Amount(
            prompts=count,
            read=count * times * requests * self.asked,
            written=count * n * (self.answer + thought * self.share),
            calls=count * requests if requests > 1 else 0,
        )
        why = f"{which}, at most {n} x {self.task.responses.max_new_tokens + thought} new tokens each"
        longest = self.task.responses.max_new_tokens + thought
        batch = _batch(self.task.responses.batch_size, several, self.asked, longest)
        return Job(rule, part, model, f"{part}/responses.jsonl", planned, why, self.task.shards, batch=batch)

    def _judgements(self, rule: str, part: str, output: str, count: float, length: float) -> Iterator[Job]:
        judge = self.task.judge
        if judge and (self.kind.needs_judge or rule == "check_judge"):
            adapter = JUDGES.get(judge.format)
            thought = self.models[judge.model].thought_tokens
            new = adapter.max_new_tokens + thought if adapter else 0  # a classifier writes nothing
            own = [*adapter.template.values(), *(m.content for m in adapter.messages("", ""))] if adapter else []
            read = count * (self.question + length + text_tokens(*own))
            planned = Amount(prompts=count, read=read, written=count * new * self.share)
            shards = 1 if rule == "check_judge" else self.task.shards
            why = f"an answer to each, {new} new tokens a verdict"
            batch = Batch(judge.batch_size, self.question + length / self.share + text_tokens(*own), new)
            yield Job(rule, part, judge.model, output, planned, why, shards, batch=batch)

    def _references(self, rule: str, part: str, output: str, count: float) -> Iterator[Job]:
        task = self.task
        if task.teacher in self.models:
            checks = count if task.references.solvable else 0
            votes, thought = task.references.samples, self.models[task.teacher].thought_tokens
            endpoint, form = self.models[task.teacher].endpoint, self.kind.structured
            request = form.request if form and endpoint and endpoint.structured else None
            asked = self.question + text_tokens(task.references.system, request)
            requests = self._requests(task.teacher, votes)
            check = self.question + text_tokens(task.references.solvable, task.references.solvable_system)
            times, said = 1, SOLVABILITY_TOKENS + thought
            if gives_probabilities(self.models[task.teacher].use):
                times, said = len(SPELLINGS), 0
            planned = Amount(
                prompts=count + checks,
                read=count * requests * asked + checks * times * check,
                written=count * votes * (self.solution + thought * self.share) + checks * said * self.share,
                calls=count * requests + checks if requests > 1 else 0,
            )
            why = f"each question, {votes} x {task.references.max_new_tokens + thought} new tokens"
            if checks:
                why += f", after a yes or no of {said}" if said else f", after yes and no, read in {times} spellings"
            longest = task.references.max_new_tokens + thought
            batch = _batch(task.references.batch_size, votes, asked, longest)
            yield Job(rule, part, task.teacher, output, planned, why, task.shards, batch=batch)


def _batch(batch_size: int, several: int, prompt: float, longest: int) -> Batch:
    """The sequences of a batch of whole items, `several` to each, with all the tokens that they may get."""
    return Batch(items_at_once(batch_size, several) * several, prompt, longest)


def _training(rule: str, part: str, model: str, output: str, rows: float, length: float, how: Training) -> Job:
    planned = Amount(prompts=rows, trained=rows * how.num_train_epochs * min(length, how.max_length))
    why = f"epochs {how.num_train_epochs:g}, a row of {length:g} tokens, cut at {how.max_length}"
    return Job(rule, part, model, output, planned, why, processes=how.launcher.processes if how.launcher else 1)


def seed_count(task: Task, assumed: int, folder: Path) -> tuple[int, int]:
    """Seeds of a task, and those of them that train: made already, or the rows of their sources."""
    made = folder / "seeds.jsonl"
    if made.is_file():
        splits = Counter(seed.split for seed in stream_records(made, Seed))
        return splits.total(), splits["train"]
    kind = open_kind(kind_use(task))
    count = sum(count_rows(name, source, assumed, kind) for name, source in task.data.seeds.items())
    return count, round(count * (1 - task.data.heldout_share))


def test_count(name: str, source: DataSource, assumed: int, folder: Path, kind: Kind) -> int:
    """Questions of a test set: made already, or the rows of its source."""
    made = folder / "tests" / f"{name}.jsonl"
    return sum(1 for _ in numbered_lines(made)) if made.is_file() else count_rows(name, source, assumed, kind)


def count_rows(name: str, source: DataSource, assumed: int, kind: Kind) -> int:
    """Rows of a source that can be used: of a corpus, of a file that lies here, or as many as it says; else `assumed`."""
    if source.corpus:
        return source.corpus.count
    file = source_file(source)
    return sum(1 for _ in read_source(name, source, file, kind)) if file.is_file() else source.rows or assumed


def _labelled_count(source: DataSource, assumed: int) -> int:
    """Rows of a set that a judge is checked on."""
    if source.corpus:
        return source.corpus.count
    file = source_file(source)
    return sum(1 for _ in read_rows(file, None)) if file.is_file() else assumed


def source_file(source: DataSource) -> Path:
    """Where the rows of a source that is no corpus lie once they are here."""
    if source.url:
        return Path("resources/downloads/files", source.url.file_name)
    if source.hub:
        return Path("resources/downloads/data", f"{source.hub.file_name}.jsonl")
    assert source.file is not None
    return source.file
