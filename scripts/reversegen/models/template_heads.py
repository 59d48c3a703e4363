"""Text that the workflow puts before a chat template, so that it needs no system turn or does not depend on today's date."""

from __future__ import annotations

from datetime import datetime

SYSTEM_IN_USER_TURN = (
    "{%- if messages | length > 1 and messages[0].role == 'system' and messages[1].role == 'user' -%}"
    "{%- set messages = [{'role': 'user', 'content': messages[0].content + '\\n\\n' + messages[1].content}] + messages[2:] -%}"
    "{%- endif %}\n"
)
"""Beginning of a chat template that accepts no system turn. It puts the system text and an empty line before the user's text,
as Gemma 3's template does. As a part of the template it works in every renderer, and is saved with a trained model."""


DATE = datetime(2024, 7, 26)
"""The date that every chat template gets, so that a prompt is the same on every day. It is the date that Llama 3.1's own
template writes by default."""
_CODES = (*"aAbBdeFHIjmMpSTuUwWyYZ", "-d", "-m", "-H", "-I", "%")
FIXED_DATE = (
    "{%- macro strftime_now(format) -%}{{ format"
    + "".join(f" | replace('%{code}', '{DATE.strftime('%' + code)}')" for code in _CODES)
    + " }}{%- endmacro %}\n"
)
"""Beginning of a chat template that asks for the time. Like SYSTEM_IN_USER_TURN it is saved with a trained model, which then
always gets the date with which it was trained."""
