"""Three-shot prompts: the rows that warm proposer 0 up, and the prompts of each iteration."""

from __future__ import annotations

import random
from collections.abc import Sequence

from reversegen.configuration import Prompts
from reversegen.errors import BadInput
from reversegen.hashing import content_id, hashed_seed
from reversegen.kind import Kind
from reversegen.records import Prompt, Seed, Split, TrainingRow

DEMONSTRATIONS = 3
"""Examples in a prompt (REFERENCE A: three-shot)."""


def build_warmup(
    seeds: Sequence[Seed], rows: int | None, header: str, random_seed: int, kind: Kind
) -> list[TrainingRow]:
    """One row a training seed: a prompt of three others of its source, and the seed as what follows.

    Where `rows` is larger than the number of seeds, they come round again with other demonstrations; where it is smaller,
    a random choice of seeds is used; None takes each seed once. Raises BadInput for a source of fewer than four seeds.
    """
    rng = random.Random(hashed_seed(random_seed, "warmup"))
    targets = [s for s in seeds if s.split == "train"]
    by_source = _by_source(targets, "train", DEMONSTRATIONS + 1)
    order: list[Seed] = []
    while len(order) < (rows or len(targets)):
        order += rng.sample(targets, len(targets))
    built = []
    for target in order[:rows]:
        others = by_source[target.source]
        shots: list[Seed] = []
        while len(shots) < DEMONSTRATIONS:
            shot = rng.choice(others)
            if shot.id != target.id and shot not in shots:
                shots.append(shot)
        prompt = kind.build_prompt(header, [s.text for s in shots])
        built.append(TrainingRow(prompt=prompt, completion=f" {target.text}", instruction_id=target.id, origin="seed"))
    return built


def build_prompts(
    seeds: Sequence[Seed], prompts: Prompts, iteration: int, random_seed: int, kind: Kind
) -> list[Prompt]:
    """The prompts of an iteration: fresh ones of training seeds, then the held-out ones of held-out seeds.

    All differ. The held-out ones depend on the random seed alone. Raises BadInput where there are too few seeds for that.
    """
    return [
        *_draw(seeds, "train", prompts.train, prompts.header, hashed_seed(random_seed, iteration, "prompts"), kind),
        *_draw(seeds, "heldout", prompts.heldout, prompts.header, hashed_seed(random_seed, "prompts"), kind),
    ]


def _draw(seeds: Sequence[Seed], split: Split, count: int, header: str, draw: int, kind: Kind) -> list[Prompt]:
    """Draw `count` different prompts: a seed uniformly, then two others of its source."""
    rng = random.Random(draw)
    pool = [s for s in seeds if s.split == split]
    by_source = _by_source(pool, split, DEMONSTRATIONS)
    drawn: dict[str, Prompt] = {}
    for _ in range(20 * count):
        if len(drawn) == count:
            return list(drawn.values())
        shots = rng.sample(by_source[rng.choice(pool).source], DEMONSTRATIONS)
        text = kind.build_prompt(header, [s.text for s in shots])
        prompt = Prompt(id=content_id(text), split=split, text=text, seeds=[s.id for s in shots])
        drawn.setdefault(prompt.id, prompt)
    raise BadInput(
        f"prompts.{split}: {count} different prompts cannot be drawn from {len(pool)} {split} seeds; ask for fewer, or "
        "give more seeds"
    )


def _by_source(seeds: Sequence[Seed], split: Split, least: int) -> dict[str, list[Seed]]:
    by_source: dict[str, list[Seed]] = {}
    for seed in seeds:
        by_source.setdefault(seed.source, []).append(seed)
    small = [name for name, of_source in by_source.items() if len(of_source) < least]
    if small or not by_source:
        raise BadInput(
            f"prompts.{split}: a prompt takes {least} {split} seeds of one source, and {', '.join(small) or 'every one'} has "
            "fewer; give more rows in data.seeds, or change data.heldout_share"
        )
    return by_source
