"""A reply without an answer: whether the request is tried again, and whether the item or the set-up is to blame.

- *again*: a rate limit, a server's own error, an unreadable reply. The request is repeated.
- *item*: a content filter, or a prompt that does not fit. That item is invalid; the others are answered.
- *setup*: the key, the model's name, the address, or a field that all requests share and that the server names as refused
  (`param`, or `loc` of FastAPI). The job ends at once.
- *unclear*: a status 400 or 422 that names none of these, and a reply that stays unreadable in every try. The item is to blame
  if the endpoint has answered another request. The set-up is to blame if the endpoint refuses the first requests without any
  answer in between (`Connection`). A message that only mentions a shared field ends the job at once, unless there was an
  answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reversegen.config.models import Endpoint
from reversegen.engines.endpoint.calls import Call
from reversegen.engines.endpoint.replies import FILTERED

AGAIN = {408, 409, 424, 425, 429, 498, 499}
"""Statuses below 500 after which another try may succeed. 424 is a failed generation of text-generation-inference, 498 is
Groq's lack of capacity, 499 is nginx's closed connection."""
TOO_LONG = "prompt too long"
NO_ROOM = "no answer within max_new_tokens"
"""OpenAI refuses a request whose thought took all tokens; a model with `thinking` gets more."""
UNREADABLE = "an unreadable reply"
KEPT = "all answers are kept: run the same command again"

_FILTER_CODE = re.compile(
    r"content_?(filter|policy|management)|responsibleai|moderation|data_inspection|sensitive|safety|flagged|guardrail"
    r"|invalid_prompt"
)
_FILTER_TEXT = re.compile(
    r"content[ _-]?(management )?(filter|polic)|(was|were|been) (filtered|flagged)|moderation|content exists risk"
    r"|inappropriate content|safety (system|filter|reasons)|usage polic|guardrail|new_sensitive|敏感"
)
_LONG_CODE = re.compile(r"context_(length|window|size)|above_max_length|too_(long|large)|string_too_long")
_LONG_TEXT = re.compile(
    r"context ?(length|window|size|limit)|maximum (input|prompt|sequence|model) length|reduce the length|max_model_len"
    r"|(prompt|input|request|message|payload|entity)s?( is| are| was)? too (long|large)|too many (input |prompt )?tokens"
    r"|must have less than \d+ tokens|tokens.{0,40}must be <=|longer than the (model|maximum)"
    r"|token count.{0,40}exceed|exceeded model token limit|range of input length"
)
_RATE = re.compile(r"rate.?limit|too many requests")
_REQUEST_TOO_LARGE = re.compile("request too large")
"""The message of a limit on tokens per minute that waiting does not lift."""
_NO_ROOM = re.compile("could not finish the message")
_QUOTA_CODE = re.compile(
    r"insufficient.?(quota|balance|credit|fund)|billing|budget_exceeded|arrear|(organization|account)_(restrict|deactiv|suspend)"
)
_QUOTA_TEXT = re.compile(r"insufficient (quota|balance|credit|fund)|credit balance|\Abudget has been exceeded")
_KEY = re.compile(r"api.?key|authenticat|unauthorized|permission.?denied")
_BAD_KEY = re.compile(r"\A(api key (not valid|not found|expired)|(incorrect|invalid) api key)")
"""How Gemini and xAI begin the message of a status 400. The text of the request may follow further on."""
_MODEL = re.compile(
    r"model.?not.?found|(invalid|unknown|no such).?model|not a valid model|unable to access model"
    r"|model .{0,80}(not exist|not found|not available|decommissioned|deprecated|requires terms)"
)
_MODEL_CODE = re.compile(
    r"\A(invalid_model|model_(not_(found|available|supported)|decommissioned|deprecated|terms_required))\Z"
)
_ADDRESS = re.compile(r"\Aunexpected endpoint")
"""LM Studio's words, with a status 200."""


@dataclass(eq=False)
class Fault(Exception):
    """Why one try gave no answer."""

    blame: Literal["again", "item", "setup", "unclear"]
    reason: str
    """Short, and without any word of the request."""
    status: int | None = 200
    """The HTTP status; None if no reply came."""
    alike: int | None = None
    """The equivalent status of an error in the body of a status 200; None if `status` applies."""
    advice: str = ""
    """What to change in the configuration."""
    tokens: tuple[int, int] = (0, 0)
    """Tokens of request and answer that were charged although the try failed."""
    retry_after: float | None = None
    """Seconds that the endpoint asks to wait."""
    tries: int = 0
    """Tries that the request has used up; 0 if another try is useless."""

    @property
    def level(self) -> int | None:
        """The status that decides how the request is repeated."""
        return self.alike or self.status

    @property
    def words(self) -> str:
        """The message that ends a job."""
        end = f", after {self.tries} tries of one request; {KEPT}" if self.tries else "; it was not asked again"
        return f"{self.reason}{end}{self.advice and ': '}{self.advice}"


@dataclass(frozen=True)
class _Error:
    """An error as a reply describes it."""

    codes: Sequence[str] = ()
    message: str = ""
    fields: Sequence[str] = ()
    """Fields of the request that the reply names as refused."""

    @property
    def code(self) -> str:
        """The first code that is a single word, to be shown; empty if there is none. A message might repeat the request."""
        code = next((code for code in self.codes if re.fullmatch(r"[A-Za-z_][\w.-]{0,39}", code)), "")
        return f", {code}" if code else ""

    def has_code(self, words: re.Pattern[str]) -> bool:
        return any(words.search(code.casefold()) for code in self.codes)

    def says(self, words: re.Pattern[str]) -> bool:
        return bool(words.search(self.message))


def status_fault(status: int, reply: bytes, endpoint: Endpoint) -> Fault:
    """The fault of a reply with an HTTP status other than 200."""
    try:
        return _fault(status, _error(json.loads(reply)), endpoint)
    except (ValueError, RecursionError):
        return _fault(status, _Error(), endpoint)


def body_fault(content: Any, endpoint: Endpoint) -> Fault:
    """The fault of a status 200 without an answer: that of the error in its body, or an unreadable reply."""
    error = _error(content)
    if not (error.codes or error.message or (isinstance(content, dict) and content.get("error"))):
        return Fault("again", UNREADABLE)
    number = next((int(code) for code in error.codes if re.fullmatch(r"[1-5]\d\d", code)), None)
    if number is None or number < 400:
        known = ((_QUOTA_CODE, 402), (_RATE, 429), (_KEY, 401), (_MODEL, 404), (_ADDRESS, 404))
        number = next((status for words, status in known if error.has_code(words) or error.says(words)), 500)
    fault = _fault(number, error, endpoint)
    fault.status, fault.alike = 200, number
    if fault.blame == "again":
        fault.reason = f"an error in the reply{error.code or f', {number}'}"
    return fault


def _fault(status: int, error: _Error, endpoint: Endpoint) -> Fault:
    if 300 <= status < 400:
        reason = (
            f"status {status}: it redirects to another address, which must not get the key; give that address yourself"
        )
        return Fault("setup", reason, status)
    reason = f"status {status}{error.code}"
    if status == 451 or error.has_code(_FILTER_CODE) or (status in (400, 403, 422) and error.says(_FILTER_TEXT)):
        return Fault("item", FILTERED, status)
    too_long = error.has_code(_LONG_CODE) or error.says(_REQUEST_TOO_LARGE if status == 429 else _LONG_TEXT)
    if status == 413 or (status in (400, 422, 429, 500) and too_long):
        return Fault("item", TOO_LONG, status)
    if status == 400 and error.says(_NO_ROOM):
        return Fault("item", NO_ROOM, status)
    if error.has_code(_QUOTA_CODE) or (status in (400, 403) and error.says(_QUOTA_TEXT)):  # waiting does not help
        return Fault("setup", reason, status)
    if status in AGAIN or status >= 500:
        return Fault("again", f"status {status}", status, alike=500 if status == 424 else None)
    if status in (401, 403) or (status == 400 and error.says(_BAD_KEY)):
        advice = f"check that the key in {endpoint.api_key_env} belongs to this endpoint and may use the model"
        return Fault("setup", reason, status, advice=advice)
    if status in (404, 405):
        advice = "check that endpoint.model is a model of it, and endpoint.base_url its address up to the version, such as /v1"
        return Fault("setup", reason, status, advice=advice)
    if status not in (400, 422):
        return Fault("setup", reason, status)
    settings = _settings(endpoint)
    named = [field for field in settings if field in error.fields or (field == "model" and error.has_code(_MODEL_CODE))]
    mentioned = named or ([] if error.fields else [f for f in settings if _mentions(error.message, f)])
    fixes = " or ".join(dict.fromkeys(settings[field] for field in mentioned))
    advice = f"it refuses {', '.join(mentioned)}; in config/models.yaml, {fixes}" if mentioned else ""
    return Fault("setup" if named else "unclear", reason, status, advice=advice)


def _settings(endpoint: Endpoint) -> dict[str, str]:
    """The fields that all requests share, each with the setting that changes it."""
    field = endpoint.max_tokens_field
    other_field = "max_completion_tokens" if field == "max_tokens" else "max_tokens"
    sampling_fields = [name for name in ("temperature", "top_p", "seed") if name not in endpoint.omit]
    return {
        field: f"set endpoint.max_tokens_field: {other_field} (or a smaller max_new_tokens in the task)",
        **{name: f"set endpoint.omit: [{', '.join([*endpoint.omit, name])}]" for name in sampling_fields},
        **({} if endpoint.one_choice else {"n": "set endpoint.one_choice: true"}),
        **({"response_format": "set endpoint.structured: false"} if endpoint.structured else {}),
        "model": "change endpoint.model",
        **dict.fromkeys(endpoint.extra_body, "change endpoint.extra_body"),
        "chat_template_kwargs": "change chat_template_kwargs of the model, or endpoint.extra_body",
    }


def _mentions(message: str, field: str) -> bool:
    """Whether a message mentions a field of the request. Many fields are everyday words, which count only in quotes."""
    if field == "model" and _MODEL.search(message):
        return True
    if field == "n" and re.search(
        r"\bn ?(=|>|must|should|is|larger|greater)|(multiple|only one) (choice|completion)", message
    ):
        return True
    name = re.escape(field.casefold())
    alone = "_" in field or field in ("temperature", "seed")
    return bool(re.search(rf"(?<!\w){name}(?!\w)" if alone else rf"['\"`]{name}['\"`]", message))


def _error(content: Any, *, outer: bool = True) -> _Error:
    """The error in a reply, in the forms of OpenAI, Azure, Google, Databricks, FastAPI, Ollama and text-generation-inference.

    `outer`: whether the error may hold another one, as Mistral's and OpenRouter's do.
    """
    if isinstance(content, list):
        content = content[0] if content else None
    if not isinstance(content, dict):
        return _Error()
    error = content.get("error") or content
    if not isinstance(error, dict):
        error = {**content, "message": error}
    details = error.get("detail")
    parts = [part for part in details if isinstance(part, dict)] if isinstance(details, list) else []
    inner = error.get("innererror")
    codes = [error.get("code"), error.get("status"), error.get("type"), error.get("error_type")]
    codes += [error.get("error_code")]
    codes += [inner.get("code")] if isinstance(inner, dict) else []
    texts = [error.get("message"), error.get("msg"), details, *(part.get("msg") for part in parts)]
    places = [part.get("loc") for part in parts]
    fields = [str(next((step for step in place if step != "body"), "")) for place in places if isinstance(place, list)]
    fields += [error["param"]] if isinstance(error.get("param"), str) else []
    nested = _error(_nested_error(error), outer=False) if outer else _Error()
    codes += [*(part.get("type") for part in parts), *nested.codes]
    return _Error(
        [str(code) for code in codes if isinstance(code, str | int) and code],
        " ".join([*(text for text in texts if isinstance(text, str)), nested.message])[:2000].strip().casefold(),
        [*(re.split(r"[.\[]", field.removeprefix("body."))[0] for field in fields), *nested.fields],
    )


def _nested_error(error: dict[str, Any]) -> Any:
    """The error within an error. Mistral's message is FastAPI's error; OpenRouter's `metadata.raw` is its provider's text."""
    if isinstance(error.get("message"), dict):
        return error["message"]
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    try:
        return json.loads(raw) if isinstance(raw, str) else raw
    except (ValueError, RecursionError):
        return {"message": raw}


def failed_call(key: str, fault: Fault, *, batch: bool, invalid: bool = False) -> Call:
    """The record of a try without an answer; `invalid` if it was the last try because of the item's own fault."""
    tokens_in, tokens_out = fault.tokens
    reason = fault.reason if invalid else None
    return Call(key=key, status=fault.status, tokens_in=tokens_in, tokens_out=tokens_out, batch=batch, invalid=reason)
