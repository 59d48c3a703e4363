"""The card of a trained model: README.md of its folder, with the hub's metadata. The same training gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, Literal

import yaml

from reversegen.core.files import read_json
from reversegen.core.markdown import markdown_table, plain_cell

Role = Literal["proposer", "target"]
Method = Literal["sft", "dpo"]

CARD = Template("""---
$header---

# $title

$what Made by ReverseGen ([arXiv 2410.16736](https://arxiv.org/abs/2410.16736)), a loop in which a proposer learns from
the instructions on which a target failed.

## Training

Trained from $base with $rows rows, $steps steps and $tokens tokens; $dropped_rows rows were dropped, because they were too long
or the chat template refused them. `curve.json` has the loss, and `manifest.json` the hash of each file.

$kept

$settings

$versions

## Intended use and hazards

$use

The licences of the base model and of the training data apply.
""")

TITLES: dict[tuple[Role, Method], str] = {
    ("proposer", "sft"): "A proposer of instructions, warmed up",
    ("proposer", "dpo"): "A proposer of instructions on which a target fails",
    ("target", "sft"): "An enhanced target",
}
_CONTINUES = "It continues a prompt with three instructions by one more of the same kind. "
WHAT: dict[tuple[Role, Method], str] = {
    ("proposer", "sft"): _CONTINUES + "It was fine-tuned on instructions that people wrote.",
    ("proposer", "dpo"): _CONTINUES
    + "It was trained by DPO on pairs of instructions: the target failed on `chosen` and passed on `rejected`.",
    (
        "target",
        "sft",
    ): "A model that was fine-tuned on instructions with trusted answers, some of which it failed before, "
    "and on its own right answers.",
}
USE: dict[Role, str] = {
    "proposer": "To find instructions on which a target fails, so that the target can be enhanced. A proposer that was trained "
    "against a target's safety writes requests for harm: do not give it to people who might misuse it.",
    "target": "To study the effects of the enhancement. It was measured only on the test sets of its task. It may "
    "fail elsewhere, and may have lost abilities that the replayed answers do not cover.",
}


def model_card(
    role: Role, method: Method, base: Path, settings: Mapping[str, Any], random_seed: int, facts: Mapping[str, Any]
) -> str:
    """The content of README.md. `facts` are those of the manifest, and `settings` is the training section of the configuration.

    The launcher is left out, because it changes the time of the training but not its result.
    """
    header: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["reversegen", "trl", method],
    }
    if hub := hub_base(base):
        header |= {"base_model": hub, "base_model_relation": "finetune"}
    arguments = {**_flat(settings), "random_seed": random_seed}
    return CARD.substitute(
        header=yaml.safe_dump(header, sort_keys=False),
        title=TITLES[role, method],
        what=WHAT[role, method],
        base=_described(base, hub),
        **{name: f"{facts[name]:,}" for name in ("rows", "steps", "tokens", "dropped_rows")},
        kept=_kept(facts["kept"]),
        settings=markdown_table(("argument", "value"), ((k, plain_cell(v)) for k, v in arguments.items()), 2),
        versions=", ".join(f"{name} {version}" for name, version in facts["versions"].items()),
        use=USE[role],
    )


def _kept(facts: Mapping[str, Any]) -> str:
    """A sentence with the share of training's gain that the saved model has."""
    share = f"a share of {facts['share']:.3f}" if facts["share"] is not None else f"no share, because {facts['reason']}"
    return (
        f"Training gained {facts['gained']:.3f} nats in the mean {facts['measure']} of {facts['rows']} of its rows; this "
        f"folder, loaded as it is used, has {facts['saved']:.3f} of them: {share}."
    )


def hub_base(folder: Path) -> str | None:
    """The hub id of the model from which a folder was trained, read from manifests. None if it is not a model of the hub."""
    hub = _origin_of(folder).get("hub")
    return str(hub) if hub else None


def _origin_of(folder: Path) -> dict[str, Any]:
    """The manifest of the first model from which a folder was trained. Empty if that model is the user's own folder."""
    if not (folder / "manifest.json").is_file():
        return {}
    manifest: dict[str, Any] = read_json(folder / "manifest.json")
    return _origin_of(Path(manifest["base"])) if "base" in manifest and "hub" not in manifest else manifest


def _described(base: Path, hub: str | None) -> str:
    if hub:
        return f"[{hub}](https://huggingface.co/{hub})"
    origin = _origin_of(base)
    if "package" in origin:
        licence = origin["licence"] or "not stated"
        return f"`{origin['package_path']}` of the Python package `{origin['package']}` (its licence: {plain_cell(licence)})"
    return f"`{'/'.join(base.parts[-2:])}`, which is not on a hub"


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif name != "launcher":
            flat[prefix + name] = value
    return flat
