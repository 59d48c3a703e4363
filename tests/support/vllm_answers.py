"""Read requests as JSON from standard input and write vLLM's answers to a file. vLLM's own interpreter runs this script.

python tests/support/vllm_answers.py FOLDER MODEL OUTPUT
{"generate": [[decoding, requests, n, seed], ...], "choose": [requests, options],
 "score": [[folder, model, rows], ...]}; a row has tokens and the place from which their log-probabilities are summed
"""

import dataclasses
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from reversegen.config.models import ModelUse
from reversegen.core.records import Message
from reversegen.engines.base import Decoding, Request
from reversegen.engines.vllm import VllmEngine


def request(fields: dict[str, Any]) -> Request:
    return Request(**fields | {"messages": [Message(**turn) for turn in fields.get("messages", [])]})


def score(folder: Path, model: ModelUse, rows: list[tuple[list[int], int]]) -> list[float]:
    """Scores as `choose` does, for rows that are tokens already."""
    from vllm import SamplingParams

    params = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0, detokenize=False)
    outputs = VllmEngine(folder, model, Decoding(1), 1)._running.ask(
        [tokens for tokens, _ in rows], [params] * len(rows)
    )
    return [
        sum(output.prompt_logprobs[place][tokens[place]].logprob for place in range(start, len(tokens)))
        for (tokens, start), output in zip(rows, outputs, strict=True)
    ]


def main(folder: Path, model: ModelUse, output: Path, asked: dict[str, Any]) -> None:
    """Ask all calls of `generate` at once, in threads, then those of `choose`."""

    def generate(call: tuple[dict[str, Any], list[dict[str, Any]], int, int]) -> Any:
        decoding, requests, n, seed = call
        drawn = VllmEngine(folder, model, Decoding(**decoding), 1).generate([request(r) for r in requests], n, seed)
        return [[dataclasses.astuple(one) for one in several] for several in drawn]

    with ThreadPoolExecutor(VllmEngine.at_once) as pool:
        answers: dict[str, Any] = {"generate": list(pool.map(generate, asked["generate"]))}
    if "choose" in asked:
        requests, options = asked["choose"]
        answers["choose"] = VllmEngine(folder, model, Decoding(4), 1).choose([request(r) for r in requests], options)
    answers["score"] = [score(Path(place), ModelUse(**use), rows) for place, use, rows in asked.get("score", [])]
    output.write_text(json.dumps(answers))


if __name__ == "__main__":
    place, use, written = sys.argv[1:]
    main(Path(place), ModelUse.model_validate_json(use), Path(written), json.load(sys.stdin))
