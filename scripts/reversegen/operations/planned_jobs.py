"""The jobs of a task that load, ask or train a model, with the planned amount of each.

Embeddings, and models and data that tasks share, are left out. Amounts follow from the counts of rows in `row_counts`;
`prices` adds GPU-hours, calls and money.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reversegen.config.judge_settings import Judge
from reversegen.config.paths import task_models
from reversegen.config.task import Task
from reversegen.config.training import Training
from reversegen.config.workflow import Configuration
from reversegen.core.shards import items_at_once
from reversegen.core.sources import SOURCES
from reversegen.judges import JUDGES, reads_refusals
from reversegen.kinds import kind_use, open_kind
from reversegen.kinds.base import Choice
from reversegen.loop.prompts import DEMONSTRATIONS
from reversegen.loop.solvability import SOLVABILITY_TOKENS, SPELLINGS, gives_probabilities
from reversegen.models.memory import Batch
from reversegen.operations.job import Amount, Job
from reversegen.operations.row_counts import labelled_count, seed_count, test_count
from reversegen.workflow.stages import STAGES


def planned_jobs(name: str, configuration: Configuration, folder: Path) -> Iterator[Job]:
    """All jobs of models in the parts that the task does not reuse, without GPU-hours, calls and money.

    `folder` is results/{task}, where existing seeds and tests are counted.
    """
    jobs = _TaskJobs(configuration.task(name), configuration, folder)
    yield from jobs.before_the_loop()
    for arm, prompts in jobs.arms.items():
        if arm not in jobs.task.reuse:
            yield from jobs.arm_jobs(arm, prompts)
    if jobs.enhances:
        yield from jobs.seed_jobs()
    for variant in ("original", *(f"enhanced/{source}" for source in SOURCES if jobs.enhances)):
        if variant not in jobs.task.reuse:
            yield from jobs.variant_jobs(variant)
    for model in jobs.task.transfer:
        yield from jobs.transfer_jobs(model)


def text_tokens(*texts: str | None) -> int:
    """The tokens of texts that every request repeats, at four characters a token: tokenizers are fetched later."""
    return sum(math.ceil(len(text or "") / 4) for text in texts)


class _TaskJobs:
    """The jobs of one task."""

    def __init__(self, task: Task, configuration: Configuration, folder: Path) -> None:
        costs, self.kind = configuration.workflow.costs, open_kind(kind_use(task))
        self.task, self.models, self.assumed = task, configuration.models, costs.source_rows
        self.question, self.written_share = costs.question_tokens, costs.written_share
        self.request = self.question + text_tokens(self.kind.system_for("question", task.responses.system))
        self.enhances = not self.models[task.target].endpoint
        self.seeds, self.train_seeds = seed_count(task, self.assumed, folder, self.kind)
        self.probe_seeds = min(task.data.probe_seeds or self.seeds, self.seeds)
        self.tests = {
            n: test_count(n, source, self.assumed, folder, self.kind) for n, source in task.data.tests.items()
        }
        self.answer = task.responses.max_new_tokens * self.written_share
        self.solution = task.references.max_new_tokens * self.written_share
        self.sample = task.sampling.max_new_tokens * self.written_share
        self.prompt = (DEMONSTRATIONS + 1) * self.question

    @property
    def arms(self) -> dict[str, int]:
        """The number of prompts of each arm: `untrained`, proposers 0 to N, and the control."""
        prompts = self.task.prompts
        counts = {"untrained": prompts.heldout}
        counts |= {f"iter{k}": prompts.train + prompts.heldout for k in range(self.task.iterations + 1)}
        return counts | ({"control": self.task.iterations * prompts.train} if self.enhances else {})

    @property
    def probe_train_seeds(self) -> int:
        """The training seeds that the probe asks, by their share of all seeds. The target may fail on all of them."""
        return round(self.probe_seeds * self.train_seeds / max(1, self.seeds))

    def before_the_loop(self) -> Iterator[Job]:
        """The check of the judges, the probe of the seeds and the warm-up."""
        task = self.task
        for judge in task.judges:
            rows = labelled_count(task, self.assumed)
            yield from self._judgements("judge_labelled", "judge_check", rows, self.answer, judge)
        if (task.data.probe or (self.kind.choice and self.enhances)) and "probe" not in task.reuse:
            which = (
                "all seeds"
                if self.probe_seeds == self.seeds
                else f"{self.probe_seeds:,} of {self.seeds:,} seeds (data.probe_seeds)"
            )
            yield self._responses("answer_seeds", "probe", task.target, self.probe_seeds, which)
            yield from self._panel("judge_seeds", "probe", self.probe_seeds, self.answer)
        if "iter0" not in task.reuse:
            rows = task.warmup.rows or (self.probe_train_seeds if task.data.probe else self.train_seeds)
            yield self._training("train_warmup", "iter0", rows, self.prompt, task.warmup.training)

    def arm_jobs(self, arm: str, prompts: int) -> Iterator[Job]:
        """The jobs that sample instructions for this number of prompts, answer them and judge the answers."""
        task, samples = self.task, prompts * self.task.sampling.samples_per_prompt
        if arm not in ("iter0", "control", "untrained"):
            yield self._preference(arm)
        amount = Amount(prompts=prompts, read=prompts * self.prompt, written=samples * self.sample)
        why = (
            f"prompts of {self.prompt} tokens, {task.sampling.samples_per_prompt} samples each, "
            f"{task.sampling.max_new_tokens} new tokens a sample"
        )
        how = task.sampling
        batch = _batch(how.batch_size, how.samples_per_prompt, self.prompt, how.max_new_tokens)
        yield self._job("sample_instructions", arm, task.proposer, amount, why, batch)
        yield self._responses("answer_instructions", arm, task.target, samples, "all samples are distinct")
        with_good_answers = self.enhances and arm != "untrained"
        if self.kind.needs_references or with_good_answers:
            yield from self._references("write_references", arm, samples)
        yield from self._panel("judge_responses", arm, samples, self.answer)
        if self.holdout and arm != "control":
            heldout = task.prompts.heldout * task.sampling.samples_per_prompt
            yield from self._judgements("judge_responses", arm, heldout, self.answer, self.holdout)
        if with_good_answers:
            yield from self._panel("judge_references", arm, samples, self.solution)

    def seed_jobs(self) -> Iterator[Job]:
        """The jobs that write and judge good answers to the drawn seeds, and the job that asks the target what is taught."""
        possible, most = (
            self.probe_train_seeds if self.kind.choice else self.train_seeds,
            self.task.enhancement.answered_seeds,
        )
        count = min(possible, most or possible)
        seeds = "all training seeds" if count == possible else "enhancement.rows, and seed_margin in addition"
        for job in self._references("write_seed_references", "enhanced", count):
            yield replace(job, why=f"{seeds}; {job.why}")
        yield from self._panel("judge_seed_references", "enhanced", count, self.solution)
        if sampled := self.kind.sampled:
            chosen, several = len(SOURCES) * self.task.enhancement.rows, sampled.decision.samples
            which = "enhancement.rows of each source, all distinct"
            yield self._responses("sample_answers", "enhanced", self.task.target, chosen, which, several)

    def variant_jobs(self, variant: str) -> Iterator[Job]:
        """The training of an enhanced target, and the jobs that test it or the original."""
        task = self.task
        if variant != "original":
            rows = task.enhancement.rows + task.enhancement.replay_rows + task.enhancement.plain_rows
            length = self.request + max(self.solution, self.answer)
            yield self._training("train_target", variant, rows, length, task.enhancement.training)
        questions = sum(self.tests.values())
        yield self._responses("answer_tests", variant, task.target, questions, "all test questions", several=1)
        if repetition := self.kind.repetition:
            several, which = repetition.decision.samples, "all test questions, several times"
            yield self._responses("sample_tests", variant, task.target, questions, which, several)
        judged = sum(n for name, n in self.tests.items() if self.kind.measure(self._measures(name)).judged)
        for judge in task.judges:
            every = reads_refusals(judge.format) and judge != self.holdout
            yield from self._judgements("judge_tests", variant, questions if every else judged, self.answer, judge)
        if self.kind.choice:
            yield self._confidence(variant, self.kind.choice)

    def transfer_jobs(self, model: str) -> Iterator[Job]:
        """The jobs that ask another model the instructions that the target failed on."""
        part = f"transfer/{model}"
        failures = self.task.prompts.heldout * self.task.sampling.samples_per_prompt
        yield self._responses("answer_transfer", part, model, failures, "the target fails on every held-out sample")
        for judge in self.task.judges:
            yield from self._judgements("judge_transfer", part, failures, self.answer, judge)

    def _measures(self, test: str) -> str:
        return str(self.task.data.tests[test].measures)

    def _requests(self, model: str, several: int) -> int:
        """The requests that `several` choices for one prompt take."""
        endpoint = self.models[model].endpoint
        return several if endpoint and endpoint.one_choice else 1

    @property
    def holdout(self) -> Judge | None:
        """The hold-out judge. None if the task has none."""
        return self.task.judge.holdout if self.task.judge else None

    def _job(self, rule: str, part: str, model: str, amount: Amount, why: str, batch: Batch | None = None) -> Job:
        stage = STAGES[rule]
        output, shards = str(Path(part, stage.output)), self.task.shards if stage.sharded else 1
        if stage.role == "judge":  # each judge has its own file, and a folder for its logs
            output = output.format(judge=model)
            part = f"{part}/{model}"
        return Job(rule, part, model, output, amount, why, shards, stage.processes(self.task), batch)

    def _training(self, rule: str, part: str, rows: float, length: float, how: Training) -> Job:
        model = task_models(self.task)[STAGES[rule].role]
        amount = Amount(prompts=rows, trained=rows * how.num_train_epochs * min(length, how.max_length))
        why = f"epochs {how.num_train_epochs:g}, a row of {length:g} tokens, truncated at {how.max_length}"
        return self._job(rule, part, model, amount, why)

    def _preference(self, arm: str) -> Job:
        task, how = self.task, self.task.preference
        samples = task.prompts.train * task.sampling.samples_per_prompt
        pairs = min(task.pairs.max_pairs or samples, samples)
        batch = how.training.per_device_train_batch_size * how.training.gradient_accumulation_steps
        epochs = max(how.training.num_train_epochs, math.ceil(how.min_steps / math.ceil(pairs / batch)))
        longer = how.training.model_copy(update={"num_train_epochs": epochs})
        job = self._training("train_proposer", arm, pairs, self.prompt - self.question + self.sample, longer)
        twice = replace(job.amount, trained=2 * (job.amount.trained or 0))
        return replace(job, amount=twice, why=f"one pair for each training sample, with both sides; {job.why}")

    def _responses(self, rule: str, part: str, model: str, count: float, which: str, several: int | None = None) -> Job:
        several = several or self.kind.decision.samples
        times = (
            2 if several > 1 and self.kind.choice else 1
        )  # if too few answers can be read, the question is asked a second time
        n, thought = times * several, self.models[model].thought_tokens
        requests = self._requests(model, several)
        amount = Amount(
            prompts=count,
            read=count * times * requests * self.request,
            written=count * n * (self.answer + thought * self.written_share),
            calls=count * requests if requests > 1 else 0,
        )
        longest = self.task.responses.max_new_tokens + thought
        why = f"{which}, at most {n} x {longest} new tokens each"
        return self._job(
            rule, part, model, amount, why, _batch(self.task.responses.batch_size, several, self.request, longest)
        )

    def _panel(self, rule: str, part: str, count: float, length: float) -> Iterator[Job]:
        """The jobs of the judges that label."""
        for judge in self.task.judge.members if self.task.judge else []:
            yield from self._judgements(rule, part, count, length, judge)

    def _judgements(self, rule: str, part: str, count: float, length: float, judge: Judge) -> Iterator[Job]:
        """The job of one judge; none for a judge without a model."""
        if judge.model:
            adapter = JUDGES.get(judge.format)
            thought = self.models[judge.model].thought_tokens
            new = adapter.max_new_tokens + thought if adapter else 0  # a classifier writes nothing
            texts = [*adapter.template.values(), *(m.content for m in adapter.messages("", ""))] if adapter else []
            read = count * (self.question + length + text_tokens(*texts))
            amount = Amount(prompts=count, read=read, written=count * new * self.written_share)
            why = f"a verdict on each answer, {new} new tokens a verdict"
            batch = Batch(judge.batch_size, self.question + length / self.written_share + text_tokens(*texts), new)
            yield self._job(rule, part, judge.model, amount, why, batch)

    def _references(self, rule: str, part: str, count: float) -> Iterator[Job]:
        task = self.task
        if task.teacher in self.models:
            checks = count if task.references.solvable else 0
            votes, thought = task.references.samples, self.models[task.teacher].thought_tokens
            endpoint, form = self.models[task.teacher].endpoint, self.kind.structured
            request = form.request if form and endpoint and endpoint.structured else None
            request_tokens = self.question + text_tokens(
                self.kind.system_for("question", task.references.system), request
            )
            requests = self._requests(task.teacher, votes)
            check = self.question + text_tokens(task.references.solvable, task.references.solvable_system)
            times, reply = 1, SOLVABILITY_TOKENS + thought
            if gives_probabilities(self.models[task.teacher].use):
                times, reply = len(SPELLINGS), 0
            amount = Amount(
                prompts=count + checks,
                read=count * requests * request_tokens + checks * times * check,
                written=count * votes * (self.solution + thought * self.written_share)
                + checks * reply * self.written_share,
                calls=count * requests + checks if requests > 1 else 0,
            )
            longest = task.references.max_new_tokens + thought
            why = f"each question, {votes} x {longest} new tokens"
            if checks:
                why += (
                    f", after a yes or no of {reply} tokens"
                    if reply
                    else f", after yes and no, read in {times} spellings"
                )
            batch = _batch(task.references.batch_size, votes, request_tokens, longest)
            yield self._job(rule, part, task.teacher, amount, why, batch)

    def _confidence(self, variant: str, choice: Choice) -> Job:
        task = self.task
        count = sum(n for name, n in self.tests.items() if self._measures(name) == choice.measure)
        options, sure = choice.options, text_tokens(choice.sure_question)
        reply = max(text_tokens(choice.sure), text_tokens(choice.unsure))
        amount = Amount(prompts=2 * count, read=count * (options * self.request + 2 * (self.request + sure)))
        why = f"each of {options} options of a test question, and sure and unsure; nothing is generated"
        rows = items_at_once(task.responses.batch_size, options) * options
        batch = Batch(rows, self.request + sure + reply, scored=reply)
        return self._job("measure_confidence", variant, task.target, amount, why, batch)


def _batch(batch_size: int, several: int, prompt: float, longest: int) -> Batch:
    """A batch of whole items of `several` sequences each, with the most tokens that a sequence may get."""
    return Batch(items_at_once(batch_size, several) * several, prompt, longest)
