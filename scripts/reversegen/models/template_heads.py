"""What the workflow puts in front of a chat template, so that it takes no system turn or knows no date of its own."""

from __future__ import annotations

from datetime import datetime

SYSTEM_IN_USER_TURN = (
    "{%- if messages | length > 1 and messages[0].role == 'system' and messages[1].role == 'user' -%}"
    "{%- set messages = [{'role': 'user', 'content': messages[0].content + '\\n\\n' + messages[1].content}] + messages[2:] -%}"
    "{%- endif %}\n"
)
"""What a chat template begins with that shall take no system turn. The empty line between both texts is that of Gemma 3's
template. Being part of the template, it holds for whatever renders it, and goes with a trained model's folder."""


DATE = datetime(2024, 7, 26)
"""The day that every chat template is told, so that a prompt of tomorrow is the text of today: the one that Llama 3.1's own
template writes if it is told none."""
_CODES = (*"aAbBdeFHIjmMpSTuUwWyYZ", "-d", "-m", "-H", "-I", "%")
FIXED_DATE = (
    "{%- macro strftime_now(format) -%}{{ format"
    + "".join(f" | replace('%{code}', '{DATE.strftime('%' + code)}')" for code in _CODES)
    + " }}{%- endmacro %}\n"
)
"""What a chat template that asks for the time begins with. As SYSTEM_IN_USER_TURN it goes with a trained model's folder, which
is then told the date that it was trained with."""
