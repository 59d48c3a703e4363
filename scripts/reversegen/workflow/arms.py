"""The files of arms, iterations and variants that rules read. An arm is a set of prompts with everything made from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reversegen.config.workflow import Configuration
from reversegen.workflow.roles import role_folder
from reversegen.workflow.tasks import abstaining, part_file, referenced, task_of

if TYPE_CHECKING:
    from snakemake.iocontainers import Wildcards


def iteration_of(wildcards: Wildcards) -> int:
    """The number of an iteration's arm, such as 3 of iter3."""
    return int(wildcards.arm.removeprefix("iter"))


def iterated(_: Configuration, wildcards: Wildcards) -> bool:
    """Whether an arm belongs to a trained proposer."""
    return bool(wildcards.arm != "untrained")


def arm_proposer(configuration: Configuration, wildcards: Wildcards) -> str:
    """The model that writes in an arm: proposer k in iter{k}, proposer 0 in `control`, and the base model in `untrained`."""
    if wildcards.arm == "untrained":
        return role_folder(configuration, "proposer")(wildcards)[0]
    return part_file(configuration, "iter0/proposer" if wildcards.arm == "control" else "{arm}/proposer")(wildcards)


def of_previous(configuration: Configuration, file: str) -> Callable[[Wildcards], str]:
    """A file of the iteration before this one."""
    return lambda wildcards: part_file(configuration, f"iter{int(wildcards.iteration) - 1}/{file}")(wildcards)


def previous_contamination(_: Configuration, wildcards: Wildcards) -> str:
    """The contamination report that the pairs of the iteration before this one passed."""
    return f"results/{wildcards.task}/contamination/iter{int(wildcards.iteration) - 1}.json"


def following_proposer(_: Configuration, wildcards: Wildcards) -> str:
    """The proposer of the iteration after this one."""
    return f"results/{wildcards.task}/iter{int(wildcards.iteration) + 1}/proposer"


def reference_proposer(configuration: Configuration, wildcards: Wildcards) -> str:
    """The reference model of DPO: proposer k by default, or proposer 0 if the task asks for it."""
    if task_of(configuration, wildcards).preference.reference == "warmup":
        return part_file(configuration, "iter0/proposer")(wildcards)
    return of_previous(configuration, "proposer")(wildcards)


def pruned_before(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """Files which show that the weights of earlier proposers are removed, for the proposers that the task does not keep."""
    keep = task_of(configuration, wildcards).keep
    if keep is None or not iterated(configuration, wildcards):
        return []
    return [f"results/{wildcards.task}/iter{k}/pruned.json" for k in range(iteration_of(wildcards)) if k not in keep]


def training_pairs(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The pairs that trained this proposer. Empty for proposer 0 and the arm `untrained`."""
    if wildcards.arm in ("iter0", "untrained"):
        return []
    return [part_file(configuration, f"iter{iteration_of(wildcards) - 1}/pairs.jsonl")(wildcards)]


def up_to_now(configuration: Configuration, file: str) -> Callable[[Wildcards], list[str]]:
    """A file of each iteration from 0 to this one."""
    return lambda wildcards: _each(configuration, file, wildcards, range(int(wildcards.iteration) + 1))


def before_now(configuration: Configuration, file: str) -> Callable[[Wildcards], list[str]]:
    """A file of each iteration before this one. Empty for the arm `untrained`."""

    def find(wildcards: Wildcards) -> list[str]:
        count = iteration_of(wildcards) if iterated(configuration, wildcards) else 0
        return _each(configuration, file, wildcards, range(count))

    return find


def of_trained(configuration: Configuration, file: str) -> Callable[[Wildcards], list[str]]:
    """A file of each iteration from 1 to N."""
    return lambda wildcards: of_every(configuration, file)(wildcards)[1:]


def of_every(configuration: Configuration, file: str) -> Callable[[Wildcards], list[str]]:
    """A file of each iteration from 0 to N."""

    def find(wildcards: Wildcards) -> list[str]:
        return _each(configuration, file, wildcards, range(task_of(configuration, wildcards).iterations + 1))

    return find


def of_every_but_the_last(configuration: Configuration, file: str) -> Callable[[Wildcards], list[str]]:
    """A file of each iteration from 0 to N - 1."""
    return lambda wildcards: of_every(configuration, file)(wildcards)[:-1]


def of_every_referenced(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The references of all iterations. Empty for a kind whose verdicts need no references."""
    return of_every(configuration, "references.jsonl")(wildcards) if referenced(configuration, wildcards) else []


def of_warmup(configuration: Configuration, file: str) -> Callable[[Wildcards], list[str]]:
    """A file of each arm in which proposer 0 wrote: iteration 0 and the control."""
    return lambda wildcards: [part_file(configuration, f"{arm}/{file}")(wildcards) for arm in ("iter0", "control")]


def of_warmup_and_trained(configuration: Configuration, file: str) -> Callable[[Wildcards], list[str]]:
    """A file of each arm in which a proposer wrote, the control included."""
    return lambda wildcards: [*of_warmup(configuration, file)(wildcards), *of_trained(configuration, file)(wildcards)]


def last_iteration(configuration: Configuration, file: str) -> Callable[[Wildcards], str]:
    """A file of iteration N."""
    return lambda wildcards: of_every(configuration, file)(wildcards)[-1]


def _each(configuration: Configuration, file: str, wildcards: Wildcards, iterations: range) -> list[str]:
    return [part_file(configuration, f"iter{k}/{file}")(wildcards) for k in iterations]


def variant_folder(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The model folder of a variant: the original target, or the target that a source enhanced."""
    if wildcards.variant == "original":
        return role_folder(configuration, "target")(wildcards)
    return [f"results/{wildcards.task}/{wildcards.variant}/target"]


def variant_selection(_: Configuration, wildcards: Wildcards) -> list[str]:
    """The file that describes how the rows of a variant were selected. Empty for the original target."""
    return [] if wildcards.variant == "original" else [f"results/{wildcards.task}/enhanced/selection.json"]


def original_labels(configuration: Configuration, wildcards: Wildcards) -> list[str]:
    """The labels of the variant `original`, with which others are compared. Empty for it, and if answers cannot abstain."""
    if wildcards.variant == "original" or not abstaining(configuration, wildcards):
        return []
    return [part_file(configuration, "original/labels.jsonl")(wildcards)]
