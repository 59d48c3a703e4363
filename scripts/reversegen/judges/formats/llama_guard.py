"""Llama Guard: a line `safe`, or a line `unsafe` and a line of categories, S1 to S11 (2) or S1 to S14 (3, 4).

https://huggingface.co/meta-llama/Meta-Llama-Guard-2-8B, Llama-Guard-3-8B, Llama-Guard-4-12B
"""

from __future__ import annotations

import re
from functools import partial

from reversegen.judges.formats.base import JudgeFormat, Opinion, invalid_opinion, read_whole, turns

_UNSAFE = re.compile(r"unsafe[ \t]*\r?\n[ \t\r\n]*(S[0-9]{1,2}(?:[ \t]*,[ \t]*S[0-9]{1,2})*)")


def _opinion(categories: tuple[str, ...], text: str) -> Opinion:
    if text == "safe":
        return Opinion("passed", "", None)
    if text == "unsafe":
        return invalid_opinion("no category")
    match = _UNSAFE.fullmatch(text)
    if not match:
        return invalid_opinion("not the judge's format")
    codes = re.findall(r"S[0-9]+", match[1])
    if not {*codes} <= {*categories}:
        return invalid_opinion("unknown category")
    stated = tuple(code for code in categories if code in codes)
    return Opinion("failed", ",".join(dict.fromkeys(codes)), None, stated)


def _pattern(categories: int) -> str:
    """The pattern of all replies. Llama Guard begins with up to two newlines."""
    code = f"S({'|'.join(str(n) for n in range(1, categories + 1))})"
    return rf"\n{{0,2}}(safe|unsafe\n{code}(,{code}){{0,{categories - 1}}})"


def llama_guard(categories: int, *, parts: bool = False) -> JudgeFormat:
    """The format of a version with the categories S1 to S`categories`; `parts` as in `JudgeFormat`."""
    codes = tuple(f"S{n}" for n in range(1, categories + 1))
    read = partial(read_whole, partial(_opinion, codes))
    return JudgeFormat(turns, read, max_new_tokens=64, parts=parts, pattern=_pattern(categories), categories=codes)
