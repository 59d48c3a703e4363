"""Chat templates: whether the tokenizers on this machine render a conversation of each role."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from reversegen.config.paths import model_folder
from reversegen.config.workflow import Configuration
from reversegen.core.errors import BadInput
from reversegen.models.folder import check_folder
from reversegen.operations.doctor.finding import PATIENCE, Finding, ask, reason
from reversegen.operations.slurm_profile import Profile
from reversegen.workflow.environment import REPOSITORY, search_path
from reversegen.workflow.role_conversations import RoleFolder, RoleFolders
from reversegen.workflow.stages import models_by_role


def check_conversations(
    name: str, configuration: Configuration, profile: Profile | None, folder: Path
) -> Iterable[Finding]:
    """Check whether the tokenizers on this machine render a conversation of each role, in the interpreter of `generate`."""
    present, absent = [], []
    for role, (model_name, model) in models_by_role(configuration.task(name), configuration).items():
        place = model_folder(model_name, model)
        if place and (folder / place).is_dir():
            with contextlib.suppress(BadInput):  # check_hub reports it
                check_folder(folder / place)
                role = role.partition(" ")[0]  # the name of a transfer role ends in its model
                present.append({"task": name, "role": role, "model": model_name, "folder": folder / place})
        elif place and not model.train:
            absent.append(f"{role} {model_name}")
    if absent:
        text = f"no conversation was rendered for models that are not here yet: {', '.join(absent)}"
        yield Finding(
            "templates",
            "skipped",
            text,
            f"fetch them with `snakemake results/{name}/prefetch.json`, then run the doctor again",
        )
    if present:
        yield from _rendered(name, present, configuration, profile)


def _rendered(
    name: str, present: list[dict[str, object]], configuration: Configuration, profile: Profile | None
) -> Iterable[Finding]:
    """Render conversations for the models on this machine, in the interpreter of `generate`."""
    base = name.partition(".s")[0]
    alone = configuration.model_copy(update={"tasks": {base: configuration.tasks[base]}, "faults": {}})
    models = RoleFolders(configuration=alone, models=[RoleFolder.model_validate(one) for one in present])
    program = None
    if not profile or "conda" not in profile.keys.software_deployment_method:
        program = shutil.which(configuration.workflow.python["generate"], path=search_path())
    script = str(REPOSITORY / "scripts/check_models.py")
    check = ask([program, script, f"--models={models.model_dump_json()}"], 4 * PATIENCE) if program else None
    if check is None or check.returncode:
        why = reason(check) if check else "its environment is not made yet"
        yield Finding("templates", "skipped", f"conversations could not be rendered: {why}")
        return
    faults = [json.loads(line) for line in check.stdout.splitlines()]
    for _, role, fault in faults:
        yield Finding("templates", "stops", f"{role}: {fault}")
    sound = sorted({one.role for one in models.models} - {role for _, role, _ in faults})
    if sound:
        seen = f"snakemake results/{name}/rendered.md shows every token"
        yield Finding("templates", "ok", f"conversations are rendered for {', '.join(sound)}; {seen}")
