"""Checks of a task against other files: the models and the roles that each can play, prices, and other tasks.

Each function raises BadInput with the task's file, the key, and how to fix it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from reversegen.config.judge_settings import CLASSIFIER, Judge
from reversegen.config.models import Model
from reversegen.config.paths import task_models
from reversegen.config.task import REUSABLE, Task
from reversegen.config.workflow import AssumedRates, Price, Throughput, Workflow
from reversegen.core.errors import BadInput


def check_models(
    task: Task, models: dict[str, Model], unusable: dict[str, str], solvers: Collection[str], path: Path
) -> None:
    """Refuse a task that gives a role to a model that is unknown, is `unusable`, or cannot play the role.

    `unusable` maps the names of faulty models to their error messages.
    """
    keys = {"embedding": "embedding.model"}
    keys |= {f"judge {one.model}": f"{task.judge.key(one.name)}.model" for one in task.judges if task.judge}
    keys |= {f"transfer {name}": f"transfer.{n}" for n, name in enumerate(task.transfer)}
    for role, name in task_models(task).items():
        key = keys.get(role, role)
        if name in unusable:
            raise BadInput(f"{path}: {key}: {unusable[name]}")
        if name not in models and not (role == "teacher" and name in solvers):
            raise BadInput(f"{path}: {key}: unknown model {name!r}; config/models.yaml has {', '.join(sorted(models))}")
    if fault := next(_role_faults(task, models), None):
        raise BadInput(f"{path}: {fault}")


def _role_faults(task: Task, models: dict[str, Model]) -> Iterator[str]:
    """One error message for each role whose model cannot play it."""
    for judge in task.judges:
        if task.judge and judge.model:
            yield from _judge_faults(task.judge.key(judge.name), judge, models[judge.model])
    if task.embedding and models[task.embedding.model].endpoint:
        yield f"embedding.model: {task.embedding.model} is an endpoint, which gives no vectors; name a hub id or folder"
    for role, name in (("proposer", task.proposer), ("target", task.target), ("teacher", task.teacher)):
        model = models.get(name)
        if model and model.train and model.train.classifier:
            yield f"{role}: {name} is a classifier, which writes no text; name a model that does"
    if models[task.proposer].endpoint:
        yield f"proposer: {task.proposer} is an endpoint, which cannot be trained; name a hub id or folder"


def _judge_faults(key: str, judge: Judge, model: Model) -> Iterator[str]:
    if model.endpoint and judge.format in (CLASSIFIER, "shieldgemma"):
        yield (
            f"{key}: {judge.model} is an endpoint, which cannot serve the format {judge.format}; name a hub id or folder, "
            "or use another format"
        )
    if model.engine == "vllm" and judge.format == CLASSIFIER:
        yield f"{key}: {judge.model} is a classifier, which vLLM cannot run; remove its `engine: vllm`"


def check_budget(
    task: Task, models: dict[str, Model], main: Workflow, assumed: Mapping[str, AssumedRates], path: Path
) -> None:
    """Refuse a budget that cannot be checked because a price is missing, or a throughput that is not even assumed."""
    judges = [judge.model for judge in task.judges if judge.model]
    needed: dict[str, Any] = {}
    for name in (task.proposer, task.target, task.teacher, *judges, *task.transfer):
        model = models.get(name)
        if model is None:
            continue
        if model.endpoint and task.budget.money:
            price = main.costs.prices.endpoints.get(name, Price(read=None, written=None))
            needed |= {f"prices.endpoints.{name}.{key}": value for key, value in price}
        elif not model.endpoint and main.sizes[model.size].gpu and (task.budget.money or task.budget.gpu_hours):
            speed = main.costs.throughput.get(model.size, Throughput(read=None, written=None, trained=None))
            rates = assumed.get(model.size, AssumedRates())
            others = {**dict(getattr(rates, model.engine)), "trained": rates.trained}
            trains = name in (task.proposer, task.target)
            needed |= {
                f"throughput.{model.size}.{key}": value or others[key]
                for key, value in speed
                if key != "trained" or trains
            }
            if task.budget.money:
                needed["prices.gpu_hour"] = main.costs.prices.gpu_hour
    if unknown := [key for key, value in needed.items() if value is None]:
        raise BadInput(f"{path}: budget: it cannot be checked; set costs.{', costs.'.join(unknown)} in config.yaml")


def check_reuse(task: Task, tasks: dict[str, Task], path: Path) -> None:
    """Refuse to reuse a part unless every key that decides it is equal in both tasks."""
    if task.reuse and task.extends is None:
        raise BadInput(f"{path}: reuse: `extends` is missing; name the task whose files are reused")
    if task.reuse and task.extends and task.random_seed != tasks[task.extends].random_seed:
        raise BadInput(
            f"{path}: reuse: the random_seed differs from that of {task.extends}; remove it, and run NAME.sN, which sets both"
        )
    for part in task.reuse:
        assert task.extends is not None
        keys = REUSABLE[part]
        for key in [*keys, *task.kind_sections] if "responses" in keys else keys:
            value, parent_value = (_key(t, key) for t in (task, tasks[task.extends]))
            if value != parent_value:
                raise BadInput(
                    f"{path}: reuse: {part} depends on {key}, which differs from that of {task.extends}; remove {part} from "
                    f"`reuse`, or give {key} the same value"
                )


def _key(task: Task, path: str) -> Any:
    value: Any = task
    for key in path.split("."):
        value = getattr(value, key)
    return value
