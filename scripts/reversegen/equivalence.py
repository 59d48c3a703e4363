r"""Final answers of math responses: extraction, and whether two of them are equal.

Equality has two tiers. Plain numbers are compared as exact fractions, here. Everything else goes to math-verify
(https://github.com/huggingface/Math-Verify, read at 0.9.0), which parses LaTeX with a grammar and evaluates nothing as
Python. Some short answers, such as `9^{9^{9}}`, keep it busy for ever: it runs in a process of its own, this module
started with `-m`, under limits that the kernel enforces::

    final_answer("3 * 4 = 12, and 12 + 5 = 17. #### 17")        "17"
    exact_value("$1,234.50")                                    Fraction(2469, 2)
    with Checker() as checker:
        checker.equal(r"\frac{\sqrt{4}}{4}", "0.5")             True
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import IO

LONGEST_NUMBER, LONGEST_ANSWER = 64, 1000
"""In characters. A longer text has no exact value, or is undecidable without asking the worker."""

_READABLE = str.maketrans({"\u2212": "-"} | dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", ""))
"""The typographic minus becomes a hyphen; characters without width vanish."""

_SPECIAL_TOKEN = re.compile(r"<\|\w+\|>|</s>")
_BRACE = re.compile(r"\\[{}]|\\(?:boxed|fbox)\s*\{|[{}]")
_INTEGER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_LOOSE_NUMBER = re.compile(
    rf"(?:(?<![\w)])[-+])?(?:\\?\$[-+]?)?(?:{_INTEGER}(?:\.\d+|/{_INTEGER})?|(?<![\d.])\.\d+)", re.ASCII
)
_EXACT_NUMBER = re.compile(rf"\$?\s*([-+]?)\$?({_INTEGER}(?:\.\d+)?|\.\d+)(?:\s*/\s*({_INTEGER}))?\s*\$?", re.ASCII)


def final_answer(text: str, *, strict: bool = False) -> str | None:
    r"""The final answer of a response, or None where there is none; takes time linear in the text's length.

    It is the first line after the last `####` (as in GSM8K, https://github.com/openai/grade-school-math) or the content
    of the last closed `\boxed{}` or `\fbox{}` (as in MATH, https://github.com/hendrycks/math), whichever stands later.
    Where there is neither and not `strict`, it is the last number. A chat template's special token ends a line, and the
    line loses a final full stop.
    """
    text = _SPECIAL_TOKEN.sub("\n", text.translate(_READABLE))
    head, mark, tail = text.rstrip("# \r\n\t").rpartition("####")
    line = tail.strip().partition("\n")[0].rstrip().removesuffix(".") if mark else ""
    for _, answer in sorted([(len(head), line), _last_box(text)], reverse=True):
        if answer.strip():
            return answer.strip()
    numbers = [] if strict else _LOOSE_NUMBER.findall(text)
    return re.sub(r"[\\$]", "", numbers[-1]) if numbers else None


def _last_box(text: str) -> tuple[int, str]:
    """The position and content of the closed box that opens last, (0, "") where there is none."""
    opened: list[int] = []  # where the content of each open box starts, 0 for a plain brace
    box = (0, "")
    for brace in _BRACE.finditer(text):
        if brace[0] == "}":
            start = opened.pop() if opened else 0
            if start > box[0]:
                box = (start, text[start : brace.start()])
        elif brace[0] not in (r"\{", r"\}"):
            opened.append(0 if brace[0] == "{" else brace.end())
    return box


def exact_value(answer: str) -> Fraction | None:
    """The value of an integer, a decimal or a fraction a/b, None for anything else.

    Thousands separators in groups of three digits, a dollar sign before, a full stop after and `$...$` around it all
    are allowed. Nothing is rounded: 0.333333 is not 1/3. A text of more than LONGEST_NUMBER characters has no value.
    """
    if len(answer) > LONGEST_NUMBER:
        return None
    match = _EXACT_NUMBER.fullmatch(answer.translate(_READABLE).strip().removesuffix("."))
    if not match:
        return None
    denominator = int((match[3] or "1").replace(",", ""))
    return Fraction((match[1] + match[2]).replace(",", "")) / denominator if denominator else None


class Checker:
    """Decides whether answers are equal; a context manager, because it may own a process.

    That worker starts with the first question that needs it and answers one at a time; do not share it among threads.
    `timeout` is the wall-clock seconds that a question may take, the worker's start left out. `memory` is the worker's
    address space in bytes, of which a question may take half; math-verify 0.9.0 takes 65 to 75 MB for common questions.
    A worker that reaches a limit ends, and the next question waits about a second for a new one. Linux only.
    """

    def __init__(self, timeout: float = 1.0, memory: int = 2**30) -> None:
        self._limits = (str(timeout), str(memory))
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def equal(self, answer: str, reference: str) -> bool | None:
        """Whether an answer equals the reference; None where that cannot be decided.

        Undecidable is what math-verify cannot parse, what takes it past a limit or makes it fail, and what is longer
        than LONGEST_ANSWER. Where it meets a decimal it compares six decimals, so that `2\\pi` equals 6.283185.
        Raises RuntimeError where the worker does not start, as when math-verify is not installed.
        """
        given, expected = exact_value(answer), exact_value(reference)
        if given is not None and expected is not None:
            return given == expected
        if max(len(answer), len(reference)) > LONGEST_ANSWER:
            return None
        if self._worker is None or self._worker.poll() is not None:
            self._stop()
            self._worker = self._start()
        assert self._worker.stdin and self._worker.stdout
        question = json.dumps({"answer": answer, "reference": reference})
        reply = b""
        try:
            with contextlib.suppress(BrokenPipeError):
                self._worker.stdin.write(question.encode() + b"\n")
            reply = self._worker.stdout.readline()
        finally:
            if not reply:  # it died, or we were interrupted: its late reply must not answer the next question
                self._stop()
        verdict: bool | None = json.loads(reply)["equal"] if reply else None
        return verdict

    def _start(self) -> subprocess.Popen[bytes]:
        # `-m` puts the working folder first on the path: the worker finds this package wherever its parent found it.
        worker = subprocess.Popen(
            [sys.executable, "-m", "reversegen.equivalence", *self._limits],
            cwd=Path(__file__).resolve().parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        if not (worker.stdout and worker.stdout.readline()):
            with worker:
                message = f"math-verify did not start in {sys.executable} with timeout and memory {self._limits}"
            raise RuntimeError(f"{message}: exit status {worker.returncode}, its own message stands above")
        return worker

    def _stop(self) -> None:
        if self._worker:
            with self._worker:
                self._worker.kill()
        self._worker = None


def _serve(timeout: float, memory: int, questions: IO[str], replies: IO[str]) -> None:
    """The worker: load math-verify, say so, answer questions until they or its memory end; one JSON object a line."""
    from math_verify import LatexExtractionConfig, parse, verify  # type: ignore[import-untyped]

    def verdict(answer: str, reference: str) -> bool | None:
        # Only LaTeX: math-verify's plain expressions would read 9**9**9 as 9. Text outside dollar signs it judges worse
        # (35 of 62 pairs right, not 54), and a dollar sign inside would end the formula.
        texts = [" ".join(re.sub(r"\\?\$", "", text).split()) for text in (reference, answer)]
        gold, given = (parse(f"${t}$", [LatexExtractionConfig()], "no_fallback", parsing_timeout=None) for t in texts)
        try:
            return bool(verify(gold, given, timeout_seconds=None, raise_on_error=True)) if gold and given else None
        except Exception:
            return None

    verdict("x^2 + 1", "1 + x^2")  # no question shall pay for what loads at the first
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGALRM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    reply: dict[str, bool | None] = {}
    # math-verify takes a failed allocation for "not equal": no verdict is trusted that took half of the limit.
    while _peak_memory() < memory / 2:
        print(json.dumps(reply), file=replies, flush=True)
        question = questions.readline()
        if not question:
            break
        signal.setitimer(signal.ITIMER_REAL, timeout)  # its default action ends the process, in C code too
        reply = {"equal": verdict(**json.loads(question))}
        signal.setitimer(signal.ITIMER_REAL, 0)


def _peak_memory() -> int:
    """The largest address space of this process so far, in bytes; `ru_maxrss` would count its parent's before exec."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmPeak"].removesuffix("kB")) * 1024


if __name__ == "__main__":
    channels = (sys.stdin, sys.stdout)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        _serve(float(sys.argv[1]), int(sys.argv[2]), *channels)
