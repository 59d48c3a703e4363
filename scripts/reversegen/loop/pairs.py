"""Preference pairs. Both sides are instructions: `chosen` is one on which the target FAILED, `rejected` one it passed."""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from reversegen.config.training import Pairing
from reversegen.core.errors import BadInput
from reversegen.core.records import Instruction, Label, Pair, PairingKind, Prompt, Sample, read_records
from reversegen.ids import hashed_seed
from reversegen.kinds.base import Kind
from reversegen.loop.barred import Barred
from reversegen.loop.turns import in_turns
from reversegen.text.words import words

log = logging.getLogger("reversegen")


@dataclass(frozen=True)
class Judged:
    """A kept instruction of the train split with its verdict and the prompts that it was sampled from."""

    id: str
    item: str
    """The instruction as the proposer writes it."""
    type: str
    """What pairs are taken in turns from: its type or subject, empty if it has none."""
    failed: bool
    prompts: tuple[str, ...]
    """Texts of its prompts, in order of its samples, each once."""


def read_judged(prompts: Path, samples: Path, instructions: Path, labels: Path, barred: Barred) -> list[Judged]:
    """`judged_instructions` of the files of one iteration."""
    return judged_instructions(
        read_records(instructions, Instruction),
        read_records(labels, Label),
        read_records(samples, Sample),
        read_records(prompts, Prompt),
        barred,
        barred.kind,
    )


def judged_instructions(
    instructions: Iterable[Instruction],
    labels: Iterable[Label],
    samples: Iterable[Sample],
    prompts: Iterable[Prompt],
    barred: Callable[[str, str], bool],
    kind: Kind,
) -> list[Judged]:
    """The instructions of one iteration that may enter a pair: train split, kept, failed or passed. Joined by id.

    `barred` says of (id, text) whether it asks what is kept out of training.
    """
    verdicts = {label.instruction_id: label.verdict for label in labels}
    texts = {p.id: p.text for p in prompts}
    prompt_of = {s.id: texts[s.prompt_id] for s in samples if s.split == "train"}
    return [
        Judged(
            id=i.id,
            item=kind.write_item(i.text, i.answer),
            type=kind.group(i.text) or i.subject or "",
            failed=verdicts[i.id] == "failed",
            prompts=tuple(dict.fromkeys(prompt_of[s] for s in i.samples if s in prompt_of)),
        )
        for i in instructions
        if "train" in i.splits
        and i.duplicate_of is None
        and verdicts.get(i.id, "invalid") != "invalid"
        and not barred(i.id, i.text)
    ]


def build_pairs(
    current: Sequence[Judged], earlier: Sequence[Judged], pairing: Pairing, random_seed: int, iteration: int
) -> list[Pair]:
    """Pair each failed instruction of this iteration, once, with a passed one.

    First with one of the same prompt, then, where `across_prompts`, with one of another prompt, then with one that passed
    in an earlier iteration. A passed one serves at most `max_reuse` times, the least used first. Failed ones are taken in
    turns from their types, so that `max_pairs` cuts the common types and not the rare ones.

    Raises BadInput, saying what to change, if nothing is valid, nothing failed, nothing passed, or nothing pairs.
    """
    rng = random.Random(hashed_seed(random_seed, iteration, "pairs"))
    failed = [j for j in current if j.failed]
    failed = list(in_turns(rng.sample(failed, len(failed)), lambda judged: judged.type))
    passed = [j for j in current if not j.failed]
    failing = {j.id for j in failed}
    earlier_passed = [j for j in earlier if not j.failed and j.id not in failing]
    rng.shuffle(passed)
    rng.shuffle(earlier_passed)
    if not current:
        raise BadInput(
            f"iteration {iteration}: no valid instruction to pair; the proposer writes none that can be parsed and labelled: "
            "look at instructions.jsonl, then train it longer (warmup) or sample more (prompts.train)"
        )
    if not failed:
        raise BadInput(
            f"iteration {iteration}: the target failed on none of {len(current)} instructions; sample more (prompts.train, "
            "sampling.samples_per_prompt), use seeds nearer to its weakness, or another target"
        )
    if not passed and not earlier_passed:
        raise BadInput(
            f"iteration {iteration}: the target passed none of {len(current)} instructions, and none of an earlier iteration; "
            "check the labels, sample more (prompts.train), or stop at this iteration"
        )
    used: Counter[str] = Counter()
    matched = _match_prompts(failed, passed, used, pairing.max_reuse)
    waiting = (j for j in failed if j.id not in matched)
    pools = {"across_prompts": passed if pairing.across_prompts else [], "earlier_pass": earlier_passed}
    for name, pool in pools.items():
        # the pool stands first: zip must not take a failed instruction that no pass is left for
        for rejected, chosen in zip(_least_used(pool, used, pairing.max_reuse), waiting, strict=False):
            used[rejected.id] += 1
            matched[chosen.id] = _pair(chosen, rejected, chosen.prompts[0], name)
    if not matched:
        raise BadInput(
            f"iteration {iteration}: {len(failed)} failed and {len(passed)} passed instructions share no prompt; set "
            "pairs.across_prompts: true or raise sampling.samples_per_prompt"
        )
    pairs = [matched[j.id] for j in failed if j.id in matched][: pairing.max_pairs]
    log.info("pairs: %s", pair_statistics(pairs))
    return pairs


def _match_prompts(
    failed: Sequence[Judged], passed: Sequence[Judged], used: Counter[str], max_reuse: int
) -> dict[str, Pair]:
    """Pairs within one prompt, by id of the failed instruction; counts in `used` how often each passed one serves."""
    by_prompt = defaultdict(list)
    for judged in passed:
        for prompt in judged.prompts:
            by_prompt[prompt].append(judged)
    matched = {}
    for chosen in failed:
        candidates = [(p, j) for p in chosen.prompts for j in by_prompt[p] if used[j.id] < max_reuse]
        if candidates:
            prompt, rejected = min(candidates, key=lambda candidate: used[candidate[1].id])
            used[rejected.id] += 1
            matched[chosen.id] = _pair(chosen, rejected, prompt, "same_prompt")
    return matched


def _least_used(pool: Sequence[Judged], used: Counter[str], max_reuse: int) -> Iterator[Judged]:
    """The pool in rounds: in round n those that have served at most n times. The caller counts each use."""
    for uses in range(max_reuse):
        yield from (judged for judged in pool if used[judged.id] <= uses)


def _pair(chosen: Judged, rejected: Judged, prompt: str, pairing: str) -> Pair:
    return Pair(
        prompt=prompt,
        chosen=f" {chosen.item}",
        rejected=f" {rejected.item}",
        chosen_id=chosen.id,
        rejected_id=rejected.id,
        pairing=cast(PairingKind, pairing),
    )


def pair_statistics(pairs: Sequence[Pair]) -> dict[str, float | int]:
    """Counts by kind of pairing, and mean lengths in words of both sides: a length gap is what DPO learns first."""
    kinds = Counter(pair.pairing for pair in pairs)
    return {
        "pairs": len(pairs),
        **{name: kinds[name] for name in ("same_prompt", "across_prompts", "earlier_pass")},
        "distinct_rejected": len({pair.rejected_id for pair in pairs}),
        "chosen_words": round(sum(len(words(p.chosen)) for p in pairs) / len(pairs), 3),
        "rejected_words": round(sum(len(words(p.rejected)) for p in pairs) / len(pairs), 3),
    }
