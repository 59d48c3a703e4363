"""SLURM: whether it answers, tells how jobs end, and would start what the jobs of a task ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from reversegen.config.workflow import Configuration
from reversegen.operations.doctor.finding import Finding, ask, reason
from reversegen.operations.slurm_profile import JobRequest, Keys, Partition, Profile
from reversegen.workflow.stages import STAGES, models_by_role


def check_slurm(name: str, configuration: Configuration, profile: Profile) -> Iterable[Finding]:
    """Whether SLURM answers, tells how jobs end, and would start what the task's jobs ask for."""
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
            yield Finding("partitions", "stops", f"none takes {request} ({rule})", fix)
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
    """Whether a partition would start a job; `sbatch --test-only` alone accepts a job that is longer than its limit."""
    where = f"partition {partition.name or 'by default'}: {request} ({rule})"
    limit = slurm_minutes(limits.get(partition.name, "infinite"))
    if limit is not None and request.minutes > limit:
        text = f"{where}: its limit is {limit} minutes, and the job would wait for ever"
        fix = "lower runtime of the size in config/config.yaml, or take another partition"
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
        fix = "give the site's own names and limits in the profile, or lower the model's size in config/config.yaml"
        return Finding("partitions", "stops", f"{where}: {reason(trial)}", fix)
    return Finding("partitions", "ok", where)


def _status_command(keys: Keys) -> Finding:
    """Whether the command by which jobs are followed works: with a dead one the run would wait for ever, and say nothing."""
    command = keys.slurm_status_command
    accounting = ask(["sacct", "-n", "-X"])
    if command == "sacct" and accounting.returncode:
        fix = "set slurm-status-command: squeue in the profile"
        return Finding("job status", "stops", f"sacct: {reason(accounting)}", fix)
    queue = ask(["squeue", "-h", "--me"])
    if command == "squeue" and queue.returncode:
        return Finding("job status", "stops", f"squeue: {reason(queue)}", "ask for squeue to be allowed, or take sacct")
    min_age = re.search(r"^MinJobAge\s*=\s*(\d+)", ask(["scontrol", "show", "config"]).stdout, re.MULTILINE)
    wait = 3 * keys.slurm_init_seconds_before_status_checks
    if command == "squeue" and min_age and int(min_age[1]) < wait:
        text = f"SLURM forgets finished jobs after {min_age[1]} s: the executor needs {wait} s and would take sacct instead"
        return Finding(
            "job status",
            "stops" if accounting.returncode else "warning",
            text,
            "lower slurm-init-seconds-before-status-checks",
        )
    return Finding("job status", "ok", f"{command} answers")


def job_requests(name: str, configuration: Configuration) -> dict[JobRequest, str]:
    """What the task's jobs ask for, and one of the rules that do."""
    requests = {JobRequest(1, 2000, 60, 0): "light stages"}
    task = configuration.task(name)
    models = models_by_role(task, configuration)
    for rule, stage in STAGES.items():
        if stage.role in models:
            _, model = models[stage.role]
            size, processes = configuration.workflow.sizes[model.size], stage.processes(task)
            request = JobRequest(size.threads * processes, size.mem_mb * processes, size.runtime, size.gpu * processes)
            requests.setdefault(request, rule)
    return requests


def slurm_minutes(limit: str) -> int | None:
    """SLURM's days-hours:minutes:seconds as whole minutes; None for no limit."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if not match:
        return None
    days, hours, minutes, _ = (int(part or 0) for part in match.groups())
    return (days * 24 + hours) * 60 + minutes
