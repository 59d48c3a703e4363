"""The engine of endpoints beside a bare asyncio client, its memory, and the cost of faults.

The tests' own server runs in a separate process and answers after 20 ms, as far as two cores allow. A bare client is the
`openai` package's, or httpx2 alone, with one task for each request that may be under way. It keeps no answer and repeats no
request.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from tests.benchmarks.timing import value_row
from tests.support.endpoint_server import FAULTS, KEY

from reversegen.engines.endpoint.call_log import calls_folder

JOB = Path(__file__).parents[1] / "support/endpoint_job.py"
RATE, MEMORY = 1 / 0.9, 1.1
"""Limits: time of a request over a bare client's, and memory of many requests over that of few."""
ROUNDS = 5
COUNTS = (1_000, 100_000)
SIZES = {1: 100, 16: 1600, 64: 6400}
"""Requests at each concurrency: a hundred per slot, so that opening a connection costs little in comparison."""


def measure() -> list[dict[str, Any]]:
    """Rows of speed, memory and faults. The table of faults is printed."""
    os.environ["REVERSEGEN_TEST_KEY"] = KEY
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*_speed(folder), _memory(folder), *_faults(folder)]


def _speed(folder: Path) -> Iterator[dict[str, Any]]:
    for against, bare in (("openai.AsyncOpenAI", _bare_openai), ("httpx2.AsyncClient", _bare_httpx)):
        for concurrency, requests in SIZES.items():
            ratios = []
            with _server("--delay", "0.02") as (port, _):
                for number in range(ROUNDS):
                    output = folder / f"{against} {concurrency} {number}.jsonl"
                    ours = _end(_start_job(port, output, requests, concurrency, "--alone"))["seconds"]
                    theirs = asyncio.run(bare(f"http://127.0.0.1:{port}/v1", requests, concurrency))
                    ratios.append(ours / theirs)
                    if number == 0:
                        print(
                            f"{against}, {concurrency} at once: {requests / ours:.0f} and {requests / theirs:.0f} a second"
                        )
            yield value_row(f"endpoint, time, {concurrency} at once", against, f"{requests} requests", ratios, RATE)


def _memory(folder: Path) -> dict[str, Any]:
    """Peak memory of a process that asks. The questions are made as they are asked."""
    with _server() as (port, _):
        few, many = (
            _end(_start_job(port, folder / f"{count}.jsonl", count, 64, "--alone"))["megabytes"] for count in COUNTS
        )
    size = f"{COUNTS[0]} requests, {few:.0f} MB, and {COUNTS[1]}, {many:.0f} MB"
    return value_row("endpoint, memory", "itself with fewer requests", size, [many / few], MEMORY)


def _faults(folder: Path) -> Iterator[dict[str, Any]]:
    """Of 400 requests, the number without an answer, and the number asked again although their answer was kept.

    Every tenth request meets a fault once, or the server or the job is killed once; requests under way are then asked again.
    """
    print("| fault | requests sent | answers kept | lost | asked twice | under way at the kill |")
    print("|---|---|---|---|---|---|")
    for fault in (*FAULTS, "server killed", "job killed"):
        output, log = folder / f"{fault}.jsonl", folder / f"{fault}.log"
        words = ["--log", str(log), "--slow", "8", "--delay", "0.02"]
        if fault in FAULTS:
            words += ["--faults", fault, "--every", "10"]
        under_way = 0
        with _server(*words) as (port, server):
            job = _start_job(port, output, 400, 16, "--timeout=6")
            if fault not in FAULTS:
                while not log.exists() or _lines(log) < 150:
                    time.sleep(0.01)
                killed = server if fault == "server killed" else job
                killed.kill()
                killed.wait()
                under_way = _lines(log) - sum(_kept(output).values())
            if fault == "job killed":
                job = _start_job(port, output, 400, 16, "--timeout=6")
            if fault == "server killed":
                time.sleep(1)
                with _server(*words, "--port", str(port)):
                    _end(job)
            else:
                _end(job)
        counts = _kept(output)
        lost, twice = 400 - len(counts), sum(counts.values()) - len(counts)
        print(f"| {fault} | {_lines(log)} | {len(counts)} | {lost} | {twice} | {under_way or ''} |")
        yield value_row(
            f"endpoint, lost or asked twice, {fault}", "no answer", "400 requests", [float(lost + twice)], 0.0
        )


async def _bare_openai(url: str, requests: int, concurrency: int) -> float:
    async with openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client:

        async def ask(number: int) -> None:
            await client.chat.completions.create(**_body(number))

        return await _together(ask, requests, concurrency)


async def _bare_httpx(url: str, requests: int, concurrency: int) -> float:
    most = httpx2.Limits(max_connections=None, max_keepalive_connections=concurrency)
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, limits=most, timeout=60) as client:

        async def ask(number: int) -> None:
            reply = await client.post(f"{url}/chat/completions", json=_body(number))
            reply.json()

        return await _together(ask, requests, concurrency)


async def _together(ask: Callable[[int], Awaitable[None]], requests: int, concurrency: int) -> float:
    """Seconds for all requests, with the given number at once."""
    numbers = iter(range(requests))

    async def worker() -> None:
        for number in numbers:
            await ask(number)

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return time.perf_counter() - start


def _body(number: int) -> dict[str, Any]:
    turn = {"role": "user", "content": f"question {number}"}
    return {"model": "some-model", "messages": [turn], "max_tokens": 8, "temperature": 0.0, "top_p": 1.0, "n": 1}


@contextlib.contextmanager
def _server(*words: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "tests.support.endpoint_server", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline()), process
        finally:
            process.kill()


def _start_job(port: int, output: Path, questions: int, concurrency: int, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(JOB), f"http://127.0.0.1:{port}/v1", str(output), f"--questions={questions}"]
    command += [f"--concurrency={concurrency}", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _end(job: subprocess.Popen[str]) -> dict[str, float]:
    """The numbers that a job prints at its end."""
    output, _ = job.communicate()
    if job.returncode:
        sys.exit("the job that asks the endpoint failed")
    numbers: dict[str, float] = json.loads(output)
    return numbers


def _lines(log: Path) -> int:
    return len(log.read_text().splitlines())


def _kept(output: Path) -> Counter[str]:
    """How often each request has an answer on disk."""
    lines = (line for path in calls_folder(output).glob("*.jsonl") for line in path.read_text().splitlines())
    calls = (json.loads(line) for line in lines if line.endswith("}"))
    return Counter(call["key"] for call in calls if call["choices"] is not None)
