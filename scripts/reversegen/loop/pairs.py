"""Preference pairs. Both sides are instructions: the target FAILED on `chosen` and passed `rejected`."""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    """A decided instruction of the train split, with the prompts that it was sampled from."""

    id: str
    item: str
    """The instruction as the proposer writes it."""
    type: str
    """Its type by `Kind.type_of`, from which pairs are taken in turns; empty if it has none."""
    failed: bool
    prompts: tuple[str, ...]
    """The distinct texts of its prompts, in the order of its samples."""


def read_judged(prompts: Path, samples: Path, instructions: Path, labels: Path, barred: Barred) -> list[Judged]:
    """Read the files of one iteration and return its `judged_instructions`."""
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
    """The instructions of one iteration that may enter a pair, joined by id to their labels, samples and prompts.

    They are in the train split, failed or passed, and are no near-duplicates. `barred` returns for (id, text) whether the
    instruction is kept out of training.
    """
    decided = {label.instruction_id: label for label in labels if label.verdict != "invalid"}
    texts = {p.id: p.text for p in prompts}
    prompt_of = {s.id: texts[s.prompt_id] for s in samples if s.split == "train"}
    return [
        Judged(
            id=i.id,
            item=kind.write_item(i.text, i.answer),
            type=kind.type_of(i.text, decided[i.id].category, i.subject) or "",
            failed=decided[i.id].verdict == "failed",
            prompts=tuple(dict.fromkeys(prompt_of[s] for s in i.samples if s in prompt_of)),
        )
        for i in instructions
        if "train" in i.splits and i.duplicate_of is None and i.id in decided and not barred(i.id, i.text)
    ]


def build_pairs(
    current: Sequence[Judged], earlier: Sequence[Judged], pairing: Pairing, random_seed: int, iteration: int
) -> list[Pair]:
    """Pair each failed instruction of this iteration at most once with a passed one.

    Passed instructions of the same prompt come first, then, with `across_prompts`, those of other prompts, then those of
    earlier iterations. Each passed instruction serves at most `max_reuse` times, and the least used one is taken first. Failed
    instructions are taken in turns from their types, so that `max_pairs` drops common types before rare ones. With `same_type`
    both sides have the same type; with `equal_types` each type gives at most an equal share of the pairs, rounded up.

    Raises BadInput, with what to change, if no instruction is valid, none failed, none passed, or no two can be paired.
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
            f"iteration {iteration}: no valid instruction to pair, since none of the proposer's can be parsed and labelled; "
            "look at instructions.jsonl, then train the proposer longer (warmup) or sample more (prompts.train)"
        )
    if not failed:
        raise BadInput(
            f"iteration {iteration}: the target failed on none of {len(current)} instructions; sample more (prompts.train, "
            "sampling.samples_per_prompt), use seeds nearer to the target's weaknesses, or use another target"
        )
    if not passed and not earlier_passed:
        raise BadInput(
            f"iteration {iteration}: the target passed none of {len(current)} instructions and none of an earlier iteration; "
            "check the labels, sample more (prompts.train), or stop at this iteration"
        )
    used: Counter[str] = Counter()
    pools = {"across_prompts": passed if pairing.across_prompts else [], "earlier_pass": earlier_passed}
    matched = dict[str, Pair]()
    for type_ in sorted({j.type for j in failed}) if pairing.same_type else [None]:
        matched |= _match(failed, passed, pools, used, pairing.max_reuse, type_)
    if not matched:
        shared = [] if pairing.across_prompts else ["prompt"]
        way_out = (
            "" if pairing.across_prompts else "set pairs.across_prompts: true or raise sampling.samples_per_prompt"
        )
        if pairing.same_type:
            shared.append("type")
            way_out = way_out or "set pairs.same_type: false or sample more (prompts.train)"
        raise BadInput(
            f"iteration {iteration}: of {len(failed)} failed instructions, none shares its {' and its '.join(shared)} "
            f"with one of {len(passed)} passed ones; {way_out}"
        )
    chosen_ones = [j for j in failed if j.id in matched]
    if pairing.equal_types:
        chosen_ones = _equal_types(chosen_ones)
    pairs = [matched[j.id] for j in chosen_ones][: pairing.max_pairs]
    log.info("pairs: %s", pair_statistics(pairs))
    return pairs


def _match(
    failed: Sequence[Judged],
    passed: Sequence[Judged],
    pools: Mapping[str, Sequence[Judged]],
    used: Counter[str],
    max_reuse: int,
    type_: str | None,
) -> dict[str, Pair]:
    """Pairs of instructions of one type, or of any type for None, by the id of the failed instruction. Uses are counted."""

    def of_type(several: Sequence[Judged]) -> list[Judged]:
        return [j for j in several if type_ is None or j.type == type_]

    matched = _match_prompts(of_type(failed), of_type(passed), used, max_reuse)
    waiting = (j for j in of_type(failed) if j.id not in matched)
    for name, pool in pools.items():
        # the pool comes first: when it is empty, zip must not have taken another failed instruction
        for rejected, chosen in zip(_least_used(of_type(pool), used, max_reuse), waiting, strict=False):
            used[rejected.id] += 1
            matched[chosen.id] = _pair(chosen, rejected, chosen.prompts[0], name)
    return matched


def _equal_types(chosen: Sequence[Judged]) -> list[Judged]:
    """The failed instructions in their order, without those that exceed an equal share of their type, rounded up."""
    types = {j.type for j in chosen}
    share = -(-len(chosen) // max(1, len(types)))
    counts = Counter[str]()
    kept = []
    for judged in chosen:
        counts[judged.type] += 1
        if counts[judged.type] <= share:
            kept.append(judged)
    return kept


def _match_prompts(
    failed: Sequence[Judged], passed: Sequence[Judged], used: Counter[str], max_reuse: int
) -> dict[str, Pair]:
    """Pairs within one prompt, by the id of the failed instruction. Each use of a passed instruction is counted in `used`."""
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
    """The pool in rounds: round n gives the instructions that were used at most n times. The caller counts each use."""
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
    """Counts by kind of pairing, and mean lengths of both sides in words, since DPO learns a difference in length first."""
    kinds = Counter(pair.pairing for pair in pairs)
    return {
        "pairs": len(pairs),
        **{name: kinds[name] for name in ("same_prompt", "across_prompts", "earlier_pass")},
        "distinct_rejected": len({pair.rejected_id for pair in pairs}),
        "chosen_words": round(sum(len(words(p.chosen)) for p in pairs) / len(pairs), 3),
        "rejected_words": round(sum(len(words(p.rejected)) for p in pairs) / len(pairs), 3),
    }
