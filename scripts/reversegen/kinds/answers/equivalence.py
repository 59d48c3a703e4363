r"""Whether two final answers are equal.

Equality has two steps. Numbers, with their units, and lists, ranges, ratios and times are read (`exact`) and compared
as exact fractions (`same`). Everything else goes to math-verify (https://github.com/huggingface/Math-Verify, read at
0.9.0), which parses LaTeX with a grammar and evaluates nothing as Python. Some short answers, such as `9^{9^{9}}`, keep it
busy for ever: it runs in a process of its own, this module started with `-m`, under limits that the kernel enforces::

    with Checker() as checker:
        checker.equal(r"\frac{\sqrt{4}}{4}", "0.5")             True

What counts as equal, in both steps and in either order of the two:

- Nothing is rounded. 0.333333 is not 1/3, and 6.283185307 is not 2\pi; `\approx 18` is 18. The paper rounds nothing either:
  it compares the texts of answers, after cutting a decimal's final zeros (its code's `eval.py`).
- What has more than one meaning is undecidable, and so is what holds a unit, a currency or a sign that is not known: `18 kr`,
  `15k`, `18!` and `3:2` beside 18. Texts that are no answers, such as "...", "?" or an empty box, equal nothing, not even
  each other.
- Digits of any script are digits, and a dash before a number is a minus. Quotation marks, brackets around one number, `=` or
  `≈` before an answer and a comma or full stop after it say nothing, nor does a remark in words after a number:
  18 (eighteen) is 18, and 18 (twelve) is undecidable.
- 25% is 25% and 25, since questions ask "how many per cent", and it is 0.25. It is not 2500, and 0.25 is not 25.
- A unit on one side only says nothing. Two units of a kind are converted, so that 5 km is 5000 m and 20 °C is 68 °F; two of
  different kinds differ, and so do two currencies. Other words after a number, in any language, are what is counted: 12
  zebras is 12; 12 zebras and 12 lions is undecidable. 20° may be 20 °C.
- A million, a dozen, a lakh or 万 multiplies; `k` and `M` do so after a currency sign alone.
- Thousands are separated by commas, spaces, apostrophes or underscores; by full stops if there are two, or a comma after
  them: 1.234.567 and 1.234,50, but 1.234 is 1.234. A comma before groups of three digits is a thousands separator. Between
  brackets it is one only where other commas have a space after them or where a group begins with zero: (1,000) is 1000,
  (100,200) is a pair, (1,000, 2,000) is a pair. Indian groups, as in 12,34,567, count after a currency sign or with a zero.
- (a, b) and [a, b] are ordered; a closed end is not an open one. \{a, b\} and a bare list are sets, where order and
  repetition say nothing. A bare list beside brackets has its order: 1, 2 is (1, 2) and not (2, 1). \{5\} is 5.
- `3 or -3` and `\pm 3` are lists. 10-12 and `10 to 12` are a range, equal to the same range only; beside its difference a
  hyphen is undecidable, since it may be a minus.
- `3,14` beside a number is undecidable: a list to some, a decimal to others.
- `x = 5` is 5, and `x = 5, y = 3` is (5, 3) and not (3, 5); names of another order than the alphabet's are undecidable beside
  a tuple of another order. Two names differ if their values do, and are undecidable if not.
- 3:2 is 3:2 and not 2:3. 3:30 PM is 3:30 and 15:30, and not 3:30 AM. 1011_2 is 1011, since questions name the base, and it
  is 11_{10}; beside a bare 11 it is undecidable.
- Words are compared without regard to case. Two different words differ, unless their scripts do. Words beside a number are
  undecidable, be they "three" or "cannot be determined"; so is any other prose, unless both sides are the same.
- What has letters or roots in it is equal where math-verify says so. It is different where math-verify says so, unless one of
  the two may be an option with its text, as `(B) 12`, or something else that is not understood.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, cast

from reversegen.kinds.answers.exact import latex, read
from reversegen.kinds.answers.plain import is_answer, is_doubtful, same_words, words
from reversegen.kinds.answers.same import same

_SHARE = 0.8
"""Of a question's time: what math-verify has of it. The rest is for ending it and for the way there and back."""

_FIRST = [
    ("x^2 + 1", "1 + x^2"),
    (r"\frac{157}{50}", r"\pi"),
    (r"(\frac{1}{2}, \pi)", r"(\sqrt{2}, \pi)"),
    ("x = 5", "5"),
]

LONGEST_ANSWER = 1000
"""In characters. Whether a longer text equals another is undecidable, without asking the worker."""


class Checker:
    """Decides whether answers are equal; a context manager, because it may own a process.

    That worker starts with the first question that needs it, which takes about a second, and answers one at a time; do not
    share it among threads. `timeout` is the seconds of the processor after which a question is undecidable, the worker's
    start left out. `memory` is the address space in bytes of the process that answers, of which a question may take half;
    math-verify 0.9.0 takes 65 to 75 MB for common questions. Linux only.
    """

    def __init__(self, timeout: float = 1.0, memory: int = 224 * 2**20) -> None:
        self._limits = (str(timeout), str(memory))
        self._worker: subprocess.Popen[bytes] | None = None
        self._asked = 0

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def equal(self, answer: str, reference: str) -> bool | None:
        """Whether an answer equals the reference; None if that cannot be decided.

        Undecidable is what the policy above says, what math-verify cannot parse, what takes it past a limit or makes it
        fail, and what is longer than LONGEST_ANSWER.
        Raises RuntimeError if the worker does not start, as when math-verify is not installed.
        """
        if max(len(answer), len(reference)) > LONGEST_ANSWER:
            return None
        given, expected = read(answer), read(reference)
        if given and expected:
            return same(given, expected)
        if not (is_answer(answer) and is_answer(reference)):
            return None
        prose = (None if given else words(answer), None if expected else words(reference))
        if any(prose):
            return same_words(*prose)
        verdict = self._ask(latex(answer), latex(reference))
        return None if verdict is False and is_doubtful(answer, reference) else verdict

    def _ask(self, answer: str, reference: str) -> bool | None:
        if self._worker is None or self._worker.poll() is not None:
            self._stop()
            self._worker = self._start()
        assert self._worker.stdin and self._worker.stdout
        self._asked += 1
        question = json.dumps({"number": self._asked, "answer": answer, "reference": reference})
        reply: dict[str, bool | int | None] = {}
        try:
            with contextlib.suppress(BrokenPipeError):
                self._worker.stdin.write(question.encode() + b"\n")
            for line in iter(self._worker.stdout.readline, b""):
                reply = json.loads(line)
                if reply["number"] in (None, self._asked):
                    break
        finally:
            if not reply:  # it died, or we were interrupted: its late reply must not answer the next question
                self._stop()
        return cast(bool | None, reply.get("equal"))

    def _start(self) -> subprocess.Popen[bytes]:
        # `-m` puts the working folder first on the path: the worker finds this package wherever its parent found it.
        worker = subprocess.Popen(
            [sys.executable, "-m", "reversegen.kinds.answers.equivalence", *self._limits],
            cwd=Path(__file__).resolve().parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            process_group=0,
        )
        if not (worker.stdout and worker.stdout.readline()):
            with worker:
                message = f"math-verify did not start in {sys.executable} with timeout and memory {self._limits}"
            raise RuntimeError(f"{message}: exit status {worker.returncode}, its own message stands above")
        return worker

    def _stop(self) -> None:
        if self._worker:
            with self._worker, contextlib.suppress(ProcessLookupError):
                os.killpg(self._worker.pid, signal.SIGKILL)
        self._worker = None


def _serve(timeout: float, memory: int, questions: IO[str], replies: IO[str]) -> None:
    """The worker: load math-verify, say so, and answer questions, one JSON object a line, until there are no more.

    Its child answers. One that a limit ends, or that gives up, is replaced by another in milliseconds, since what takes a
    second is to load math-verify; the worker itself replies that the question has no verdict, by the number null.
    """
    from math_verify import LatexExtractionConfig, parse, verify  # type: ignore[import-untyped]
    from sympy import nan, zoo  # type: ignore[import-untyped]

    def verdict(answer: str, reference: str) -> bool | None:
        # Only LaTeX: math-verify's plain expressions would read 9**9**9 as 9, and text outside dollar signs it judges worse
        # (35 of 62 pairs right, not 54).
        gold, given = (
            parse(f"${text}$", [LatexExtractionConfig()], "no_fallback", parsing_timeout=None)
            for text in (reference, answer)
        )
        if (
            not gold or not given or any(one.has(nan, zoo) for one in (*gold, *given))
        ):  # 1/0 equals nothing, itself neither
            return None
        try:
            return bool(verify(gold, given, timeout_seconds=None, raise_on_error=True))
        except Exception:
            return None

    def answer_questions() -> None:
        # math-verify takes a failed allocation for "not equal": no verdict is trusted that took half of the limit.
        while question := questions.readline():
            # Of the processor: a wall clock would let what else the machine does decide a verdict. The default action of this
            # signal ends the process, in C code too.
            signal.setitimer(signal.ITIMER_PROF, timeout * _SHARE)
            asked = json.loads(question)
            reply = {"number": asked["number"], "equal": verdict(asked["answer"], asked["reference"])}
            signal.setitimer(signal.ITIMER_PROF, 0)
            if _peak_memory() > memory / 2:
                os._exit(1)
            print(json.dumps(reply), file=replies, flush=True)

    for answer, reference in _FIRST:  # no question shall pay for what loads at the first of its kind
        verdict(answer, reference)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGPROF, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reply: dict[str, None] = {}
    while _peak_memory() < memory / 2:
        print(json.dumps(reply), file=replies, flush=True)
        child = os.fork()
        if not child:
            answer_questions()
            os._exit(0)
        if not os.waitpid(child, 0)[1]:
            break
        reply = {"number": None, "equal": None}


def _peak_memory() -> int:
    """The largest address space of this process so far, in bytes; `ru_maxrss` would count its parent's before exec."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmPeak"].removesuffix("kB")) * 1024


if __name__ == "__main__":
    channels = (sys.stdin, sys.stdout)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        _serve(float(sys.argv[1]), int(sys.argv[2]), *channels)
