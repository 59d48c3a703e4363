"""The doctor finds what would stop a run, says what mends it, and is not held up by what does not answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from reversegen.workflow.configuration import load_configuration
from tests.support.workflows import REPOSITORY, Workflow

from reversegen.config.load import read_yaml
from reversegen.config.models import Limits
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.engines.endpoint.connection import Connection
from reversegen.operations import doctor
from reversegen.operations.doctor import Finding
from reversegen.operations.slurm_profile import Keys, Partition, Profile, Request, read_profile

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def configuration(workflow: Workflow) -> Configuration:
    content = yaml.safe_load((workflow.folder / "config/config.yaml").read_text())
    return load_configuration(content, workflow.folder / "config")


def states(findings: Any) -> list[tuple[str, str]]:
    return [(finding.subject, finding.state) for finding in findings]


def examine(workflow: Workflow, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The doctor's own command, in a folder of its own."""
    command = [sys.executable, str(REPOSITORY / "scripts/run_doctor.py"), *words]
    return subprocess.run(
        command, cwd=workflow.folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(("task", "status"), [("tiny-math", 0), ("honesty", 1)])
def test_the_command_prints_a_line_a_finding_and_its_status_says_whether_a_run_would_stop(
    workflow: Workflow, task: str, status: int
) -> None:
    start = time.monotonic()
    done = examine(workflow, f"--task={task}", "--profile=null", HF_HUB_OFFLINE="1", OPENAI_API_KEY="")
    assert done.returncode == status, done.stdout + done.stderr
    assert time.monotonic() - start < 60
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert {line.split()[0] for line in lines} <= {"ok", "warning", "stops", "skipped"}
    assert any(line.startswith("stops") for line in lines) == bool(status)
    assert not list(workflow.folder.glob("results/.doctor*"))
    if status:
        assert "the environment variable OPENAI_API_KEY holds no key" in done.stdout
        assert "HF_HUB_OFFLINE is set: access was not tried" in done.stdout
        assert (
            "config/lock.yaml has no commit of cais/mmlu, lmsys/vicuna-7b-v1.5, meta-llama/Llama-2-7b-hf" in done.stdout
        )


def test_no_key_is_shown(workflow: Workflow) -> None:
    done = examine(workflow, "--task=honesty", "--profile=null", HF_HUB_OFFLINE="1", OPENAI_API_KEY="sk-canary")
    assert "OPENAI_API_KEY is set" in done.stdout
    assert "canary" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "state", "text"),
    [
        (None, "stops", "no profile"),
        ("executor: [", "stops", "config.yaml: "),
        ("- executor", "stops", "config.yaml: a list where keys and values are needed"),
        ("executor: 5", "stops", "config.yaml: executor: "),
        ("executor: a.b", "stops", "config.yaml: executor: "),
        (
            "default-resources: [mem_mb]",
            "stops",
            "config.yaml: default-resources: Value error, 'mem_mb' is no name=value",
        ),
        ("default-resources: 5", "stops", "config.yaml: default-resources: "),
        ('default-resources: {slurm_extra: "--comment=\'a b"}', "stops", "default-resources: slurm_extra: No closing"),
        ("set-resources: {train_target: 5}", "stops", "set-resources: Value error, train_target has no resources"),
        ("config: [gres]", "stops", "config.yaml: config: Value error, 'gres' is no name=value"),
        ("software-deployment-method: {conda: 1}", "stops", "config.yaml: software-deployment-method"),
        ("slurm-init-seconds-before-status-checks: 20s", "stops", "slurm-init-seconds-before-status-checks: "),
        ("slurm-partition-config: 5", "stops", "config.yaml: slurm-partition-config: "),
        ("slurm-partition-config: parts.yaml", "stops", "slurm-partition-config: parts.yaml: no such file"),
        ("executor: nonesuch", "stops", "executor nonesuch: not installed"),
        ("jobs: 1", "ok", "executor local"),
    ],
)
def test_a_profile_is_found_whole_or_named(tmp_path: Path, content: str | None, state: str, text: str) -> None:
    if content is not None:
        (tmp_path / "config.yaml").write_text(content)
    [finding], profile = doctor.check_profile(tmp_path)
    assert (finding.state, bool(finding.mend)) == (state, state == "stops")
    assert text in finding.text
    assert (profile is None) == (state == "stops")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("partitions: {cpu: {max_gpu: eight}}", "partitions.cpu.max_gpu: "),
        ('partitions: {cpu: {max_mem_mb: "5000"}}', "partitions.cpu.max_mem_mb: "),
        ("partitions: {cpu: {max_runtime: soon}}", "partitions.cpu.max_runtime: Value error, no time"),
        ("partitions: {cpu: {max_gpus: 8}}", "partitions.cpu.max_gpus: "),
        ("partitions: {cpu: }", "partitions.cpu: "),
        ("partitions: {5: {}}", "partitions.5"),
        ("partitions: [cpu]", "partitions: "),
        ("parts: {}", "partitions: "),
        ("[cpu]", "a list where keys and values are needed"),
        ("partitions: {cpu", "not a readable YAML file: "),
        ("partitions: {cpu: {}, cpu: {}}", "not a readable YAML file: "),
        ("\udcff", "not a readable YAML file: "),
    ],
)
def test_a_file_of_partitions_is_read_whole_or_refused_by_its_key(tmp_path: Path, content: str, text: str) -> None:
    (tmp_path / "config.yaml").write_text("slurm-partition-config: parts.yaml")
    (tmp_path / "parts.yaml").write_bytes(content.encode(errors="surrogateescape"))
    [finding], profile = doctor.check_profile(tmp_path)
    assert (finding.state, profile) == ("stops", None)
    assert finding.text.startswith(f"{tmp_path / 'parts.yaml'}: {text}")
    assert "\n" not in finding.text


@pytest.mark.parametrize(
    ("given", "minutes"),
    [
        ("90", 90),
        ("90.5", 90.5),
        ("1d", 1440),
        ("2d12h30m", 3630),
        ('"1:30:00"', 90),
        ("1-00:00:00", 1440),
        ("2-12", 3600),
    ],
)
def test_a_partitions_time_is_read_as_the_plug_in_reads_it(tmp_path: Path, given: str, minutes: float) -> None:
    (tmp_path / "config.yaml").write_text("slurm-partition-config: parts.yaml")
    (tmp_path / "parts.yaml").write_text(f"partitions: {{cpu: {{max_runtime: {given}}}}}")
    [partition] = read_profile(tmp_path).partitions
    assert partition.limits
    assert partition.limits.max_runtime == minutes
    assert partition.takes(Request(1, 2000, 60, 0))
    assert not partition.takes(Request(1, 2000, 60, 1))


def test_a_file_of_partitions_is_looked_for_beside_the_profile_and_where_snakemake_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    monkeypatch.setenv("SITE", "site")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("slurm-partition-config: $SITE/parts.yaml")
    (tmp_path / "site/config.yaml").write_text("slurm-partition-config: parts.yaml")
    for place in (tmp_path / "parts.yaml", tmp_path / "site/parts.yaml"):
        place.write_text(f"partitions: {{{place.parent.name}: {{}}}}")
    for folder in (tmp_path, tmp_path / "site"):
        assert [partition.name for partition in read_profile(folder).partitions] == ["site"]


def test_resources_are_read_in_all_of_their_forms() -> None:
    forms = [{"slurm_account": "a", "mem_mb": 5}, ["slurm_account=a", "mem_mb=5"], "slurm_account=a=b"]
    assert [Keys.model_validate({"default-resources": form}).default_resources for form in forms] == [
        {"slurm_account": "a", "mem_mb": 5},
        {"slurm_account": "a", "mem_mb": "5"},
        {"slurm_account": "a=b"},
    ]
    for form in ({"train_target": {"runtime": "1d"}}, ["train_target:runtime=1d"]):
        assert Keys.model_validate({"set-resources": form}).set_resources == {"train_target:runtime": "1d"}


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("[gres=gpus]", "gres: "),
        ("gres=gpus", "gres: "),
        ("{gres: gpus}", "gres: "),
        ("{gres: null}", "gres: "),
        ("[shards=2]", "shards: "),
        ("['random_seeds=[0,0]']", "random_seeds: "),
        ("[costs=5]", "costs: "),
        ("['sizes={tiny: 5}']", "sizes.tiny: "),
    ],
)
def test_what_the_workflow_refuses_of_a_profiles_configuration_is_found(
    workflow: Workflow, config: str, text: str
) -> None:
    (workflow.folder / "site").mkdir()
    (workflow.folder / "site/config.yaml").write_text(f"config: {config}")
    profile = read_profile(workflow.folder / "site")
    places = workflow.folder / "config"
    found, _ = doctor.check_overrides(read_yaml(places / "config.yaml"), configuration(workflow), profile, places)
    assert [(finding.subject, finding.state) for finding in found] == [("profile", "stops")]
    assert found[0].text.startswith(f"{profile.file}: config: {text}")
    assert found[0].mend


def test_a_profiles_configuration_stands_over_that_of_the_workflow(workflow: Workflow) -> None:
    """In Snakemake's forms: texts for numbers, YAML in a text, sections laid over key by key."""
    changes = ["gres=gpu:a100", "random_seeds=[0,1]", "costs={question_tokens: 50}"]
    keys = Keys.model_validate({"config": changes})
    places = workflow.folder / "config"
    profile = Profile(places / "none.yaml", keys, [])
    before = configuration(workflow)
    found, after = doctor.check_overrides(read_yaml(places / "config.yaml"), before, profile, places)
    assert found == []
    assert (after.workflow.gres, after.workflow.random_seeds) == ("gpu:a100", [0, 1])
    assert after.workflow.costs == before.workflow.costs.model_copy(update={"question_tokens": 50})
    assert Keys.model_validate({"config": ["gres=", "tables={"]}).overrides == {"gres": None, "tables": "{"}


@pytest.mark.parametrize("content", [b"defaults: [", b"- defaults", b"\xff", b"gres: gpu\ngres: gpu\n", b""])
def test_a_configuration_that_cannot_be_read_is_refused_in_one_line(workflow: Workflow, content: bytes) -> None:
    (workflow.folder / "config/config.yaml").write_bytes(content)
    done = examine(workflow, "--task=tiny-math", "--profile=null")
    assert (done.returncode, done.stdout) == (1, "")
    _, line = done.stderr.splitlines()  # the first tells the command
    assert line.startswith("run_doctor: error: config/config.yaml: ")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands of a SLURM that answers as version 22.05 was seen to; a test may change what they do."""
    place = tmp_path / "bin"
    place.mkdir()
    commands = {
        "sinfo": 'printf "cpu|1-00:00:00\\ngpu|2:00:00\\nbig|infinite\\n"',
        "sbatch": 'case "$*" in *"-p nope"*) echo "sbatch: error: invalid partition specified: nope" >&2; exit 1;; esac',
        "sacct": 'echo "Slurm accounting storage is disabled" >&2; exit 1',
        "squeue": "true",
        "scontrol": 'echo "MinJobAge               = 300 sec"',
    }
    for name, body in commands.items():
        write_command(place, name, body)
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    return place


def write_command(place: Path, name: str, body: str) -> None:
    (place / name).write_text(f"#!/bin/sh\n{body}\n")
    (place / name).chmod(0o755)


def check_slurm(workflow: Workflow, keys: dict[str, Any], partitions: dict[str, Any] | None = None) -> list[Finding]:
    folder, places = workflow.folder / "slurm", workflow.folder / "config"
    folder.mkdir(exist_ok=True)
    if partitions is not None:
        (folder / "partitions.yaml").write_text(yaml.safe_dump({"partitions": partitions}))
        keys = keys | {"slurm-partition-config": "partitions.yaml"}
    (folder / "config.yaml").write_text(yaml.safe_dump(keys))
    profile, content = read_profile(folder), read_yaml(places / "config.yaml")
    found, changed = doctor.check_overrides(content, configuration(workflow), profile, places)
    return [*found, *doctor.check_slurm("math", changed, profile)]


@pytest.mark.parametrize(
    ("given", "flag"), [(["gres=gpu:a100"], "--gres=gpu:a100:1"), ("gres=gpu", "--gres=gpu:1"), ({}, "--gpus=1")]
)
def test_gpus_are_asked_for_as_the_profile_says(
    workflow: Workflow, cluster: Path, given: dict[str, str] | list[str] | str, flag: str
) -> None:
    log = cluster / "asked"
    write_command(cluster, "sbatch", f'echo "$*" >>{log}')
    check_slurm(workflow, SQUEUE | {"config": given}, {"big": {"max_gpu": 8}})
    assert [word for word in log.read_text().split() if word.startswith("--g")] == [flag]


SQUEUE = {"slurm-status-command": "squeue"}


def test_each_request_is_tried_on_the_partitions_that_take_it(workflow: Workflow, cluster: Path) -> None:
    log = cluster / "asked"
    write_command(cluster, "sbatch", f'echo "$*" >>{log}')
    profile = SQUEUE | {"default-resources": {"slurm_account": "lab", "slurm_extra": "'--signal=USR1@300'"}}
    limits = {"cpu": {"max_runtime": 1440}, "big": {"max_runtime": 2880, "max_gpu": 8, "max_mem_mb": 500000}}
    found = check_slurm(workflow, profile, limits)
    assert states(found) == [("job status", "ok"), *[("partitions", "ok")] * 5]
    asked = log.read_text().splitlines()
    shared = "-A lab --signal=USR1@300 --wrap true"
    assert asked == [
        f"--test-only --mem 2000 --cpus-per-task=1 -t 60 -p big {shared}",
        f"--test-only --mem 2000 --cpus-per-task=1 -t 60 -p cpu {shared}",
        f"--test-only --mem 96000 --cpus-per-task=8 -t 1440 -p big --gpus=1 {shared}",
        f"--test-only --mem 4000 --cpus-per-task=4 -t 240 -p big {shared}",
        f"--test-only --mem 4000 --cpus-per-task=4 -t 240 -p cpu {shared}",
    ]


def test_a_launchers_processes_are_asked_for(workflow: Workflow, cluster: Path) -> None:
    changes = {"preference": {"training": {"launcher": {"config": "fsdp", "processes": 4}}, "lora": None}}
    workflow.write_task("full", changes, base="math")
    asked = doctor._requests("full", configuration(workflow))
    assert asked == {
        Request(1, 2000, 60, 0): "light stages",
        Request(8, 96000, 1440, 1): "train_warmup",
        Request(32, 384000, 1440, 4): "train_proposer",
        Request(4, 4000, 240, 0): "embed_instructions",
    }


def test_a_job_that_is_longer_than_its_partitions_limit_is_found(workflow: Workflow, cluster: Path) -> None:
    """SLURM takes it, and lets it wait for ever."""
    found = check_slurm(workflow, SQUEUE, {"gpu": {"max_gpu": 2}})
    assert ("time limits", "stops") in states(found)
    assert any("its limit is 120 minutes" in finding.text for finding in found)


def test_a_partition_that_slurm_does_not_know_is_found(workflow: Workflow, cluster: Path) -> None:
    found = check_slurm(workflow, SQUEUE | {"default-resources": ["slurm_partition=nope"]})
    assert states(found)[1:] == [("partitions", "stops")] * 3
    assert "invalid partition specified: nope" in found[1].text


def test_a_request_that_no_partition_takes_is_found(workflow: Workflow, cluster: Path) -> None:
    found = check_slurm(workflow, SQUEUE, {"cpu": {}, "small": {"max_gpu": 8, "max_mem_mb": 64000}})
    assert [(f.state, "none takes" in f.text) for f in found if "train" in f.text] == [("stops", True)]


def test_a_status_command_that_does_not_work_is_found(workflow: Workflow, cluster: Path) -> None:
    status = check_slurm(workflow, {})[0]
    assert (status.subject, status.state) == ("job status", "stops")
    assert "accounting storage is disabled" in status.text
    assert status.mend == "set slurm-status-command: squeue in the profile"
    write_command(cluster, "scontrol", 'echo "MinJobAge               = 60 sec"')
    status = check_slurm(workflow, SQUEUE)[0]
    assert (status.state, "forgets finished jobs after 60 s" in status.text) == ("stops", True)
    assert check_slurm(workflow, SQUEUE | {"slurm-init-seconds-before-status-checks": 8})[0].state == "ok"


def test_a_controller_that_does_not_answer_is_given_up(
    workflow: Workflow, cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_command(cluster, "sinfo", "exec sleep 60")
    monkeypatch.setattr(doctor, "PATIENCE", 0.5)
    start = time.monotonic()
    [finding] = check_slurm(workflow, SQUEUE)
    assert time.monotonic() - start < 10
    assert (finding.state, finding.text) == ("stops", "sinfo: no answer within 0 s")


def test_no_slurm_at_all_is_found(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    [finding] = check_slurm(workflow, SQUEUE)
    assert (finding.state, finding.text) == ("stops", "sinfo: sinfo is not installed here")


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("1-00:00:00", 1440), ("2:30:00", 150), ("30:00", 30), ("10-12:30:59", 15150), ("infinite", None), ("n/a", None)],
)
def test_time_limits_are_read_as_slurm_writes_them(limit: str, minutes: int | None) -> None:
    assert doctor._minutes(limit) == minutes


def test_a_real_slurm_is_asked(workflow: Workflow) -> None:
    if not shutil.which("sinfo") or doctor._ask(["sinfo", "-h"]).returncode:
        pytest.skip("no SLURM answers here")
    partitions = doctor._ask(["sinfo", "-h", "-o", "%R"]).stdout.split()
    request = Request(1, 1000, 10, 0)
    limits = dict.fromkeys(partitions, "infinite")
    keys = Keys.model_validate(SQUEUE)
    for name, state in {partitions[0]: "ok", "no-such-partition": "stops"}.items():
        assert doctor._asked_of(Partition(name, None), request, "light stages", limits, keys, None).state == state


class Hub(BaseHTTPRequestHandler):
    """Answers as the hub does for a readable, a gated and an unknown model."""

    def do_HEAD(self) -> None:
        asked = self.path.split("/resolve/")[0].removeprefix("/datasets").strip("/")
        status, error = {"meta-llama/Meta-Llama-3-8B": (403, "GatedRepo"), "openai/gsm8k": (401, "RepoNotFound")}.get(
            asked, (200, "")
        )
        self.send_response(status)
        self.send_header("Content-Length", "10")
        if error:
            self.send_header("X-Error-Code", error)
        else:
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", '"1"')
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_gated_and_unknown_models_are_found_at_the_hub(
    workflow: Workflow, hub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    names = ["meta-llama/Meta-Llama-3-8B", "meta-llama/Meta-Llama-3-8B-Instruct", "Qwen/Qwen2.5-Math-7B-Instruct"]
    names += [
        "sentence-transformers/all-MiniLM-L6-v2",
        "openai/gsm8k",
        "Vivacem/MMIQC",
        "xinlai/Math-Step-DPO-10K",
        "qintongli/GSM-Plus",
    ]
    (workflow.folder / "config/lock.yaml").write_text(json.dumps(dict.fromkeys(names, COMMIT)))
    found = list(doctor.check_hub("math", configuration(workflow), workflow.folder))
    assert [(f.state, f.text) for f in found] == [
        ("stops", "no access to meta-llama/Meta-Llama-3-8B"),
        ("stops", "the hub has not, at the commit of config/lock.yaml: openai/gsm8k"),
        ("ok", f"readable: {', '.join(sorted({*names} - {'meta-llama/Meta-Llama-3-8B', 'openai/gsm8k'}))}"),
    ]


def model_folder(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).touch()


def test_what_is_here_is_not_asked_of_the_hub(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    downloads = workflow.folder / "resources/downloads"
    (downloads / "data").mkdir(parents=True)
    task = configuration(workflow).task("math")
    for source in (*task.data.seeds.values(), *task.data.tests.values()):
        assert source.hub
        (downloads / f"data/{source.hub.file_name}.jsonl").touch()
    for name in ("llama3-8b", "llama3-8b-instruct", "minilm"):
        model_folder(downloads / "models" / name)
    [lock, finding] = doctor.check_hub("math", configuration(workflow), workflow.folder)
    assert (lock.state, lock.text) == ("stops", "config/lock.yaml has no commit of Qwen/Qwen2.5-Math-7B-Instruct")
    assert finding.state == "skipped"
    assert "the hub was not reached: access to Qwen/Qwen2.5-Math-7B-Instruct was not tried" in finding.text
    model_folder(downloads / "models/qwen2.5-math-7b-instruct")
    assert states(doctor.check_hub("math", configuration(workflow), workflow.folder)) == [("hub", "ok")]
    (downloads / "models/llama3-8b/config.json").unlink()
    broken = next(iter(doctor.check_hub("math", configuration(workflow), workflow.folder)))
    assert (broken.state, "it has no config.json" in broken.text) == ("stops", True)


@pytest.mark.parametrize("value", ["sk-canary", " sk-canary\n", "", " ", "\t\n", "sk canary", "sk-canary\u00fc"])
def test_a_key_is_what_the_job_takes_for_one(workflow: Workflow, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    places = configuration(workflow)
    endpoint = places.models["gpt-4o-mini"].endpoint
    assert endpoint
    monkeypatch.setenv(endpoint.api_key_env, value)
    [finding] = doctor.check_keys("honesty", places, os.environ)
    said = "OPENAI_API_KEY is set"
    try:
        Connection(endpoint, Limits())
    except BadInput as error:
        said = str(error)
    assert finding.text == said
    assert (finding.state == "ok") == (value.strip() == "sk-canary")


def test_disk_is_what_the_plan_writes(workflow: Workflow) -> None:
    """Three models of 17 GB, one of 0.1, proposers 0 to 3, four enhanced targets; a state of six folders where all is trained.

    Where 0 and the last proposer are kept, no more than three stand at a time.
    """
    workflow.write_task("math", {"keep": None}, base="math")
    places = configuration(workflow)
    [finding] = doctor.check_disk("math", places, workflow.folder, 190_000_000_000)
    assert (finding.state, finding.text.split(",")[0]) == ("warning", "187.1 GB may be written")
    for free, state in {500_000_000_000: "ok", 186_000_000_000: "stops"}.items():
        assert states(doctor.check_disk("math", places, workflow.folder, free)) == [("disk", state)]
    (workflow.folder / "results/math/iter0/proposer").mkdir(parents=True)
    workflow.write_task("full", {"preference": {"lora": None}}, base="math")
    workflow.write_task("few", {"keep": [0, "last"]}, base="math")
    for done in (0, 1):
        (workflow.folder / f"results/few/iter{done}/proposer").mkdir(parents=True)
    for task, needed in {"math": 187 - 17, "full": 187 + 6 * 17, "few": 187 - 3 * 17}.items():
        [finding] = doctor.check_disk(task, configuration(workflow), workflow.folder, 10**12)
        assert finding.text.startswith(f"{needed}.1 GB")
        assert ".bin" not in finding.text


def test_weights_that_are_converted_stand_twice_until_they_are(workflow: Workflow) -> None:
    needed = []
    for weights in ("safetensors", "bin"):
        workflow.change_models({"vicuna-7b-v1.5": {"weights": weights}})
        [finding] = doctor.check_disk("safety", configuration(workflow), workflow.folder, 10**12)
        needed.append(float(finding.text.split(" GB")[0]))
    assert finding.text.endswith(
        "; 17.0 GB of it are .bin weights, which go once they are converted; a quota is not seen here"
    )
    assert needed[1] == needed[0] + 17
    (workflow.folder / "resources/downloads/models/vicuna-7b-v1.5").mkdir(parents=True)
    [finding] = doctor.check_disk("safety", configuration(workflow), workflow.folder, 10**12)
    assert finding.text.startswith(f"{needed[1] - 34:.1f} GB")
    assert ".bin" not in finding.text


@pytest.mark.parametrize("package", ["sentencepiece", "protobuf"])
def test_an_interpreter_without_what_reads_a_tokenizer_is_found(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """As by a check of that one environment; `base` and `report` open no tokenizer and are sound without it."""
    probe = doctor.ENVIRONMENT_PROBE.replace("version(name)", f"version(name.replace({package!r}, 'no-such-package'))")
    monkeypatch.setattr(doctor, "ENVIRONMENT_PROBE", probe)
    found = list(doctor.check_environments(configuration(workflow), None))
    lacking = {f.text.split(":")[0] for f in found if f"lacks {package}" in f.text or f", {package}" in f.text}
    assert lacking == {"generate", "text", "train"}
    assert all(f.mend for f in found if f.text.split(":")[0] in lacking)


def test_a_job_that_came_near_its_limit_is_found(workflow: Workflow, tmp_path: Path) -> None:
    place = tmp_path / "results/math/benchmarks/iter0"
    place.mkdir(parents=True)
    for rule, seconds in {
        "answer_instructions.2-of-8": 1300 * 60,
        "train_warmup": 600,
        "label_responses": 10**6,
    }.items():
        (place / f"{rule}.tsv").write_text(f"s\th:m:s\n{seconds}\t-\n")
    found = list(doctor.check_times("math", configuration(workflow), tmp_path / "results"))
    assert [f.text for f in found if f.state == "warning"] == ["answer_instructions took 1300 of its 1440 minutes"]
    rates = next(f.text for f in found if f.text.startswith("tokens a second"))
    # 3 iterations x 2,000 prompts x 5 samples x 512 tokens
    assert "sample_instructions 178 (15,360,000 in 1440 minutes, control)" in rates
    assert "answer_instructions" not in rates
    assert "of 2 measured stages answer_instructions took longest: 78000 s" in found[-1].text


@pytest.mark.parametrize(
    ("task", "shards", "rates"),
    [
        ("honesty", 1, ["sample_instructions 152 (13,056,000 in 1440", "answer_instructions 95 (8,160,000 in 1440"]),
        ("honesty", 8, ["sample_instructions 19 (1,632,000 in 1440", "answer_instructions 12 (1,020,000 in 1440"]),
        ("safety", 8, ["answer_tests 1 (44,800 in 1440", "check_judge 1 (2,816 in 1440"]),
    ],
)
def test_the_throughputs_that_suffice_are_those_of_the_plan(
    workflow: Workflow, task: str, shards: int, rates: list[str]
) -> None:
    """Of the largest job of each rule, the control's with ten answers asked again once, or of a shard of it."""
    workflow.write_task("cut", {"shards": shards}, base=task)
    [finding] = doctor.check_times("cut", configuration(workflow), workflow.folder / "results")
    for rate in rates:
        assert f" {rate} minutes, " in finding.text


def test_a_data_file_that_the_plan_cannot_count_is_found(workflow: Workflow) -> None:
    (workflow.folder / "rows.jsonl").write_text("[")
    seeds = {"own": {"file": str(workflow.folder / "rows.jsonl"), "licence": "MIT"}}
    workflow.write_task("broken", {"data": {"seeds": seeds}}, base="math")
    [finding] = doctor.check_times("broken", configuration(workflow), workflow.folder / "results")
    assert (finding.state, "rows.jsonl, line 1: not JSON" in finding.text) == ("stops", True)


def test_interpreters_are_held_to_what_environments_pin(workflow: Workflow, tmp_path: Path) -> None:
    pins = {"pydantic": "2.14.3", "no-such-package": "1.0"}
    here = sys.executable
    assert doctor._interpreter("base", here, {"pydantic": pins["pydantic"]}, set(pins)).state == "ok"
    lacks = doctor._interpreter("base", here, pins, {"pydantic"})
    assert (lacks.state, "lacks no-such-package, which some tasks need" in lacks.text) == ("warning", True)
    assert doctor._interpreter("base", here, pins, set(pins)).state == "stops"
    older = doctor._interpreter("base", here, {"pydantic": "1.0"}, set(pins))
    assert (older.state, "has pydantic 2.14.3, other than envs/base.yaml pins" in older.text) == ("warning", True)
    assert "no interpreter" in doctor._interpreter("base", str(tmp_path / "none"), pins, set()).text
    write_command(tmp_path, "junk", "echo hello")
    assert "no Python that answers" in doctor._interpreter("base", str(tmp_path / "junk"), pins, set()).text


def test_the_deployment_by_conda_needs_conda(
    workflow: Workflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = Profile(tmp_path, Keys.model_validate({"software-deployment-method": ["conda"]}), [])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert states(doctor.check_environments(configuration(workflow), profile)) == [("environments", "stops")]
    write_command(tmp_path, "conda", "true")
    assert states(doctor.check_environments(configuration(workflow), profile)) == [("environments", "ok")]


def test_a_file_system_without_atomic_renames_or_locks_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert states(doctor.check_file_system(tmp_path)) == [("file system", "ok"), ("locks", "ok")]
    rename = Path.replace

    def copy(self: Path, target: Path) -> Path:
        """What a rename is on a file system that has none."""
        if self.is_dir():
            return rename(self, target)
        target.unlink(missing_ok=True)
        time.sleep(0.001)
        shutil.copyfile(self, target)
        return target

    monkeypatch.setattr(Path, "replace", copy)
    monkeypatch.setattr(doctor.fcntl, "flock", lambda *_: None)  # granted, and nobody is kept out
    assert states(doctor.check_file_system(tmp_path)) == [("file system", "stops"), ("locks", "warning")]
    assert list(tmp_path.iterdir()) == []
