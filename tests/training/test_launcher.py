"""Several processes train the same model as one process. Two run on this CPU, with the shipped accelerate configurations."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest
import torch
import yaml
from tests.support.training import (
    LORA,
    TINY,
    USE,
    answer_rows,
    build_pairs,
    prefer,
    proposer_rows,
    supervise,
    training,
)
from tests.support.warm_python import warm_python
from tests.support.workflows import REPOSITORY, Workflow
from transformers import AutoModelForCausalLM

from reversegen.config.training import Preference, Warmup
from reversegen.core.errors import BadInput
from reversegen.core.files import read_json
from reversegen.core.records import write_records
from reversegen.operations.warm_python import JOB_VARIABLES
from reversegen.training.pretraining import train_model
from reversegen.workflow.configuration import load_configuration

STAGES = """
import json, os, runpy, signal, sys, time
import torch

if sys.argv[1] == "fsdp":  # accelerate shards on accelerators only; torch also does on the CPU
    from accelerate import PartialState
    from accelerate.utils import DistributedType

    prepare = PartialState._prepare_backend
    PartialState._prepare_backend = lambda self, *rest: (prepare(self, *rest)[0], DistributedType.MULTI_GPU)
    PartialState.set_device = lambda self: setattr(self, "device", torch.device("cpu"))
    torch.distributed.init_process_group("gloo")
stages = json.loads(sys.argv[2])
if "STOP" in os.environ:  # one of the processes gets the signal, as from SLURM
    sys.path.insert(0, os.path.dirname(stages[0][0]))
    from reversegen.training.common import Followed

    report = Followed.on_log

    def report_and_stop(self, args, state, *rest, **more):
        report(self, args, state, *rest, **more)
        if (os.environ["RANK"], str(state.global_step)) == ("1", os.environ["STOP"]):
            os.kill(os.getpid(), signal.SIGUSR1)

    Followed.on_log = report_and_stop
    if os.environ["RANK"] == "0":  # as on a slow disk, the other process has ended long before the checkpoint is in its place
        sync = os.fsync
        os.fsync = lambda file: (time.sleep(0.5), sync(file))
for words in stages:
    sys.argv = words
    sys.path.insert(0, os.path.dirname(words[0]))
    runpy.run_path(words[0], run_name="__main__")
"""
STEPS = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 4, "num_train_epochs": 10}
STILL_LORA = LORA.model_copy(update={"lora_dropout": 0.0})  # dropout depends on the process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, rows and pairs. The folder `one` has the results of a single process."""
    folder = tmp_path_factory.mktemp("launcher")
    train_model(answer_rows(200), TINY, folder / "base", 1)
    write_records(folder / "rows.jsonl", proposer_rows(32))
    write_records(folder / "pairs.jsonl", build_pairs(32))
    losses = {"sigmoid": 1.0, "sft": 2.0}
    prefer(build_pairs(32), folder / "base", folder / "base", folder / "one/preferred", losses=losses, **STEPS)
    supervise(proposer_rows(32), folder / "base", folder / "one/supervised", lora=STILL_LORA, **STEPS)
    return folder


def stages(out: str) -> dict[str, list[str]]:
    """The command lines of the same trainings as stages, by the name of their output."""
    warmup = Warmup(rows=None, completion_only_loss=True, training=training(**STEPS), lora=STILL_LORA)
    preference = Preference(
        reference="previous",
        min_steps=0,
        beta=0.3,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, 2.0],
        training=training(**STEPS),
        lora=None,
    )
    scripts = REPOSITORY / "scripts"
    preferred = [f"{scripts}/train_proposer.py", "--pairs=pairs.jsonl", "--previous=base", "--reference=base"]
    preferred += [f"--settings={preference.model_dump_json()}"]
    supervised = [f"{scripts}/train_warmup.py", "--warmup=rows.jsonl", "--base=base"]
    supervised += [f"--settings={warmup.model_dump_json()}"]
    shared = [f"--model={USE.model_dump_json()}", "--random-seed=0", "--threads=2"]
    shared += ['--tracking={"report_to": [], "project": "none"}']
    return {
        name: [*words, *shared, f"--proposer={out}/{name}", f"--log={out}/{name}.log"]
        for name, words in {"preferred": preferred, "supervised": supervised}.items()
    }


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize(("config", "names"), [("ddp", ["preferred", "supervised"]), ("fsdp", ["preferred"])])
def test_two_processes_train_the_same_model_as_one_and_resume_after_a_stop(
    folder: Path, config: str, names: list[str]
) -> None:
    (folder / "stages.py").write_text(STAGES)
    file = str(REPOSITORY / f"config/accelerate/{config}.yaml")
    launch = ["-m", "accelerate.commands.launch", "--config_file", file, "--num_processes", "2"]
    words = json.dumps([stages(config)[name] for name in names])
    command = [warm_python(), *launch, "--main_process_port", "0", "stages.py", config, words]
    for stop in ({"STOP": "6"}, {}):
        environment = {**os.environ, **JOB_VARIABLES, **stop}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        if stop:
            assert done.returncode == 1
            assert "stopped by SIGUSR1 at step 7 of 20" in (folder / config / "preferred.log").read_text()
    logs = [path.read_text() for path in (folder / config).glob("*.log")]
    assert done.returncode == 0, "\n".join([done.stderr, *logs])
    for name in names:
        one, two = folder / "one" / name, folder / config / name
        curves = [read_json(out / "curve.json") for out in (one, two)]
        for key, tolerance in {"step": 0, "epoch": 1e-9, "loss": 1e-5, "grad_norm": 1e-4}.items():
            values = [[row[key] for row in curve] for curve in curves]
            assert len(values[0]) == 2
            assert values[1] == pytest.approx(values[0], rel=tolerance), key
        facts = [read_json(out / "manifest.json") for out in (one, two)]
        for key in ("rows", "steps", "tokens", "versions"):
            assert facts[1][key] == facts[0][key], key
        assert facts[1]["files"].keys() == facts[0]["files"].keys()
        (model, _), (trained, difference) = (
            AutoModelForCausalLM.from_pretrained(out, output_loading_info=True) for out in (one, two)
        )
        assert not any(difference.values())
        assert trained.config.to_dict() | {"_name_or_path": ""} == model.config.to_dict() | {"_name_or_path": ""}
        base = AutoModelForCausalLM.from_pretrained(folder / "base").state_dict()
        torch.testing.assert_close(trained.state_dict(), model.state_dict(), rtol=1e-3, atol=1e-5)
        assert any(not torch.allclose(base[key], weight, atol=1e-3) for key, weight in trained.state_dict().items())
        log = (folder / config / f"{name}.log").read_text()
        assert ("resuming after step 7\n" in log) == (name == "preferred")
        assert [log.count(line) for line in ("by hand: ", " step 10 of 20: ", "done in ")] == [1, 1, 1]
    left_over = {path.name for path in (folder / config).iterdir()}
    assert left_over == {*names, *(f"{name}.log" for name in names)}


SAVES = """
import signal, sys, time
from pathlib import Path
from types import SimpleNamespace
import torch
from accelerate import PartialState

sys.path.insert(0, sys.argv[2])
from reversegen.training import checkpoints
from reversegen.core.errors import Interrupted

first = PartialState(cpu=True).is_main_process
checkpoints.SECONDS = 0.0  # a checkpoint is due at every step
keep = checkpoints.Checkpoints._keep
checkpoints.Checkpoints._keep = lambda *given: (time.sleep(1), keep(*given))
args, control = SimpleNamespace(device=torch.device("cpu")), SimpleNamespace()
state = SimpleNamespace(global_step=5, max_steps=9)
with checkpoints.Checkpoints(Path(sys.argv[1]), "key") as saved:
    saved.on_step_end(args, state, control)
    assert control.should_save
    if not first:
        signal.raise_signal(signal.SIGUSR1)
    if first:
        (saved.own_folder / "checkpoint-5").mkdir(parents=True)
        (saved.own_folder / "checkpoint-5/state").write_text("whole")
    try:
        saved.on_save(args, state, control)
    except Interrupted:
        print([path.name for path in saved.place.glob("step-*")])
        raise
"""


def test_a_signal_to_one_process_during_a_save_stops_all_after_the_checkpoint_is_complete(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shared = {**JOB_VARIABLES, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    script = tmp_path / "saves.py"
    script.write_text(SAVES)
    processes = [
        subprocess.Popen(
            [warm_python(), str(script), str(tmp_path / "model"), str(REPOSITORY / "scripts")],
            env={**os.environ, **shared, "RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    ]
    for process in processes:
        printed, error = process.communicate(timeout=300)
        assert printed == "['step-5']\n", error
        assert "Interrupted: stopped by SIGUSR1 at step 5 of 9; start it again to resume from there" in error


def test_a_tasks_launcher_starts_its_training_and_requests_one_gpu_for_each_process(workflow: Workflow) -> None:
    launcher = {"config": "fsdp", "processes": 4}
    workflow.write_task("full", {"preference": {"training": {"launcher": launcher}, "lora": None}}, base="math")
    done = workflow.run("-n", "-p", "results/full/iter1/proposer", "--cores", "64")
    assert done.returncode == 0, done.stdout
    jobs = dict(re.findall(r"^rule (train_\w+):\n((?:.*\n)+?Shell command: .*)", done.stdout, re.MULTILINE))
    command = "python -m accelerate.commands.launch --config_file config/accelerate/fsdp.yaml --num_processes 4"
    assert f"Shell command: {command} --main_process_port 0 " in jobs["train_proposer"]
    assert "accelerate" not in jobs["train_warmup"]
    for asked in ("threads: 32", "mem_mb=384000", "gpu=4", "runtime=1440"):
        assert asked in jobs["train_proposer"]
    for asked in ("threads: 8", "mem_mb=96000", "gpu=1", "runtime=1440"):
        assert asked in jobs["train_warmup"]


def test_more_processes_than_gpus_are_refused_before_any_job(workflow: Workflow) -> None:
    launcher = {"config": "ddp", "processes": 4}
    workflow.write_task("full", {"preference": {"training": {"launcher": launcher}}}, base="math")
    plan = ("-n", "results/full/iter1/proposer", "--cores", "64", "--resources")
    done = workflow.run(*plan, "gpu=2")
    assert done.returncode == 1
    assert "task full: a job of its proposer asks for 4 GPUs, but `--resources gpu=2` allows fewer" in done.stdout
    done = workflow.run(*plan, "gpu=4")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("launcher", "message"),
    [
        (
            {"config": "horovod", "processes": 2},
            "config/tasks/full.yaml: preference.training.launcher.config: unknown file 'horovod'; use ddp, fsdp, one_gpu",
        ),
        (
            {"config": "fsdp", "processes": 2},
            "config/tasks/full.yaml: preference: LoRA cannot be trained with fsdp, which shards all weights; use ddp",
        ),
        (
            {"config": "ddp", "processes": 3},
            "gradient_accumulation_steps: 4 cannot be shared among the launcher's 3 processes",
        ),
    ],
)
def test_a_launcher_that_cannot_work_is_refused(workflow: Workflow, launcher: dict[str, object], message: str) -> None:
    workflow.write_task("full", {"preference": {"training": {"launcher": launcher}}}, base="math")
    content = yaml.safe_load((workflow.folder / "config/config.yaml").read_text())
    with pytest.raises(BadInput) as refused:
        load_configuration(content, workflow.folder / "config").task("full")
    assert message in str(refused.value)
