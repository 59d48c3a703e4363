"""The interpreters of the environments, and their packages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping

import yaml

from reversegen.config.models import Vllm
from reversegen.config.paths import task_models
from reversegen.config.workflow import Configuration
from reversegen.engines.accepted_arguments import unknown_arguments
from reversegen.operations.doctor.finding import PATIENCE, Finding, ask, reason
from reversegen.operations.slurm_profile import Profile
from reversegen.workflow.environment import REPOSITORY, search_path
from reversegen.workflow.stages import models_by_role
from reversegen.workflow.vllm_interpreter import missing_vllm, vllm_models

EMBEDDING_PACKAGES = {"faiss-gpu", "openvino", "sentence-transformers"}
"""The packages of envs/text.yaml that only a task with an embedding model uses."""
ENVIRONMENT_PROBE = """
import importlib.metadata as metadata, json, sys

versions = {}
for name in json.load(sys.stdin):
    versions[name] = None
    for package in name.split(" or "):
        try:
            versions[name] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
print(json.dumps([list(sys.version_info[:2]), versions]))
"""


ARGUMENT_PROBE = """
import importlib, json, sys

sys.path.insert(0, sys.argv[1])
unknown = getattr(importlib.import_module(sys.argv[2]), sys.argv[3])
print(json.dumps({model: unknown(names) for model, names in json.load(sys.stdin).items()}))
"""


def check_environments(name: str, configuration: Configuration, profile: Profile | None) -> Iterable[Finding]:
    """Check whether each interpreter has the packages that the task needs; if conda deploys them, whether conda is installed.

    The versions are those of envs/. A task without vLLM may have those of requirements.txt instead: they differ only because
    vLLM needs others.
    """
    if profile and "conda" in profile.keys.software_deployment_method:
        conda = next((name for name in ("mamba", "conda") if shutil.which(name)), None)
        if conda:
            yield Finding("environments", "ok", f"{conda} will create them")
        else:
            yield Finding(
                "environments", "stops", "the profile deploys with conda, which is not installed", "install miniforge"
            )
        return
    installed = _pins((REPOSITORY / "requirements.txt").read_text().splitlines())
    for environment, python in sorted(configuration.workflow.python.items()):
        content = yaml.safe_load((REPOSITORY / "envs" / f"{environment}.yaml").read_text())
        [pip] = [part["pip"] for part in content["dependencies"] if isinstance(part, dict)]
        pins = needed_packages(name, configuration, _pins(pip), installed)
        yield _interpreter(environment, python, pins, set(installed))


def needed_packages(
    name: str, configuration: Configuration, pins: Mapping[str, str], installed: Mapping[str, str]
) -> dict[str, set[str]]:
    """The packages among `pins` that a run of the task needs, each with the versions that serve.

    vLLM is for models with `engine: vllm`; without it, the versions in `installed` serve too. EMBEDDING_PACKAGES are for an
    embedding model. If that model asks for no GPU, faiss-cpu serves as well as faiss-gpu.
    """
    models = models_by_role(configuration.task(name), configuration)
    uses_vllm = any(model.engine == "vllm" for _, model in models.values())
    unused = (set() if uses_vllm else {"vllm"}) | (set() if "embedding" in models else EMBEDDING_PACKAGES)
    needed = {package: {version} for package, version in pins.items() if package not in unused}
    for package in () if uses_vllm else needed.keys() & installed.keys():
        needed[package].add(installed[package])
    if "faiss-gpu" in needed and not configuration.workflow.sizes[models["embedding"][1].size].gpu:
        needed["faiss-cpu or faiss-gpu"] = needed.pop("faiss-gpu")
    return needed


def _pins(lines: Iterable[str]) -> dict[str, str]:
    """The version of each package, from lines such as numpy==2.4.6."""
    return dict(line.split("==") for line in lines if "==" in line)


def check_vllm(name: str, configuration: Configuration, profile: Profile | None) -> Iterable[Finding]:
    """Check whether the interpreter of `generate` has vLLM, if the task needs it, and whether it knows the given arguments."""
    models = vllm_models(task_models(configuration.task(name)).values(), configuration)
    if not models or (profile and "conda" in profile.keys.software_deployment_method):
        return
    if missing := missing_vllm(models, configuration):
        yield Finding("vLLM", "stops", *missing)
        return
    given = {one: configuration.models[one].vllm or Vllm() for one in models}
    names = {one: list(vllm.model_dump(exclude_none=True)) for one, vllm in given.items()}
    program = str(shutil.which(configuration.workflow.python["generate"], path=search_path()))
    scripts = str(REPOSITORY / "scripts")
    words = [scripts, unknown_arguments.__module__, unknown_arguments.__name__]
    asked = ask([program, "-c", ARGUMENT_PROBE, *words], 8 * PATIENCE, json.dumps(names))
    if asked.returncode:
        yield Finding("vLLM", "skipped", f"its arguments could not be checked: {reason(asked)}")
        return
    faults = {one: fault for one, fault in json.loads(asked.stdout.splitlines()[-1]).items() if fault}
    for one, fault in faults.items():
        yield Finding("vLLM", "stops", f"{one}: {fault}", "correct the model's entry in config/models.yaml")
    if not faults:
        yield Finding("vLLM", "ok", f"{program} has it, for {', '.join(models)}")


def _interpreter(name: str, python: str, pins: Mapping[str, set[str]], essential: set[str]) -> Finding:
    """Check whether an interpreter has one of the versions of each package. Lacking an essential one stops a run."""
    program = shutil.which(python, path=search_path())
    fix = (
        f"name its interpreter under python: in config/config.yaml, or install the pip part of envs/{name}.yaml into it"
    )
    if program is None:
        return Finding("environments", "stops", f"{name}: there is no interpreter {python}", fix)
    try:
        version, packages = json.loads(ask([program, "-c", ENVIRONMENT_PROBE], text=json.dumps(list(pins))).stdout)
    except (ValueError, OSError):
        return Finding("environments", "stops", f"{name}: {program} does not answer as a Python interpreter does", fix)
    missing = sorted(package for package, has in packages.items() if has is None)
    others = sorted(f"{p} {has}" for p, has in packages.items() if has and has.partition("+")[0] not in pins[p])
    if tuple(version) < (3, 11):
        return Finding(
            "environments",
            "stops",
            f"{name}: {program} is Python {version[0]}.{version[1]}, older than 3.11",
            fix,
        )
    if lacks := [package for package in missing if package in essential]:
        return Finding("environments", "stops", f"{name}: {program} lacks {', '.join(lacks)}", fix)
    if missing or others:
        parts = [f"lacks {', '.join(missing)}, which this task needs"] if missing else []
        parts += [f"has {', '.join(others)}, and envs/{name}.yaml pins other versions"] if others else []
        return Finding("environments", "warning", f"{name}: {program} {'; '.join(parts)}", fix)
    return Finding("environments", "ok", f"{name}: {program}")
