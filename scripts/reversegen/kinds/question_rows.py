r"""The rows of data sets with open questions and short answers.

Published forms, one object a row::

    PopQA       {"question": "What is Ada Lund's occupation?", "obj": "politician", "possible_answers": "[\"politician\"]",
                 "prop": "occupation", "s_pop": 120}
    SimpleQA    {"problem": "Who won the prize in 2010?", "answer": "Ada Lund", "metadata": "{'topic': 'Art', 'urls': []}"}
    TriviaQA    {"question": "Who wrote it?",
                 "answer": {"value": "Ada Lund", "aliases": ["A. Lund"], "normalized_aliases": []}}
    your own    {"question": "Who wrote it?", "answer": "Ada Lund", "aliases": ["A. Lund"], "subject": "books"}
    your own    {"text": "Who wrote it?"}, from a named column; without an answer it serves as a seed only

`aliases` and `subject` may be missing.

The columns are those of the cards of akariasai/PopQA and mandarjoshi/trivia_qa and of SimpleQA's file
simple_qa_test_set.csv (Wei et al., arXiv 2411.04368).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from typing import Any

from reversegen.kinds.answers.names import normal
from reversegen.kinds.base import Raw, Unusable
from reversegen.kinds.items import carries_answer


def read_row(row: dict[str, Any]) -> Raw:
    """The question of a row, its answer and all accepted forms of it, in one of the published forms.

    Raises ValueError naming the field if the row has another form, and Unusable if the question carries its answer.
    """
    if "possible_answers" in row:
        accepted = _texts(row, "possible_answers")
        question, subject = _text(row, "question"), row.get("prop")
        answer = accepted[0] if accepted and not row.get("obj") else _text(row, "obj")
    elif "problem" in row:
        question, answer, accepted = _text(row, "problem"), _text(row, "answer"), []
        subject = _topic(row.get("metadata"))
    elif set(row) == {"text"}:
        return Raw(_asked(_text(row, "text")), None)
    elif isinstance(row.get("answer"), dict):
        question, answer = _text(row, "question"), _text(row["answer"], "value")
        accepted = [*_texts(row["answer"], "aliases"), *_texts(row["answer"], "normalized_aliases")]
        subject = None
    else:
        question, answer = _text(row, "question"), _text(row, "answer")
        accepted, subject = _texts(row, "aliases"), row.get("subject")
    if subject is not None and not isinstance(subject, str):
        raise ValueError("subject: a text is needed")
    return Raw(_asked(question), answer, subject, aliases=other_forms(answer, accepted))


def _asked(question: str) -> str:
    if carries_answer(question):
        raise Unusable("the question carries its answer")
    return question


def _text(row: dict[str, Any], field: str) -> str:
    """The text in a field, on one line. Raises ValueError naming the field if it has no text."""
    if field not in row:
        raise ValueError(
            f"{field}: missing; if the rows have another form, name the column of the instructions with `column`"
        )
    text = row[field]
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{field}: a text is needed")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{field}: it holds half of a surrogate pair, which is not a character; remove it")
    return " ".join(text.split())


def _texts(row: dict[str, Any], field: str) -> list[str]:
    """The texts in a field: a list, or a list as JSON in a table's cell; empty if the field is missing."""
    value = row.get(field)
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"{field}: a list of texts as JSON is needed") from None
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{field}: a list of texts is needed")
    return [" ".join(one.split()) for one in value if one.strip()]


def _topic(metadata: Any) -> str | None:
    """The topic in SimpleQA's metadata, an object that its file writes as a Python literal; None without one."""
    if isinstance(metadata, str):
        try:
            metadata = ast.literal_eval(metadata)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise ValueError("metadata: an object as SimpleQA writes it is needed") from None
    topic = metadata.get("topic") if isinstance(metadata, dict) else None
    return topic if isinstance(topic, str) else None


def other_forms(answer: str, accepted: Sequence[str]) -> tuple[str, ...]:
    """The accepted forms besides the answer, each once in normal form."""
    forms = {normal(answer): answer}
    for one in accepted:
        forms.setdefault(normal(one), one)
    return tuple(forms.values())[1:]
