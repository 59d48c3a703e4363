"""SLURM: whether it answers, reports how jobs end, and would start the jobs of a task."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from reversegen.config.workflow import Configuration
from reversegen.operations.doctor.finding import Finding, ask, reason
from reversegen.operations.slurm_profile import JobRequest, Keys, Partition, Profile
from reversegen.workflow.stages import STAGES, models_of_stage


def check_slurm(name: str, configuration: Configuration, profile: Profile) -> Iterable[Finding]:
    """Check whether SLURM answers, reports how jobs end, and would start the task's jobs with their requests."""
    sinfo = ask(["sinfo", "-h", "-o", "%R|%l"])
    if sinfo.returncode:
        yield Finding(
            "SLURM", "stops", f"sinfo: {reason(sinfo)}", "run this where sbatch works, with the controller up"
        )
        return
    yield _status_command(profile.keys)
    limits = dict(line.split("|", 1) for line in sinfo.stdout.split())
    for request, rule in job_requests(name, configuration).items():
        partitions = [partition for partition in profile.partitions if partition.takes(request)]
        if not partitions:
            fix = "raise a partition's limits in the file that slurm-partition-config names, or lower the model's size"
            yield Finding("partitions", "stops", f"no partition takes {request} ({rule})", fix)
        for partition in partitions:
            yield try_partition(partition, request, rule, limits, profile.keys, configuration.workflow.gres)


def try_partition(
    partition: Partition,
    request: JobRequest,
    rule: str,
    limits: Mapping[str, str],
    keys: Keys,
    gres: str | None,
) -> Finding:
    """Check whether a partition would start a job. `sbatch --test-only` alone accepts a job that is longer than the limit."""
    where = f"partition {partition.name or 'by default'}: {request} ({rule})"
    limit = slurm_minutes(limits.get(partition.name, "infinite"))
    if limit is not None and request.minutes > limit:
        text = f"{where}: the limit of the partition is {limit} minutes, so the job would wait for ever"
        fix = "lower the runtime of the size in config/config.yaml, or use another partition"
        return Finding("time limits", "stops", text, fix)
    flags = ["--mem", str(request.mem_mb), f"--cpus-per-task={request.threads}", "-t", str(request.minutes)]
    flags += ["-p", partition.name] if partition.name else []
    if request.gpus:
        flags.append(f"--gres={gres}:{request.gpus}" if gres else f"--gpus={request.gpus}")
    account = keys.default_resources.get("slurm_account")
    flags += ["-A", str(account)] if account else []
    flags += keys.extra
    trial = ask(["sbatch", "--test-only", *flags, "--wrap", "true"])
    if trial.returncode:
        fix = (
            "give the names and limits of this cluster in the profile, or lower the model's size in config/config.yaml"
        )
        return Finding("partitions", "stops", f"{where}: {reason(trial)}", fix)
    return Finding("partitions", "ok", where)


def _status_command(keys: Keys) -> Finding:
    """Check the command that reports the state of jobs: if it does not work, the run waits for ever without a message."""
    command = keys.slurm_status_command
    accounting = ask(["sacct", "-n", "-X"])
    if command == "sacct" and accounting.returncode:
        fix = "set slurm-status-command: squeue in the profile"
        return Finding("job status", "stops", f"sacct: {reason(accounting)}", fix)
    queue = ask(["squeue", "-h", "--me"])
    if command == "squeue" and queue.returncode:
        return Finding(
            "job status",
            "stops",
            f"squeue: {reason(queue)}",
            "ask the administrators to allow squeue, or set slurm-status-command: sacct",
        )
    min_age = re.search(r"^MinJobAge\s*=\s*(\d+)", ask(["scontrol", "show", "config"]).stdout, re.MULTILINE)
    wait = 3 * keys.slurm_init_seconds_before_status_checks
    if command == "squeue" and min_age and int(min_age[1]) < wait:
        text = f"SLURM forgets finished jobs after {min_age[1]} s; the executor needs {wait} s, and would use sacct instead"
        return Finding(
            "job status",
            "stops" if accounting.returncode else "warning",
            text,
            "lower slurm-init-seconds-before-status-checks",
        )
    return Finding("job status", "ok", f"{command} answers")


def job_requests(name: str, configuration: Configuration) -> dict[JobRequest, str]:
    """The requests of the task's jobs, each with one of its rules."""
    requests = {JobRequest(1, 2000, 60, 0): "light stages"}
    task = configuration.task(name)
    for rule, stage in STAGES.items():
        for model in models_of_stage(stage, task, configuration).values():
            size, processes = configuration.workflow.sizes[model.size], stage.processes(task)
            request = JobRequest(size.threads * processes, size.mem_mb * processes, size.runtime, size.gpu * processes)
            requests.setdefault(request, rule)
    return requests


def slurm_minutes(limit: str) -> int | None:
    """Whole minutes of SLURM's days-hours:minutes:seconds; None for no limit."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if not match:
        return None
    days, hours, minutes, _ = (int(part or 0) for part in match.groups())
    return (days * 24 + hours) * 60 + minutes
