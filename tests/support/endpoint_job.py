"""A job that asks an endpoint many questions, to be killed or measured: python tests/support/endpoint_job.py --help

It answers through `loop.answering`, including batches, threads and kept calls, and prints seconds and peak memory as JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from tests.support.settings import answer_settings

from reversegen.config.models import Endpoint, Limits
from reversegen.config.task import KindUse
from reversegen.core.records import Message
from reversegen.engines.base import Decoding, Request
from reversegen.engines.endpoint import batch_api
from reversegen.engines.endpoint.call_log import calls_folder
from reversegen.engines.openai import OpenAIEngine
from reversegen.kinds import open_kind
from reversegen.loop.answering import answer_questions

THREADS, BATCH = 4, 256
"""For the engine alone. It sends as many requests at once as 64 threads with batches of 16, with no wait between batches."""


def main(url: str, output: Path, questions: int, limits: Limits, batch_size: int, alone: bool) -> None:
    """Answer `question 0`, `question 1`, and so on. If `alone`, use only the engine, after an untimed first call."""
    endpoint = Endpoint(base_url=url, model="some-model", api_key_env="REVERSEGEN_TEST_KEY")
    engine = OpenAIEngine(endpoint, limits, Decoding(8), calls_folder(output))
    kind = open_kind(KindUse(name="math"))
    if alone:
        engine.generate(_requests(["ready ?"]), 1, 0)
    start = time.perf_counter()
    if alone:

        def ask(first: int) -> None:
            batch = range(first, min(first + BATCH, questions))
            engine.generate(_requests([f"question {n}" for n in batch]), 1, 0)

        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(ask, range(0, questions, BATCH)):
                pass
    else:
        asked = [(f"id {n}", f"question {n}") for n in range(questions)]
        answer_questions(output, asked, engine, kind, answer_settings(None, batch_size), 1, ())
    seconds = time.perf_counter() - start
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": seconds, "megabytes": megabytes}))


def _requests(questions: list[str]) -> list[Request]:
    return [Request(messages=[Message(role="user", content=question)]) for question in questions]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("output", type=Path)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--mode", default="online")
    parser.add_argument("--timeout", type=float, default=60.0)
    parser.add_argument("--quiet", type=float, default=batch_api.QUIET, help="seconds before a batch is sent")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--alone", action="store_true")
    arguments = parser.parse_args()
    batch_api.QUIET = arguments.quiet
    if arguments.verbose:
        logging.basicConfig(level=logging.INFO)
    limits = Limits(concurrency=arguments.concurrency, mode=arguments.mode, poll=0.2, timeout=arguments.timeout)
    main(arguments.url, arguments.output, arguments.questions, limits, arguments.batch_size, arguments.alone)
