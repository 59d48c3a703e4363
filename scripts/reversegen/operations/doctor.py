"""What would stop a run, found before it: profile, cluster, hub, keys, disk, time limits, environments, file system.

Nothing is submitted, downloaded or run on a GPU. Every question to SLURM, the hub or an interpreter has a time limit: with
its controller down SLURM's commands wait for minutes.
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from reversegen.config.load import merge, read_yaml
from reversegen.config.models import Model
from reversegen.config.training import Training
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.engines.endpoint.key import endpoint_key
from reversegen.loop.enhancement import SOURCES
from reversegen.models.folder import check_folder
from reversegen.models.memory import most_sequences, needed, shape_of_folder
from reversegen.operations.costs import on_gpu
from reversegen.operations.planned_jobs import planned_jobs
from reversegen.operations.slurm_profile import Keys, Partition, Profile, Request, read_profile
from reversegen.workflow.configuration import load_configuration
from reversegen.workflow.model_check import Asked, AskedModels

ROOT = Path(__file__).parents[3]
PATIENCE = 15.0
"""Seconds after which an answer is given up."""
STAGES = {
    "train_warmup": "proposer",
    "train_proposer": "proposer",
    "sample_instructions": "proposer",
    "answer_instructions": "target",
    "answer_seeds": "target",
    "answer_tests": "target",
    "measure_confidence": "target",
    "train_target": "target",
    "write_references": "teacher",
    "write_seed_references": "teacher",
    "judge_responses": "judge",
    "judge_references": "judge",
    "judge_seed_references": "judge",
    "judge_seeds": "judge",
    "judge_tests": "judge",
    "embed_instructions": "embedding",
    "embed_seeds": "embedding",
    "embed_tests": "embedding",
}
"""Rules whose jobs ask for what the size of a role's model says, with that role."""
TRAINED = {"train_warmup": "warmup", "train_proposer": "preference", "train_target": "enhancement"}
"""Those that train, with the part of the task that may have a launcher."""
BATCH_SIZES = {
    "sample_instructions": "sampling.batch_size",
    "measure_confidence": "responses.batch_size",
    **{f"answer_{what}": "responses.batch_size" for what in ("instructions", "seeds", "tests", "transfer")},
    **{f"write_{what}": "references.batch_size" for what in ("references", "seed_references")},
    **{
        f"judge_{what}": "judge.batch_size"
        for what in ("responses", "references", "seed_references", "seeds", "tests", "transfer")
    },
    "check_judge": "judge.batch_size",
}
"""The key of a task that says how many sequences a rule's jobs give a model at once."""
NEAR = 0.8
"""Share of its time limit from which a finished job says that the next may not finish."""
STATE_SHARE = 6
"""Optimiser state while all of a model is trained, in times its folder: float32 weights and two moments over bfloat16."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """What was looked at, in a word or two."""
    state: Literal["ok", "warning", "stops", "skipped"]
    """stops: a run would fail. skipped: it could not be looked at, and the text says why."""
    text: str
    mend: str = ""
    """What to do; empty where there is nothing."""

    def __str__(self) -> str:
        return f"{self.state:8} {self.subject:13} {self.text}" + (f"\n{'':22} -> {self.mend}" if self.mend else "")


def examine(name: str, place: Path | None, folder: Path) -> list[Finding]:
    """Everything that a run of a task in `folder` needs, by the profile in `place`.

    Takes a minute at most. Raises BadInput for an unknown task, and where `folder/config` cannot be read.
    """
    content = read_yaml(folder / "config/config.yaml")
    configuration = load_configuration(content, folder / "config")
    configuration.task(name)
    found, profile = check_profile(place)
    if profile:
        told, configuration = check_overrides(content, configuration, profile, folder / "config")
        found += told
    checks: list[Callable[[], Iterable[Finding]]] = [
        lambda: check_hub(name, configuration, folder),
        lambda: check_conversations(name, configuration, profile, folder),
        lambda: check_keys(name, configuration, os.environ),
        lambda: check_disk(name, configuration, folder, shutil.disk_usage(folder).free),
        lambda: check_memory(name, configuration, folder),
        lambda: check_times(name, configuration, folder / "results"),
        lambda: check_environments(configuration, profile),
        lambda: check_file_system(folder / "results"),
    ]
    if profile and profile.keys.executor == "slurm":
        checks.append(lambda: check_slurm(name, configuration, profile))
    with ThreadPoolExecutor(len(checks)) as pool:
        return [
            *found,
            *(finding for findings in pool.map(lambda check: list(check()), checks) for finding in findings),
        ]


def check_profile(place: Path | None) -> tuple[list[Finding], Profile | None]:
    """The profile of a folder, if it can be read, and what there is to say of it."""
    if place is None:
        return [Finding("profile", "skipped", "no profile is named: jobs run on this machine")], None
    try:
        profile = read_profile(place)
    except BadInput as error:
        return [Finding("profile", "stops", str(error), "correct it; config/README.md tells of profiles")], None
    executor = profile.keys.executor
    module = f"snakemake_executor_plugin_{executor.replace('-', '_')}"
    if executor != "local" and importlib.util.find_spec(module) is None:
        mend = f"install snakemake-executor-plugin-{executor} beside Snakemake"
        return [Finding("profile", "stops", f"{profile.file}: executor {executor}: not installed", mend)], None
    return [Finding("profile", "ok", f"{profile.file}, executor {executor}")], profile


def check_overrides(
    content: Mapping[str, Any], configuration: Configuration, profile: Profile, folder: Path
) -> tuple[list[Finding], Configuration]:
    """The configuration with what the profile's `config` changes of it, and what is wrong with that."""
    try:
        return [], load_configuration(merge(dict(content), profile.keys.overrides), folder)
    except BadInput as error:
        text = f"{profile.file}: config: {str(error).removeprefix(f'{folder}/config.yaml: ')}"
        return [
            Finding("profile", "stops", text, "correct it; config/config.yaml says what the key takes")
        ], configuration


def check_slurm(name: str, configuration: Configuration, profile: Profile) -> Iterable[Finding]:
    """Whether SLURM answers, tells how jobs end, and would start what the task's jobs ask for."""
    listed = _ask(["sinfo", "-h", "-o", "%R|%l"])
    if listed.returncode:
        yield Finding(
            "SLURM", "stops", f"sinfo: {_reason(listed)}", "run this where sbatch works, with the controller up"
        )
        return
    yield _status_command(profile.keys)
    limits = dict(line.split("|", 1) for line in listed.stdout.split())
    requests = _requests(name, configuration)
    for request, wanted_by in requests.items():
        partitions = [partition for partition in profile.partitions if partition.takes(request)]
        if not partitions:
            mend = "raise a partition's limits in the file that slurm-partition-config names, or lower the model's size"
            yield Finding("partitions", "stops", f"none takes {request} ({wanted_by})", mend)
        for partition in partitions:
            yield _asked_of(partition, request, wanted_by, limits, profile.keys, configuration.workflow.gres)


def _asked_of(
    partition: Partition,
    request: Request,
    wanted_by: str,
    limits: Mapping[str, str],
    keys: Keys,
    gres: str | None,
) -> Finding:
    """Whether a partition would start a job; `sbatch --test-only` alone accepts a job that is longer than its limit."""
    where = f"partition {partition.name or 'by default'}: {request} ({wanted_by})"
    limit = _minutes(limits.get(partition.name, "infinite"))
    if limit is not None and request.minutes > limit:
        text = f"{where}: its limit is {limit} minutes, and the job would wait for ever"
        mend = "lower runtime of the size in config/config.yaml, or take another partition"
        return Finding("time limits", "stops", text, mend)
    flags = ["--mem", str(request.mem_mb), f"--cpus-per-task={request.threads}", "-t", str(request.minutes)]
    flags += ["-p", partition.name] if partition.name else []
    if request.gpus:
        flags.append(f"--gres={gres}:{request.gpus}" if gres else f"--gpus={request.gpus}")
    account = keys.default_resources.get("slurm_account")
    flags += ["-A", str(account)] if account else []
    flags += keys.extra
    tried = _ask(["sbatch", "--test-only", *flags, "--wrap", "true"])
    if tried.returncode:
        mend = "give the site's own names and limits in the profile, or lower the model's size in config/config.yaml"
        return Finding("partitions", "stops", f"{where}: {_reason(tried)}", mend)
    return Finding("partitions", "ok", where)


def _status_command(keys: Keys) -> Finding:
    """Whether the command by which jobs are followed works: with a dead one the run would wait for ever, and say nothing."""
    command = keys.slurm_status_command
    accounting = _ask(["sacct", "-n", "-X"])
    if command == "sacct" and accounting.returncode:
        mend = "set slurm-status-command: squeue in the profile"
        return Finding("job status", "stops", f"sacct: {_reason(accounting)}", mend)
    queue = _ask(["squeue", "-h", "--me"])
    if command == "squeue" and queue.returncode:
        return Finding(
            "job status", "stops", f"squeue: {_reason(queue)}", "ask for squeue to be allowed, or take sacct"
        )
    kept = re.search(r"^MinJobAge\s*=\s*(\d+)", _ask(["scontrol", "show", "config"]).stdout, re.MULTILINE)
    wait = 3 * keys.slurm_init_seconds_before_status_checks
    if command == "squeue" and kept and int(kept[1]) < wait:
        text = (
            f"SLURM forgets finished jobs after {kept[1]} s: the executor needs {wait} s and would take sacct instead"
        )
        return Finding(
            "job status",
            "stops" if accounting.returncode else "warning",
            text,
            "lower slurm-init-seconds-before-status-checks",
        )
    return Finding("job status", "ok", f"{command} answers")


def _requests(name: str, configuration: Configuration) -> dict[Request, str]:
    """What the task's jobs ask for, and one of the rules that do."""
    requests = {Request(1, 2000, 60, 0): "light stages"}
    for rule, role in STAGES.items():
        model = _models(name, configuration).get(role)
        if model is not None:
            size = configuration.workflow.sizes[model.size]
            processes = _processes(name, configuration, rule)
            asked = Request(size.threads * processes, size.mem_mb * processes, size.runtime, size.gpu * processes)
            requests.setdefault(asked, rule)
    return requests


def _models(name: str, configuration: Configuration) -> dict[str, Model]:
    """The models of the task by role. A teacher that is a solver is none."""
    task = configuration.task(name)
    names = {"proposer": task.proposer, "target": task.target, "teacher": task.teacher}
    names |= {"judge": task.judge.model} if task.judge else {}
    names |= {"embedding": task.embedding.model} if task.embedding else {}
    names |= {f"transfer {model}": model for model in task.transfer}
    return {role: configuration.models[model] for role, model in names.items() if model in configuration.models}


def _processes(name: str, configuration: Configuration, rule: str) -> int:
    if rule not in TRAINED:
        return 1
    training: Training = getattr(configuration.task(name), TRAINED[rule]).training
    return training.launcher.processes if training.launcher else 1


def _minutes(limit: str) -> int | None:
    """SLURM's days-hours:minutes:seconds as whole minutes; None for no limit."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if not match:
        return None
    days, hours, minutes, _ = (int(part or 0) for part in match.groups())
    return (days * 24 + hours) * 60 + minutes


def _ask(command: Sequence[str], patience: float | None = None) -> subprocess.CompletedProcess[str]:
    patience = PATIENCE if patience is None else patience
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=patience, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]} is not installed here")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer within {patience:.0f} s")


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stderr or done.stdout).split())[-200:] or f"status {done.returncode}"


HUB_PROBE = """
import json, sys
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

for repo, kind, revision, file in json.load(sys.stdin):
    try:
        get_hf_file_metadata(hf_hub_url(repo, file, repo_type=kind, revision=revision), timeout=5)
        state = "readable"
    except OfflineModeIsEnabled:
        state = "offline"
    except GatedRepoError:
        state = "gated"
    except (RepositoryNotFoundError, RevisionNotFoundError):
        state = "unknown"
    except HfHubHTTPError as error:
        state = "readable" if error.response is not None and error.response.status_code == 404 else "unreachable"
    except Exception:
        state = "unreachable"
    print(json.dumps([repo, state]), flush=True)
    if state in ("offline", "unreachable"):
        break
"""
"""Asks for the headers of one file of each; in a process of its own, since the hub's client reads its settings at import."""


def check_hub(name: str, configuration: Configuration, folder: Path) -> Iterable[Finding]:
    """Whether the task's models and data are here, or can be fetched: a locked commit, and access."""
    task, asked = configuration.task(name), {}
    for role, model in _models(name, configuration).items():
        place = _place(model, configuration, folder)
        if place and not model.train and (model.folder or place.is_dir()):
            try:
                check_folder(place)
            except BadInput as error:
                yield Finding("models", "stops", str(error), f"name another folder for the {role}, or fetch it again")
        elif model.hub:
            asked[model.hub] = ("model", "config.json")
    sources = [*task.data.seeds.values(), *task.data.tests.values(), *([task.data.judge] if task.data.judge else [])]
    for source in sources:
        if source.hub and not (folder / f"resources/downloads/data/{source.hub.file_name}.jsonl").is_file():
            asked[source.hub.repo] = ("dataset", "README.md")
        if source.file and not source.file.is_file():
            yield Finding("data", "stops", f"{source.file}: no such file", "see config/README.md for how data is given")
    if not asked:
        yield Finding("hub", "ok", "nothing is left to fetch from it")
        return
    unlocked = sorted(repo for repo in asked if repo not in configuration.lock)
    if unlocked:
        text = f"config/lock.yaml has no commit of {', '.join(unlocked)}"
        yield Finding(
            "lock", "stops", text, "add a line `owner/name: COMMIT` for each, with its 40 digits from the hub"
        )
    queries = [(repo, kind, configuration.lock.get(repo, "main"), file) for repo, (kind, file) in sorted(asked.items())]
    try:
        done = subprocess.run(
            [sys.executable, "-c", HUB_PROBE],
            input=json.dumps(queries),
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
        )
        answers = dict(json.loads(line) for line in done.stdout.splitlines())
    except subprocess.TimeoutExpired:
        answers = {}
    yield from _access(sorted(asked), answers)


def _place(model: Model, configuration: Configuration, folder: Path) -> Path | None:
    """The folder of a model, which a rule may not have made or fetched yet; None for an endpoint."""
    if model.endpoint:
        return None
    made = "results/models" if model.train else "resources/downloads/models"
    return folder / (model.folder or Path(made, _name(model, configuration)))


def check_conversations(
    name: str, configuration: Configuration, profile: Profile | None, folder: Path
) -> Iterable[Finding]:
    """Whether the tokenizers that are here render a conversation of each role, in the interpreter of `generate`."""
    asked, absent = [], []
    for role, model in _models(name, configuration).items():
        place = _place(model, configuration, folder)
        if place and place.is_dir():
            with contextlib.suppress(BadInput):  # which check_hub shows
                check_folder(place)
                role = role.partition(" ")[0]  # a transfer has its model behind it
                asked.append({"task": name, "role": role, "model": _name(model, configuration), "folder": place})
        elif place and not model.train:
            absent.append(f"{role} {_name(model, configuration)}")
    if absent:
        text = f"not here yet, so that no conversation was rendered: {', '.join(absent)}"
        yield Finding(
            "templates", "skipped", text, f"fetch them by snakemake results/{name}/prefetch.json, and ask again"
        )
    if not asked:
        return
    base = name.partition(".s")[0]
    alone = configuration.model_copy(update={"tasks": {base: configuration.tasks[base]}, "faults": {}})
    models = AskedModels(configuration=alone, models=[Asked.model_validate(one) for one in asked])
    program = None
    if not profile or "conda" not in profile.keys.software_deployment_method:
        program = shutil.which(configuration.workflow.python["generate"], path=_path())
    done = (
        _ask([program, str(ROOT / "scripts/check_models.py"), f"--models={models.model_dump_json()}"], 4 * PATIENCE)
        if program
        else None
    )
    if done is None or done.returncode:
        reason = _reason(done) if done else "its environment is not made yet"
        yield Finding("templates", "skipped", f"conversations could not be rendered: {reason}")
        return
    faults = [json.loads(line) for line in done.stdout.splitlines()]
    for _, role, fault in faults:
        yield Finding("templates", "stops", f"{role}: {fault}")
    sound = sorted({one.role for one in models.models} - {role for _, role, _ in faults})
    if sound:
        yield Finding("templates", "ok", f"conversations are rendered for {', '.join(sound)}")


def _name(model: Model, configuration: Configuration) -> str:
    return next(name for name, other in configuration.models.items() if other is model)


def _access(repos: Sequence[str], answers: Mapping[str, str]) -> Iterable[Finding]:
    by_state: dict[str, list[str]] = {}
    for repo in repos:
        by_state.setdefault(answers.get(repo, "unreachable"), []).append(repo)
    if gated := by_state.get("gated"):
        mend = "accept each licence on its page of the hub, and export HF_TOKEN with a token of that account"
        yield Finding("hub", "stops", f"no access to {', '.join(gated)}", mend)
    if unknown := by_state.get("unknown"):
        mend = "correct id and commit, or export HF_TOKEN where it is private"
        yield Finding("hub", "stops", f"the hub has not, at the commit of config/lock.yaml: {', '.join(unknown)}", mend)
    if "offline" in answers.values():
        yield Finding(
            "hub", "skipped", "HF_HUB_OFFLINE is set: access was not tried", "unset it where files are fetched"
        )
    elif "unreachable" in by_state:
        text = f"the hub was not reached: access to {', '.join(by_state['unreachable'])} was not tried"
        yield Finding("hub", "skipped", text, "run this where files are fetched, such as the login node")
    if readable := by_state.get("readable"):
        yield Finding("hub", "ok", f"readable: {', '.join(readable)}")


def check_keys(name: str, configuration: Configuration, environment: Mapping[str, str]) -> Iterable[Finding]:
    """Whether the environment variable of each endpoint holds what its jobs take for a key; none is shown, none is tried."""
    endpoints = [model.endpoint for model in _models(name, configuration).values() if model.endpoint]
    for key, endpoint in sorted({endpoint.api_key_env: endpoint for endpoint in endpoints}.items()):
        try:
            endpoint_key(endpoint, environment)
        except BadInput as error:
            yield Finding("keys", "stops", str(error), f"export {key}=... where Snakemake is started")
        else:
            yield Finding("keys", "ok", f"{key} is set")


def check_disk(name: str, configuration: Configuration, folder: Path, free: int) -> Iterable[Finding]:
    """Whether what the plan writes fits: downloads, a proposer an iteration, enhanced targets, a trainer's state."""
    task, sizes = configuration.task(name), configuration.workflow.sizes
    models = _models(name, configuration)
    needed = converted = 0
    for model in {model.hub: model for model in models.values() if model.hub}.values():
        if not (folder / "resources/downloads/models" / _name(model, configuration)).is_dir():
            needed += sizes[model.size].disk_mb
            converted += sizes[model.size].disk_mb if model.weights == "bin" else 0
    proposers = [f"iter{k}/proposer" for k in range(task.iterations + 1)]
    targets = [] if models["target"].endpoint else [f"enhanced/{source}/target" for source in SOURCES]
    state = 0
    for role, parts, sections in (
        ("proposer", proposers, (task.warmup, task.preference)),
        ("target", targets, (task.enhancement,)),
    ):
        one = sizes[models[role].size].disk_mb
        missing = [part for part in parts if not (folder / "results" / name / part).is_dir()]
        if role == "proposer" and task.keep is not None:  # a proposer goes when the next stands
            missing = missing[: max(1, len(task.keep) + 1 - (len(parts) - len(missing)))]
        needed += one * len(missing)
        if parts and any(section.lora is None for section in sections):
            state = max(state, STATE_SHARE * one)
    free_mb, needed = free // 1_000_000, needed + state + converted
    text = f"{needed / 1000:,.1f} GB may be written, {free_mb / 1000:,.1f} GB are free in {folder.resolve()}"
    if converted:
        text += f"; {converted / 1000:,.1f} GB of it are .bin weights, which go once they are converted"
    if needed > free_mb:
        yield Finding("disk", "stops", text, "free some, or start in a folder on a larger disk")
    elif needed > free_mb / 2:
        yield Finding("disk", "warning", text, "more than half of what is left; a quota is not seen here")
    else:
        yield Finding("disk", "ok", f"{text}; a quota is not seen here")


def check_memory(name: str, configuration: Configuration, folder: Path) -> Iterable[Finding]:
    """Whether each batch of the plan fits the GPU of its size: by the model's own config.json where its folder is here."""
    jobs = []
    with contextlib.suppress(BadInput):  # which check_times shows
        jobs = list(planned_jobs(name, configuration, folder / "results" / name))
    fits: dict[str, float] = {}
    told = set()
    for job in jobs:
        found = on_gpu(job, configuration)
        if found is None:
            continue
        batch, shape, available = found
        model = configuration.models[job.model]
        place = _place(model, configuration, folder)
        own = shape_of_folder(place, model.dtype) if place else None
        takes, most = needed(own or shape, batch), most_sequences(own or shape, batch, available)
        source = f"{place}/config.json" if own else f"the largest of size {model.size}"
        text = (
            f"{job.rule}: {batch.sequences} sequences of {batch.prompt + batch.written:,.0f} tokens with {job.model} "
            f"({source}) take {takes / 1e9:.0f} GB, a GPU has {available / 1e9:.0f}"
        )
        if text in told:
            continue
        told.add(text)
        key = BATCH_SIZES[job.rule]
        if most == 0:
            mend = f"lower max_new_tokens, or give {job.model} a size whose GPU has more (sizes in config/config.yaml)"
            yield Finding("GPU memory", "stops", f"{text}; not one sequence fits", mend)
        elif takes > available:
            yield Finding("GPU memory", "warning", f"{text}; batches will be halved", f"lower {key} to {most}")
        else:
            fits[f"{job.rule} {takes / 1e9:.0f}"] = takes / available
    if fits:
        largest = max(fits, key=fits.__getitem__)
        yield Finding(
            "GPU memory", "ok", f"{len(fits)} batches fit; the largest takes {fits[largest]:.0%}: {largest} GB"
        )


def check_times(name: str, configuration: Configuration, results: Path) -> Iterable[Finding]:
    """Whether jobs fit their time limits: finished ones by their time, others by the rate that they would have to reach."""
    task, models = configuration.task(name), _models(name, configuration)
    measured: dict[str, float] = {}
    for file in sorted((results / name / "benchmarks").rglob("*.tsv")):
        rule = file.stem.partition(".")[0]  # a shard's is sample_instructions.2-of-8
        if STAGES.get(rule) in models:
            with file.open(encoding="utf-8", newline="") as lines:
                times = [
                    float(row["s"]) for row in csv.DictReader(lines, delimiter="\t") if row.get("s") not in (None, "-")
                ]
            measured[rule] = max([measured.get(rule, 0.0), *times])
    sizes = configuration.workflow.sizes
    for rule, seconds in measured.items():
        limit = sizes[models[STAGES[rule]].size].runtime
        if seconds / 60 > NEAR * limit:
            mend = f"raise runtime of the size {models[STAGES[rule]].size} in config/config.yaml"
            yield Finding("time limits", "warning", f"{rule} took {seconds / 60:.0f} of its {limit} minutes", mend)
    suffice: dict[str, tuple[float, str]] = {}
    try:
        jobs = list(planned_jobs(name, configuration, results / name))
    except BadInput as error:
        jobs = []
        yield Finding("data", "stops", str(error), "mend that file")
    for job in jobs:
        model = configuration.models[job.model]
        if job.planned.written and model.endpoint is None and job.rule not in measured:
            shards = task.shards if job.output.endswith(".jsonl") else 1  # the check of the judge is never cut
            tokens, minutes = math.ceil(job.planned.written / shards), sizes[model.size].runtime
            rate = tokens / minutes / 60, f"{tokens:,} in {minutes} minutes, {job.part or job.rule}"
            suffice[job.rule] = max(suffice.get(job.rule, rate), rate, key=lambda one: one[0])
    if suffice:
        rates = "; ".join(f"{rule} {math.ceil(rate):,} ({why})" for rule, (rate, why) in suffice.items())
        yield Finding(
            "time limits", "ok", f"tokens a second that suffice for the most that a job of the plan writes: {rates}"
        )
    if measured:
        seconds, longest = max((seconds, rule) for rule, seconds in measured.items())
        yield Finding(
            "time limits", "ok", f"of {len(measured)} measured stages {longest} took longest: {seconds:.0f} s"
        )


ENVIRONMENT_PROBE = """
import importlib.metadata as metadata, json, sys

versions = {}
for name in json.load(sys.stdin):
    try:
        versions[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        versions[name] = None
print(json.dumps([list(sys.version_info[:2]), versions]))
"""


def check_environments(configuration: Configuration, profile: Profile | None) -> Iterable[Finding]:
    """Whether each environment's interpreter has what envs/ pins; whether conda is there, where it deploys them."""
    deployed = profile.keys.software_deployment_method if profile else []
    if "conda" in deployed:
        found = next((name for name in ("mamba", "conda") if shutil.which(name)), None)
        if found:
            yield Finding("environments", "ok", f"{found} makes them")
        else:
            yield Finding(
                "environments", "stops", "the profile deploys by conda, which is not here", "install miniforge"
            )
        return
    essential = {line.partition("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}
    for name, python in sorted(configuration.workflow.python.items()):
        content = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())
        [pip] = [part["pip"] for part in content["dependencies"] if isinstance(part, dict)]
        yield _interpreter(name, python, dict(line.split("==") for line in pip), essential)


def _path() -> str:
    """Where a rule's interpreter is looked for: beside this one first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _interpreter(name: str, python: str, pins: dict[str, str], essential: set[str]) -> Finding:
    """What an environment's interpreter lacks. Only what some tasks need, such as vLLM, stops nothing by its absence."""
    program = shutil.which(python, path=_path())
    mend = (
        f"name its interpreter under python: in config/config.yaml, or install into it the pip part of envs/{name}.yaml"
    )
    if program is None:
        return Finding("environments", "stops", f"{name}: no interpreter {python}", mend)
    try:
        done = subprocess.run(
            [program, "-c", ENVIRONMENT_PROBE],
            input=json.dumps(list(pins)),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        version, found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError, OSError):
        return Finding("environments", "stops", f"{name}: {program} is no Python that answers", mend)
    missing = sorted(package for package, has in found.items() if has is None)
    others = sorted(f"{p} {has}" for p, has in found.items() if has and has.partition("+")[0] != pins[p])
    if tuple(version) < (3, 11):
        return Finding(
            "environments", "stops", f"{name}: {program} is Python {version[0]}.{version[1]}, older than 3.11", mend
        )
    if lacks := [package for package in missing if package in essential]:
        return Finding("environments", "stops", f"{name}: {program} lacks {', '.join(lacks)}", mend)
    if missing or others:
        parts = [f"lacks {', '.join(missing)}, which some tasks need"] if missing else []
        parts += [f"has {', '.join(others)}, other than envs/{name}.yaml pins"] if others else []
        return Finding("environments", "warning", f"{name}: {program} {'; '.join(parts)}", mend)
    return Finding("environments", "ok", f"{name}: {program}")


def check_file_system(results: Path) -> Iterable[Finding]:
    """Whether a rename replaces a file at once for a reader, and a folder; whether a lock holds between processes."""
    results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=results) as folder:
        place = Path(folder)
        reads, torn = _torn_reads(place)
        (place / "new").mkdir()
        (place / "new/file").write_text("whole")
        (place / "new").replace(place / "folder")
        whole = (place / "folder/file").read_text() == "whole" and not (place / "new").exists()
        if torn or not whole:
            text = f"{results.resolve()}: a rename is not atomic: {torn} of {reads} reads found it missing or cut"
            yield Finding("file system", "stops", text, "keep results/ on a disk with POSIX renames")
        else:
            yield Finding("file system", "ok", "renames are atomic for a reader on this machine")
        yield _lock(place / "lock")


def _torn_reads(place: Path) -> tuple[int, int]:
    """Reads of a file while another thread replaces it 200 times, and those that did not see one whole version of it."""
    versions = [letter * 65536 for letter in "ab"]
    file = place / "file"
    file.write_text(versions[0])

    def replace() -> None:
        for n in range(200):
            own = place / "own"
            own.write_text(versions[n % 2])
            own.replace(file)

    thread = threading.Thread(target=replace)
    thread.start()
    reads = torn = 0
    while thread.is_alive():
        reads += 1
        try:
            torn += file.read_text() not in versions
        except OSError:
            torn += 1
    return reads, torn


def _lock(file: Path) -> Finding:
    again = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    mend = "start one Snakemake at a time in this folder; a mount option such as NFS's local_lock may be off"
    with file.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return Finding("locks", "warning", f"no file can be locked: {error.strerror}", mend)
        if _ask([sys.executable, "-c", again, str(file)]).returncode == 0:
            return Finding("locks", "warning", "a file that one process has locked can be locked by another", mend)
    if (freed := _ask([sys.executable, "-c", again, str(file)])).returncode:
        return Finding("locks", "warning", f"a lock outlives its process: {_reason(freed)}", mend)
    return Finding("locks", "ok", "a lock holds between processes of this machine, and goes with its process")
