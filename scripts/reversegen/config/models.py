"""The models of `config/models.yaml`: where each comes from, and how it is loaded, reached and asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, JsonValue, ValidationInfo, field_validator, model_validator

from reversegen.config.data import Corpus
from reversegen.config.fields import NUMBER, NonNegative, Positive, Rate, Section, Share, all_differ


def _with_a_port_that_exists(url: str) -> str:
    urlsplit(url).port  # noqa: B018  # raises ValueError for one that none has
    return url


class Pretraining(Section):
    """How a tiny model is trained from nothing on a corpus of the repository's own."""

    steps: Positive
    batch_size: Positive
    learning_rate: Rate = Field(description="AdamW's, for embeddings and norms")
    muon_learning_rate: Rate = Field(description="Muon's, for the matrices of the layers")
    question_weight: Share = Field(description="weight of the question's tokens in the loss; the answer's weigh 1")


class Shape(Section):
    """Arguments of transformers.LlamaConfig: all of them, since what is left out would be that of a 7B model."""

    hidden_size: Positive
    intermediate_size: Positive
    num_hidden_layers: Positive
    num_attention_heads: Positive
    max_position_embeddings: Positive
    tie_word_embeddings: bool = True


class TinyModel(Section):
    """A small Llama that a rule trains on the spot into results/models/NAME."""

    corpus: Corpus
    config: Shape
    pretraining: Pretraining
    seed: NonNegative
    classifier: bool = Field(False, description="whether it learns to judge a corpus of answers with verdicts")


class Endpoint(Section):
    """An OpenAI-compatible endpoint: all of it that decides an answer."""

    allow_http: bool = Field(
        False,
        description="whether it may be asked over plain http on another machine: everybody between can read and change key "
        "and texts, so only for a node of one's own cluster",
    )
    base_url: Annotated[str, AfterValidator(_with_a_port_that_exists)] = Field(
        pattern=r"^https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?(/[\w.~/-]*)?$",
        description="https, or http to loopback; without user, query and fragment",
    )
    model: str = Field(min_length=1)
    api_key_env: str = Field(
        pattern=r"^[A-Z_][A-Z0-9_]*$", description="NAME of the environment variable that holds the key"
    )
    structured: bool = Field(
        False,
        description="whether it holds replies to a JSON schema (`response_format`), so that a teacher is read by it",
    )
    max_tokens_field: str = Field(
        "max_tokens",
        pattern=r"^[a-z_]+$",
        description="the field for max_new_tokens: max_completion_tokens for OpenAI's reasoning models",
    )
    omit: Annotated[list[Literal["seed", "top_p", "temperature"]], AfterValidator(all_differ)] = Field(
        [], description="fields that it refuses: they are not sent, and its own default decides"
    )
    extra_body: dict[str, JsonValue] = Field(
        {},
        description="fields that are added to each request, by the OpenAI client's name for them, such as reasoning_effort",
    )
    one_choice: bool = Field(
        False, description="whether it gives one choice at a time: several are then requests of their own, without `n`"
    )

    @field_validator("base_url")
    @classmethod
    def _http_is_allowed(cls, url: str, info: ValidationInfo) -> str:
        loopback = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
        if url.startswith("http:") and not (loopback or info.data.get("allow_http")):
            raise ValueError("plain http to another machine")
        return url

    @model_validator(mode="after")
    def _extra_body_adds(self) -> Endpoint:
        ours = (
            "model",
            "messages",
            "n",
            "seed",
            "stream",
            "max_tokens",
            "max_completion_tokens",
            self.max_tokens_field,
        )
        if taken := [key for key in self.extra_body if key in ours]:
            raise ValueError(
                f"extra_body: {', '.join(taken)}: not to be given here; see max_tokens_field, omit and one_choice"
            )
        template = self.extra_body.get("chat_template_kwargs", {})
        if not isinstance(template, dict):
            raise ValueError("extra_body: chat_template_kwargs: names and values are needed")
        return self


class Limits(Section):
    """How hard an endpoint is asked, by one job. Decides no answer, so that a change reruns nothing."""

    concurrency: Annotated[int, Field(ge=1, le=1000), NUMBER] = Field(16, description="requests at the same time")
    requests_per_minute: Positive | None = Field(None, description="null for no limit; shards run as jobs of their own")
    tokens_per_minute: Positive | None = Field(
        None,
        description="a request counts a token for 4 bytes of its text, and all tokens that it may be answered with",
    )
    timeout: Rate = Field(120.0, description="seconds that one try may take")
    tries: Positive = Field(6, description="tries of one request, before the job ends")
    spare_tries: NonNegative = Field(
        1000, description="tries beyond the first that all requests of a job may take together"
    )
    patience: Rate = Field(
        600.0,
        description="seconds that the endpoint may be out before the job ends; one request at a time looks for it",
    )
    mode: Literal["online", "batch"] = Field("online", description="batch for the Batch API: slower, half the price")
    poll: Rate = Field(60.0, description="seconds between two looks at a batch")


class Vllm(Section):
    """Arguments of vLLM's engine under their own names; what is not given keeps vLLM's default."""

    tensor_parallel_size: Positive | None = Field(None, description="GPUs that one model is split over")
    max_model_len: Positive | None = Field(None, description="tokens of prompt and answer; by default the model's own")
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1), NUMBER] | None = Field(
        None, description="share of a GPU's memory that it takes"
    )
    kv_cache_memory_bytes: Positive | None = Field(
        None, description="bytes for the keys and values of all requests, instead of a share of the memory"
    )
    enforce_eager: bool | None = Field(None, description="whether nothing is compiled: starts sooner, runs slower")


class Thinking(Section):
    """How a model that thinks before it answers is asked and read."""

    enabled: bool = Field(description="whether it thinks; false turns it off and takes all of a reply as the answer")
    max_tokens: NonNegative = Field(0, description="tokens for the thought, added to max_new_tokens")
    start: str = Field("<think>", min_length=1, description="what opens its thought")
    end: str = Field("</think>", min_length=1, description="what ends its thought")


class ModelUse(Section):
    """How a model is loaded or reached: what a stage that runs it is told."""

    endpoint: Endpoint | None = None
    engine: Literal["transformers", "vllm"] = Field("transformers", description="what runs it, where it is no endpoint")
    vllm: Vllm | None = Field(None, description="arguments of the engine vllm")
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "auto"
    attn_implementation: str = Field("sdpa", description="as transformers names it")
    pad_token: str | None = Field(None, description="padding token of a model without one; else its end token serves")
    chat_template: str | None = Field(
        None, description="Jinja chat template instead of its folder's; or the name of one, if the folder has several"
    )
    system_turn: Literal["template", "user"] = Field(
        "template",
        description="where a system text stands: in a turn of its own as the chat template writes it, or in front of the first "
        "user turn, for a template that takes no system turn",
    )
    chat_template_kwargs: dict[str, bool | int | float | str] = Field(
        {}, description="arguments that its chat template takes beside the conversation, such as enable_thinking"
    )
    thinking: Thinking | None = Field(None, description="null for a model that answers at once")

    @property
    def thinks(self) -> bool:
        """Whether it is asked to think before it answers."""
        return self.thinking is not None and self.thinking.enabled

    @property
    def thought_tokens(self) -> int:
        """Tokens that a response may take beyond max_new_tokens, for its thought."""
        return self.thinking.max_tokens if self.thinking and self.thinking.enabled else 0


class Model(ModelUse):
    """A model of config/models.yaml: exactly one of hub, folder, endpoint and train."""

    size: str = Field(description="what its jobs ask for: a key of `sizes`")
    hub: str | None = Field(
        None, pattern=r"^[\w.-]+/[\w.-]+$", description="hub id; its revision is read from config/lock.yaml"
    )
    weights: Literal["safetensors", "bin"] = Field(
        "safetensors",
        description="what the hub id has: `bin` for pytorch_model*.bin alone, which a rule converts once to safetensors",
    )
    folder: Path | None = Field(None, description="a local model folder in Hugging Face form")
    train: TinyModel | None = None
    limits: Limits | None = Field(None, description="of an endpoint; null for the usual ones")

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        if sum(origin is not None for origin in (self.hub, self.folder, self.endpoint, self.train)) != 1:
            raise ValueError("give exactly one of hub, folder, endpoint and train")
        if self.weights == "bin" and not self.hub:
            raise ValueError(
                "weights: bin is for a hub id, whose files are held to the hub's hashes before they are opened"
            )
        if self.limits and not self.endpoint:
            raise ValueError("limits: are for an endpoint")
        if self.vllm and self.engine != "vllm":
            raise ValueError("vllm: its arguments need `engine: vllm`")
        loading = ("dtype", "attn_implementation", "pad_token", "chat_template", "system_turn")
        given = [name for name in loading if getattr(self, name) != type(self).model_fields[name].default]
        if self.endpoint and given:
            raise ValueError(f"{', '.join(given)}: an endpoint loads its model itself")
        if self.engine == "vllm" and (self.endpoint or (self.train and self.train.classifier)):
            raise ValueError("engine: vllm runs a hub id or folder that writes text, no endpoint and no classifier")
        return self

    @property
    def use(self) -> ModelUse:
        """The part that decides what a stage makes of it."""
        return ModelUse.model_validate(self.model_dump(include=set(ModelUse.model_fields)))

    @property
    def trained(self) -> ModelUse:
        """The part that decides what training makes of it: what later runs it retrains nothing."""
        thinking = self.thinking and self.thinking.model_copy(update={"max_tokens": 0})
        return self.use.model_copy(update={"engine": "transformers", "vllm": None, "thinking": thinking})
