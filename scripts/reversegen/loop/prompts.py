"""Three-shot prompts: the warm-up rows of proposer 0, and the prompts of each iteration."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterable, Sequence

from reversegen.config.sampling import Prompts
from reversegen.core.errors import BadInput
from reversegen.core.records import Label, Prompt, Seed, Split, TrainingRow
from reversegen.ids import content_id, hashed_seed
from reversegen.kinds.base import Kind

log = logging.getLogger("reversegen")

DEMONSTRATIONS = 3
"""Examples in a prompt: three, as published."""


def build_warmup(
    seeds: Sequence[Seed], rows: int | None, header: str, random_seed: int, kind: Kind
) -> list[TrainingRow]:
    """One row for each training seed: the prompt has three other seeds of its source, and the completion is the seed.

    If `rows` is larger than the number of seeds, seeds are used again with other demonstrations. If it is smaller, seeds are
    chosen at random. None uses each seed once. Raises BadInput if a source and subject has fewer than four seeds.
    """
    rng = random.Random(hashed_seed(random_seed, "warmup"))
    targets = [s for s in seeds if s.split == "train"]
    alike = _alike(targets, "train", DEMONSTRATIONS + 1)
    order: list[Seed] = []
    while len(order) < (rows or len(targets)):
        order += rng.sample(targets, len(targets))
    built = []
    for target in order[:rows]:
        candidates = alike[target.source, target.subject]
        shots: list[Seed] = []
        while len(shots) < DEMONSTRATIONS:
            shot = rng.choice(candidates)
            if shot.id != target.id and shot not in shots:
                shots.append(shot)
        built.append(
            TrainingRow(
                prompt=_text(shots, header, kind),
                completion=f" {kind.write_item(target.text, target.answer)}",
                instruction_id=target.id,
                origin="seed",
            )
        )
    return built


def build_prompts(
    seeds: Sequence[Seed], prompts: Prompts, iteration: int, random_seed: int, kind: Kind
) -> list[Prompt]:
    """The prompts of an iteration: fresh ones from training seeds, then the held-out ones from held-out seeds.

    All prompts differ. The held-out prompts depend on the random seed but not on the iteration. Raises BadInput if there are
    too few seeds for so many different prompts.
    """
    return [
        *_draw(seeds, "train", prompts.train, prompts.header, hashed_seed(random_seed, iteration, "prompts"), kind),
        *_draw(seeds, "heldout", prompts.heldout, prompts.header, hashed_seed(random_seed, "prompts"), kind),
    ]


def _draw(seeds: Sequence[Seed], split: Split, count: int, header: str, draw: int, kind: Kind) -> list[Prompt]:
    """Draw `count` different prompts: each draws one seed uniformly, then three seeds of that seed's source and subject."""
    rng = random.Random(draw)
    pool = [s for s in seeds if s.split == split]
    alike = _alike(pool, split, DEMONSTRATIONS)
    drawn: dict[str, Prompt] = {}
    for _ in range(20 * count):
        if len(drawn) == count:
            return list(drawn.values())
        first = rng.choice(pool)
        shots = rng.sample(alike[first.source, first.subject], DEMONSTRATIONS)
        text = _text(shots, header, kind)
        ids = [s.id for s in shots]
        prompt = Prompt(id=content_id(text), split=split, text=text, seeds=ids, subject=first.subject)
        drawn.setdefault(prompt.id, prompt)
    raise BadInput(
        f"prompts.{split}: {count} different prompts cannot be drawn from {len(pool)} {split} seeds; ask for fewer prompts, or "
        "give more seeds (after a probe only failed seeds count; data.probe_seeds sets how many it asks)"
    )


def _text(shots: Sequence[Seed], header: str, kind: Kind) -> str:
    """The prompt with these demonstrations. `{subject}` in the header becomes their subject."""
    subject = (shots[0].subject or "").replace("_", " ")
    return kind.build_prompt(header.replace("{subject}", subject), [kind.write_item(s.text, s.answer) for s in shots])


def _alike(seeds: Sequence[Seed], split: Split, least: int) -> dict[tuple[str, str | None], list[Seed]]:
    """Seeds by source and subject, which the demonstrations of one prompt share.

    Raises BadInput if a source and subject has fewer than `least` seeds.
    """
    alike: dict[tuple[str, str | None], list[Seed]] = {}
    for seed in seeds:
        alike.setdefault((seed.source, seed.subject), []).append(seed)
    small = [", ".join(filter(None, key)) for key, of_key in alike.items() if len(of_key) < least]
    if small or not alike:
        raise BadInput(
            f"prompts.{split}: a prompt needs {least} {split} seeds of one source and subject, and "
            f"{'; '.join(small) or 'every source'} has fewer; give more rows in data.seeds, or change data.heldout_share"
        )
    return alike


def failed_seeds(seeds: Iterable[Seed], labels: Sequence[Label]) -> list[Seed]:
    """The seeds that the target failed in the probe, without sources and subjects that are too small for a prompt.

    A seed that the probe did not ask has no label and is left out. Raises BadInput if a split has no seed left.
    """
    failed = {label.instruction_id for label in labels if label.verdict == "failed"}
    failed_ones = [s for s in seeds if s.id in failed]
    sizes = Counter((s.source, s.subject, s.split) for s in failed_ones)
    usable = [s for s in failed_ones if sizes[s.source, s.subject, s.split] > DEMONSTRATIONS]
    for split in ("train", "heldout"):
        if not any(s.split == split for s in usable):
            raise BadInput(
                f"probe: the target failed on {len(failed)} of {len(labels)} seeds, too few {split} ones for a prompt; "
                "raise data.probe_seeds if it is below the number of seeds, give more seeds, or set data.probe: false"
            )
    log.info("probe: the target failed on %d of %d seeds; %d enter prompts", len(failed), len(labels), len(usable))
    return usable
