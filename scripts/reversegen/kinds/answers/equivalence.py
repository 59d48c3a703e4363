r"""Whether two final answers are equal.

The decision has two steps. `exact` reads numbers with their units, lists, ranges, ratios and times, and `same` compares them
as exact fractions. Everything else goes to math-verify (https://github.com/huggingface/Math-Verify, read at 0.9.0), which
parses LaTeX with a grammar and evaluates nothing as Python. Some short answers, such as `9^{9^{9}}`, keep it busy forever.
So it runs in a separate process, which is this module started with `-m`, under limits that the kernel enforces::

    with Checker() as checker:
        checker.equal(r"\frac{\sqrt{4}}{4}", "0.5")             True

The policy, for both steps and for either order of the two answers:

- Nothing is rounded. 0.333333 is not 1/3, and 6.283185307 is not 2\pi; `\approx 18` is 18. The paper does not round
  either: it compares the texts of answers after it removes the final zeros of decimals (`eval.py` of its code).
- An answer with more than one meaning is undecidable, and so is one with an unknown unit, currency or sign: `18 kr`, `15k`,
  `18!` and `3:2` compared with 18. Texts that are not answers, such as "...", "?" or an empty box, equal nothing, not even
  each other.
- Digits of any script are digits, and a dash before a number is a minus. These make no difference: quotation marks, brackets
  around one number, `=` or `≈` before an answer, a comma or full stop after it, and a remark that spells the number:
  18 (eighteen) is 18, but 18 (twelve) is undecidable.
- 25% equals 25%, 25 (because questions ask "how many per cent") and 0.25, but not 2500. 0.25 does not equal 25.
- A unit on only one side is ignored. Two units of one kind are converted: 5 km is 5000 m, and 20 °C is 68 °F. Units of
  different kinds differ, and so do two currencies. Other words after a number, in any language, name the things that are
  counted: 12 zebras is 12, but 12 zebras compared with 12 lions is undecidable. 20° may be 20 °C.
- A million, a dozen, a lakh or 万 multiplies the number; `k` and `M` do so only after a currency sign.
- Commas, spaces, apostrophes and underscores separate thousands. Full stops do so if there are two, or if a comma follows
  them: 1.234.567 and 1.234,50, but 1.234 is a decimal. A comma before groups of three digits separates thousands. Between
  brackets it does so only if other commas have a space after them or a group begins with zero: (1,000) is 1000,
  (100,200) is a pair, (1,000, 2,000) is a pair. Indian groups, as in 12,34,567, count after a currency sign or with a zero.
- (a, b) and [a, b] are ordered, and a closed end differs from an open end. \{a, b\} and a bare list are sets, so their order
  and repetitions are ignored. Compared with brackets, a bare list is ordered: 1, 2 is (1, 2) and not (2, 1). \{5\} is 5.
- `3 or -3` and `\pm 3` are lists. 10-12 and `10 to 12` are a range, which equals the same range only. Compared with
  the difference of its ends, a hyphen is undecidable because it may be a minus.
- `3,14` compared with a number is undecidable, because some read it as a list and others as a decimal.
- `x = 5` is 5, and `x = 5, y = 3` is (5, 3) and not (3, 5). If the names are not in alphabetical order, a tuple in another
  order is undecidable. Two different names with different values differ; with equal values they are undecidable.
- 3:2 is 3:2 and not 2:3. 3:30 PM is 3:30 and 15:30, and not 3:30 AM. 1011_2 is 1011, because questions name the base, and it
  is 11_{10}; compared with a bare 11 it is undecidable.
- Words are compared without regard to case. Two different words differ if they are of one script. Words compared with a
  number are undecidable, both "three" and "cannot be determined". So is any other prose, unless both sides are the same.
- Answers with letters or roots are equal if math-verify finds them equal. They differ if math-verify finds them different,
  unless one of them may be an option with its text, such as `(B) 12`, or something else that is not understood.
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
"""Share of a question's time limit that math-verify gets. The rest is for ending it and for passing question and reply."""

_FIRST = [
    ("x^2 + 1", "1 + x^2"),
    (r"\frac{157}{50}", r"\pi"),
    (r"(\frac{1}{2}, \pi)", r"(\sqrt{2}, \pi)"),
    ("x = 5", "5"),
]

LONGEST_ANSWER = 1000
"""In characters. A longer text is undecidable, and the worker is not asked."""


class Checker:
    """Decides whether answers are equal. It is a context manager, because it may own a worker process.

    The worker starts with the first question that needs it, which takes about a second. It answers one question at a time,
    so do not share a Checker among threads. `timeout` is in seconds of processor time, without the start of the worker; a
    question that takes longer is undecidable. `memory` is the address space in bytes of the process that answers; a question
    may take half of it, and math-verify 0.9.0 takes 65 to 75 MB for common questions. Linux only.
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

        A pair is undecidable if the policy above says so, if one text is longer than LONGEST_ANSWER, or if math-verify cannot
        parse it, exceeds a limit or fails on it. Raises RuntimeError if the worker does not start, for example because
        math-verify is not installed.
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
            if not reply:  # it died or was interrupted: a late reply must not answer the next question
                self._stop()
        return cast(bool | None, reply.get("equal"))

    def _start(self) -> subprocess.Popen[bytes]:
        # `-m` puts the working folder first on the path, so the worker imports the same package as its parent.
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
            raise RuntimeError(
                f"{message}: exit status {worker.returncode}; its own message is above; is it installed?"
            )
        return worker

    def _stop(self) -> None:
        if self._worker:
            with self._worker, contextlib.suppress(ProcessLookupError):
                os.killpg(self._worker.pid, signal.SIGKILL)
        self._worker = None


def _serve(timeout: float, memory: int, questions: IO[str], replies: IO[str]) -> None:
    """The worker: load math-verify, report that it is ready, and answer questions until they end, one JSON object a line.

    A forked child answers. If a limit ends the child, or the child gives up, the worker replies that the question has no
    verdict, with the number null, and forks another child. That takes milliseconds; only loading math-verify takes a second.
    """
    from math_verify import LatexExtractionConfig, parse, verify  # type: ignore[import-untyped]
    from sympy import nan, zoo  # type: ignore[import-untyped]

    def verdict(answer: str, reference: str) -> bool | None:
        # Only LaTeX: as a plain expression math-verify would read 9**9**9 as 9, and without dollar signs it judges worse
        # (35 of 62 pairs right instead of 54).
        gold, given = (
            parse(f"${text}$", [LatexExtractionConfig()], "no_fallback", parsing_timeout=None)
            for text in (reference, answer)
        )
        if (
            not gold or not given or any(one.has(nan, zoo) for one in (*gold, *given))
        ):  # 1/0 equals nothing, not even itself
            return None
        try:
            return bool(verify(gold, given, timeout_seconds=None, raise_on_error=True))
        except Exception:
            return None

    def answer_questions() -> None:
        # math-verify reports "not equal" if an allocation fails, so a verdict that took half of the limit is not trusted.
        while question := questions.readline():
            # Processor time: with a wall clock, other load on the machine could decide a verdict. The default action of this
            # signal ends the process, also within C code.
            signal.setitimer(signal.ITIMER_PROF, timeout * _SHARE)
            asked = json.loads(question)
            reply = {"number": asked["number"], "equal": verdict(asked["answer"], asked["reference"])}
            signal.setitimer(signal.ITIMER_PROF, 0)
            if _peak_memory() > memory / 2:
                os._exit(1)
            print(json.dumps(reply), file=replies, flush=True)

    for answer, reference in _FIRST:  # loads what math-verify loads at the first question of a kind
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
    """The largest address space of this process so far, in bytes. `ru_maxrss` would include the parent's before exec."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmPeak"].removesuffix("kB")) * 1024


if __name__ == "__main__":
    channels = (sys.stdin, sys.stdout)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        _serve(float(sys.argv[1]), int(sys.argv[2]), *channels)
