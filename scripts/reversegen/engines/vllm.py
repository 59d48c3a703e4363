"""The engine that runs a local folder with vLLM, inside the job: no server, no port."""

from __future__ import annotations

import functools
import itertools
import logging
import math
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from reversegen.config.models import Limits, ModelUse, Vllm
from reversegen.core.errors import BadInput
from reversegen.engines.accepted_arguments import unknown_arguments
from reversegen.engines.base import PROMPT_TOO_LONG, Decoding, Generated, Probabilities, Request
from reversegen.engines.chat_templates import folder_stops
from reversegen.engines.conversations import CANNOT_RENDER, Conversations
from reversegen.ids import content_id, hashed_seed
from reversegen.models.folder import adapted, check_folder, weights_identity

log = logging.getLogger("reversegen")


class VllmEngine:
    """vLLM's offline engine on a local folder, or on a LoRA adapter over one. The adapter is not merged.

    Batches from several threads share its steps. Every request has its own seed, so its draw does not depend on the other
    requests under way.
    """

    at_once = 128

    def __init__(self, folder: Path, model: ModelUse, decoding: Decoding, threads: int) -> None:
        check_folder(folder)
        self.folder, self.model, self.decoding = folder, model, decoding
        self.identity = content_id(weights_identity(folder), model.model_dump_json(), repr(decoding))
        self._running = _run(folder, model.model_dump_json(), threads)
        self._tokenizing = threading.Lock()  # a fast tokenizer serves one thread at a time

    @cached_property
    def _conversations(self) -> tuple[Conversations, list[int]]:
        from reversegen.models.loading import load_tokenizer

        tokenizer = load_tokenizer(self.folder, self.model)
        return Conversations(tokenizer, self.model), folder_stops(self.folder, tokenizer)

    def request_texts(self, requests: Sequence[Request]) -> list[str]:
        """The rendered text of each request, and the pattern of its reply. Raises BadInput as the transformers engine does."""
        with self._tokenizing:
            texts = self._conversations[0].texts(requests)
        return [f"{text}\0{request.pattern or ''}" for text, request in zip(texts, requests, strict=True)]

    def generate(self, requests: Sequence[Request], n: int, seed: int) -> list[list[Generated]]:
        """`n` continuations of each request. May be called by `at_once` threads.

        The continuations are invalid if the prompt leaves no room within `max_model_len` or if the chat template refuses it.
        Raises BadInput with vLLM's own message if vLLM does not start or dies.
        """
        with self._tokenizing:
            conversations, stops = self._conversations
            prompts = conversations.prompts(requests)
        renderable = [number for number, prompt in enumerate(prompts) if prompt]
        params = [self._sampling(requests[number], n, hashed_seed(seed, number), stops) for number in renderable]
        outputs = dict(zip(renderable, self._running.ask([p.tokens for p in prompts if p], params), strict=True))
        drawn: list[list[Generated]] = []
        with self._tokenizing:
            for number, prompt in enumerate(prompts):
                output = outputs.get(number)
                if prompt is None or output is None:
                    drawn.append([Generated("", 0, False, PROMPT_TOO_LONG if prompt else CANNOT_RENDER)] * n)
                else:
                    texts = (list(one.token_ids) for one in output.outputs)
                    drawn.append([conversations.continuation(tokens, stops, prompt) for tokens in texts])
        return drawn

    def _sampling(self, request: Request, n: int, seed: int, stops: list[int]) -> Any:
        """vLLM's parameters of one request. A model that thinks gets no pattern, which would leave no room for its thought."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        pattern = None if self.model.thinks else request.pattern
        return SamplingParams(
            n=n,
            max_tokens=self.decoding.max_new_tokens + (self.model.thought_tokens if request.messages else 0),
            temperature=self.decoding.temperature,
            top_p=self.decoding.top_p,
            seed=seed % 2**62 if self.decoding.temperature > 0 else None,  # vLLM counts upwards from the seed
            stop_token_ids=stops,
            structured_outputs=StructuredOutputsParams(regex=pattern) if pattern else None,
            output_kind=RequestOutputKind.FINAL_ONLY,
            detokenize=False,
        )

    def choose(self, requests: Sequence[Request], options: Sequence[Sequence[str]]) -> list[Probabilities]:
        """Sequence probabilities of the options as continuations, normalised over the options of each request.

        A question that does not fit into `max_model_len`, or that the chat template refuses, gets the reason instead. Raises
        BadInput for a model that thinks, and as `generate` does.
        """
        from vllm import SamplingParams

        with self._tokenizing:
            conversations, _ = self._conversations
            prompts = conversations.prompts(requests)
            rows = [
                (prompt, conversations.completed(prompt, request, option))
                for request, prompt, several in zip(requests, prompts, options, strict=True)
                for option in several
                if prompt
            ]
        params = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0, detokenize=False)
        scores: list[float | None] = []
        outputs = self._running.ask([row for _, row in rows], [params] * len(rows))
        for (prompt, row), output in zip(rows, outputs, strict=True):
            tail = range(len(prompt.tokens), len(row))
            scores.append(output and sum(output.prompt_logprobs[place][row[place]].logprob for place in tail))
        next_scores = iter(scores)
        chosen: list[Probabilities] = []
        for prompt_or_none, several in zip(prompts, options, strict=True):
            if prompt_or_none is None:
                chosen.append(CANNOT_RENDER)
                continue
            sums = {option: score for option in several if (score := next(next_scores)) is not None}
            chosen.append(_shares(sums) if len(sums) == len(several) else PROMPT_TOO_LONG)
        return chosen


class _VllmThread:
    """vLLM in a thread that owns it. The thread accepts requests at any time and steps until all of them are answered."""

    def __init__(self, folder: Path, model: ModelUse, threads: int) -> None:
        self.folder, self.model = folder, model
        self._asked: SimpleQueue[tuple[list[int], Any, Future[Any]]] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="vllm", daemon=True)
        self._starting = threading.Lock()
        # Within this process its errors reach us and nothing outlives a kill. torch reads the thread count at import.
        os.environ |= {
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_NO_USAGE_STATS": "1",
            "OMP_NUM_THREADS": str(threads),
        }
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")  # otherwise parallel jobs share the first cores
        os.environ.setdefault("VLLM_HOST_IP", "127.0.0.1")

    def ask(self, prompts: Sequence[list[int]], params: Sequence[Any]) -> list[Any]:
        """vLLM's output for each prompt; None if the prompt does not fit."""
        with self._starting:
            if not self._thread.ident:
                self._thread.start()
        answers: list[Future[Any]] = [Future() for _ in prompts]
        for one in zip(prompts, params, answers, strict=True):
            self._asked.put(one)
        return [answer.result() for answer in answers]

    def _serve(self) -> None:
        waiting: dict[str, Future[Any]] = {}
        try:
            engine = self._open()
            from vllm.inputs import tokens_input
            from vllm.lora.request import LoRARequest

            lora = LoRARequest("adapter", 1, str(self.folder)) if adapted(self.folder) else None
            longest, numbers = engine.model_config.max_model_len, itertools.count()
            while True:
                while not waiting or not self._asked.empty():
                    prompt, params, answer = self._asked.get()
                    if len(prompt) >= longest:
                        answer.set_result(None)
                        continue
                    identity = str(next(numbers))
                    waiting[identity] = answer
                    engine.add_request(identity, tokens_input(prompt), params, lora_request=lora)
                for output in engine.step():
                    if output.finished:
                        waiting.pop(output.request_id).set_result(output)
        except BaseException as error:  # vLLM may call `exit` while it starts
            log.exception("vLLM ended")
            message = " ".join(str(error).split())[:600]
            other = f"{self.folder}: vllm: {type(error).__name__}: {message}"
            fault = error if isinstance(error, BadInput) else BadInput(other)
            for answer in waiting.values():
                answer.set_exception(fault)
            while True:  # every later request fails too
                self._asked.get()[2].set_exception(fault)

    def _open(self) -> Any:
        try:
            from vllm import LLM
            from vllm.platforms import current_platform
        except ImportError as error:
            raise BadInput(
                f"vLLM is not installed in {sys.executable}; name an interpreter that has it in config.yaml, "
                "`python: {generate: …}`, or write `engine: transformers` for the model in config/models.yaml"
            ) from error
        from reversegen.models.rounding import folder_in, in_float32

        dtype: Any = self.model.dtype
        if dtype == "auto" and in_float32(self.folder):  # vLLM runs it in 16 bits anyway, rounded to nearest
            dtype = str(current_platform.supported_dtypes[0]).removeprefix("torch.")
        arguments = (self.model.vllm or Vllm()).model_dump(exclude_none=True)
        if unknown := unknown_arguments(arguments):
            raise BadInput(f"{self.folder}: {unknown}; correct the model's entry in config/models.yaml")
        if current_platform.is_cpu():
            # a prompt in two chunks undoes a draw, which a CPU generator cannot do (vLLM 0.32.0)
            arguments["enable_chunked_prefill"] = False
        with folder_in(self.folder, dtype) as place:
            if adapter := adapted(place):
                place, rank = adapter
                # vLLM accepts only certain ranks, such as these powers of two
                arguments |= {"enable_lora": True, "max_lora_rank": max(8, 1 << (rank - 1).bit_length())}
            llm = LLM(model=str(place), dtype=dtype, enable_prefix_caching=True, **arguments)
        return llm.llm_engine


@functools.cache
def _run(folder: Path, model: str, threads: int) -> _VllmThread:
    """The one vLLM of a folder, however many decodings a job has: a second would find no free memory. `model` is JSON."""
    return _VllmThread(folder, ModelUse.model_validate_json(model), threads)


def _shares(logarithms: dict[str, float]) -> dict[str, float]:
    top = max(logarithms.values())
    weights = {option: math.exp(value - top) for option, value in logarithms.items()}
    return {option: weight / sum(weights.values()) for option, weight in weights.items()}


def open_engine(
    model: ModelUse, folder: Path | None, decoding: Decoding, threads: int, calls: Path | None, limits: Limits | None
) -> VllmEngine:
    """The engine of a model's folder. `calls` and `limits` are for endpoints only."""
    assert folder is not None
    return VllmEngine(folder, model, decoding, threads)
