"""The models of `config/models.yaml`: where each comes from, how it is loaded or reached, and how it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, ValidationInfo, field_validator, model_validator

from reversegen.config.fields import NUMBER, NonNegative, Positive, Rate, Section, all_differ
from reversegen.config.package import GGUF, ModelPackage
from reversegen.config.tiny_model import TinyModel
from reversegen.config.vllm_arguments import SET_HERE


def _with_a_port_that_exists(url: str) -> str:
    urlsplit(url).port  # noqa: B018  # raises ValueError if the port is out of range
    return url


class Endpoint(Section):
    """An OpenAI-compatible endpoint: every setting of it that can change an answer."""

    allow_http: bool = Field(
        False,
        description="Whether plain http to another machine is allowed. False by default, because anybody on the "
        "network between can read and change the key and the texts; set it only for a node of your own "
        "cluster.",
    )
    base_url: Annotated[str, AfterValidator(_with_a_port_that_exists)] = Field(
        pattern=r"^https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]+)?(/[\w.~/-]*)?$",
        description="Address of the API: https, or http to this machine (loopback). It has no user, query or fragment.",
    )
    model: str = Field(min_length=1, description="Name of the model at the endpoint.")
    api_key_env: str = Field(
        pattern=r"^[A-Z_][A-Z0-9_]*$",
        description="NAME of the environment variable that holds the key. The key itself is never written into a file.",
    )
    structured: bool = Field(
        False,
        description="Whether the server makes replies follow a JSON schema (`response_format`), so that a teacher's "
        "reply is read by its fields. False by default, because not every server can.",
    )
    max_tokens_field: str = Field(
        "max_tokens",
        pattern=r"^[a-z_]+$",
        description="Name of the request field that limits the answer's tokens. Most servers read the default, "
        "`max_tokens`; OpenAI's reasoning models need `max_completion_tokens`.",
    )
    omit: Annotated[list[Literal["seed", "top_p", "temperature"]], AfterValidator(all_differ)] = Field(
        [],
        description="Request fields that the server refuses. They are not sent, so the server's own defaults apply. "
        "Empty by default, because most servers accept all of them.",
    )
    extra_body: dict[str, JsonValue] = Field(
        {},
        description="Fields that are added to each request, by their API name, such as `reasoning_effort`. None by "
        "default.",
    )
    one_choice: bool = Field(
        False,
        description="Whether the server returns only one choice for a request. Several choices are then separate "
        "requests without `n`. False by default, because one request costs the prompt's tokens once.",
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
                f"extra_body: {', '.join(taken)}: the workflow sets this itself; remove it, or see max_tokens_field, omit and "
                "one_choice"
            )
        template = self.extra_body.get("chat_template_kwargs", {})
        if not isinstance(template, dict):
            raise ValueError("extra_body: chat_template_kwargs: names and values are needed")
        return self


class Limits(Section):
    """How fast one job asks an endpoint, and how it handles failures. A change alters no answer, so it reruns nothing."""

    concurrency: Annotated[int, Field(ge=1, le=1000), NUMBER] = Field(
        16,
        description="Largest number of requests at the same time. The default is low, so that it fits the rate "
        "limits of most accounts.",
    )
    requests_per_minute: Positive | None = Field(
        None,
        description="Largest number of requests that one job sends a minute. Null, the default, sets no limit. Each "
        "shard is a job, so divide an account's limit by `shards`.",
    )
    tokens_per_minute: Positive | None = Field(
        None,
        description="Largest number of tokens that one job asks for in a minute. A request counts one token for "
        "every 4 bytes of its text, and all tokens that its answer may have. Null, the default, sets no "
        "limit.",
    )
    timeout: Rate = Field(
        120.0, description="Seconds that one try of a request may take. Two minutes are enough for about 2,000 tokens."
    )
    tries: Positive = Field(
        6, description="Number of tries of one request. Six tries outlast a short rate limit or server error."
    )
    spare_tries: NonNegative = Field(
        1000,
        description="Number of repeated tries that all requests of a job may take together. The limit stops a job "
        "that repeats most of its requests.",
    )
    patience: Rate = Field(
        600.0,
        description="Seconds that the endpoint may fail to answer before the job ends. Meanwhile one request at a "
        "time tests it. Ten minutes outlast a restart of the server.",
    )
    mode: Literal["online", "batch"] = Field(
        "online",
        description="`batch` uses the Batch API, which costs half and may take a day. `online`, the default, "
        "answers at once.",
    )
    poll: Rate = Field(
        60.0,
        description="Seconds between two checks of a batch. A batch takes minutes to hours, so one minute is enough.",
    )


class Vllm(Section):
    """Arguments of vLLM's engine: those below and, under vLLM's names, any other that `vllm.LLM` takes.

    For example `quantization: fp8` or `max_num_seqs: 64`. An argument that is not given keeps vLLM's default. vLLM checks the
    names when it starts, and `make doctor` before. What the workflow sets itself, such as the seed, is refused.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    tensor_parallel_size: Positive | None = Field(None, description="Number of GPUs over which the model is split.")
    max_model_len: Positive | None = Field(
        None, description="Largest number of tokens of prompt and answer together. By default the model's own limit."
    )
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1), NUMBER] | None = Field(
        None, description="Share of a GPU's memory that the engine may use, above 0 and at most 1."
    )
    kv_cache_memory_bytes: Positive | None = Field(
        None, description="Bytes of the key-value cache of all requests, instead of a share of the GPU's memory."
    )
    enforce_eager: bool | None = Field(
        None, description="Whether the engine compiles nothing. It then starts sooner and runs slower."
    )

    @model_validator(mode="after")
    def _sets_nothing_of_ours(self) -> Vllm:
        if taken := next((name for name in self.__pydantic_extra__ if name in SET_HERE), None):
            raise ValueError(f"{taken}: the workflow sets this itself: {SET_HERE[taken]}; remove it")
        return self


class Thinking(Section):
    """How a model that thinks before it answers is asked, and how its thought is recognised."""

    enabled: bool = Field(
        description="Whether the model thinks. False turns thinking off, and the whole reply is then the answer."
    )
    max_tokens: NonNegative = Field(
        0,
        description="Number of tokens for the thought, added to `max_new_tokens`. The default leaves the thought no "
        "extra room.",
    )
    start: str = Field("<think>", min_length=1, description="Text that opens a thought. The default is the usual mark.")
    end: str = Field("</think>", min_length=1, description="Text that ends a thought. The default is the usual mark.")


class ModelUse(Section):
    """The settings with which a stage loads or reaches a model."""

    endpoint: Endpoint | None = Field(None, description="An OpenAI-compatible endpoint that runs the model.")
    engine: Literal["transformers", "vllm"] = Field(
        "transformers",
        description="Engine that runs the model, unless it is an endpoint. The default needs no further package; "
        "vLLM is faster on a GPU.",
    )
    vllm: Vllm | None = Field(None, description="Arguments of the engine `vllm`. Null, the default, keeps vLLM's own.")
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = Field(
        "auto",
        description="Number format in which the weights are loaded. `auto`, the default, takes the format of the "
        "files.",
    )
    attn_implementation: str = Field(
        "sdpa",
        description="Attention implementation, by its name in transformers. The default, `sdpa`, is part of torch "
        "and needs no further package.",
    )
    pad_token: str | None = Field(
        None,
        description="Padding token of a model whose tokenizer has none. Null, the default, uses the tokenizer's "
        "padding token, or its end token if it has none.",
    )
    chat_template: str | None = Field(
        None,
        description="Jinja chat template that replaces the one in the model's folder, or the name of one if the "
        "folder has several. Null, the default, uses the folder's.",
    )
    system_turn: Literal["template", "user"] = Field(
        "template",
        description="Where a system text goes: `template`, the default, makes it a turn of its own, which most chat "
        "templates accept; `user` puts it before the first user turn, for templates that accept no "
        "system turn.",
    )
    chat_template_kwargs: dict[str, bool | int | float | str] = Field(
        {},
        description="Arguments that the chat template takes beside the conversation, such as `enable_thinking`. "
        "None by default.",
    )
    thinking: Thinking | None = Field(
        None,
        description="Settings of a model that thinks before it answers. Null, the default, is for a model that "
        "answers at once.",
    )

    @property
    def thinks(self) -> bool:
        """Whether the model is asked to think before it answers."""
        return self.thinking is not None and self.thinking.enabled

    @property
    def thought_tokens(self) -> int:
        """Number of tokens that a response may have beyond max_new_tokens, for its thought."""
        return self.thinking.max_tokens if self.thinking and self.thinking.enabled else 0


class Model(ModelUse):
    """A model of config/models.yaml. It has exactly one of `hub`, `folder`, `gguf`, `package`, `endpoint` and `train`."""

    size: str = Field(description="Resources that jobs of this model ask for: a key of `sizes` in config.yaml.")
    hub: str | None = Field(
        None,
        pattern=r"^[\w.-]+/[\w.-]+$",
        description="Id of the model on the Hugging Face hub, `owner/name`. Its revision is read from "
        "config/lock.yaml.",
    )
    weights: Literal["safetensors", "bin"] = Field(
        "safetensors",
        description="File format of the weights on the hub. `bin` is for a repository that has pytorch_model*.bin "
        "files only; a rule converts them once. The default is the safe format, which holds no program.",
    )
    folder: Path | None = Field(None, description="Path of a local model folder in Hugging Face form.")
    gguf: Path | None = Field(
        None, description="Path of a local GGUF file, which a rule converts once to a model folder in float32."
    )
    package: ModelPackage | None = Field(
        None, description="A GGUF file or a model folder inside a Python package. Nothing is installed."
    )
    train: TinyModel | None = Field(None, description="A tiny model that a rule trains on the spot.")
    limits: Limits | None = Field(
        None, description="Request limits of an endpoint. Null, the default, uses the default of each limit."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        origins = (self.hub, self.folder, self.gguf, self.package, self.endpoint, self.train)
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError("give exactly one of hub, folder, gguf, package, endpoint and train")
        if self.folder and self.folder.suffix == GGUF:
            raise ValueError("folder: it names a GGUF file; give its path as `gguf` instead")
        if self.gguf and (self.gguf.suffix != GGUF or set("{}") & set(str(self.gguf))):
            raise ValueError("gguf: the name must end in .gguf and have no braces; rename the file")
        if self.weights == "bin" and not self.hub:
            raise ValueError(
                "weights: `bin` is only for a hub id, because the files are checked against the hub's hashes; convert a local "
                "folder to safetensors"
            )
        if self.limits and not self.endpoint:
            raise ValueError("limits: only an endpoint takes them; remove them")
        if self.vllm and self.engine != "vllm":
            raise ValueError("vllm: its arguments need `engine: vllm`; add it, or remove them")
        loading = ("dtype", "attn_implementation", "pad_token", "chat_template", "system_turn")
        given = [name for name in loading if getattr(self, name) != type(self).model_fields[name].default]
        if self.endpoint and given:
            raise ValueError(
                f"{', '.join(given)}: cannot be set, because an endpoint loads its model itself; remove it"
            )
        if self.engine == "vllm" and (self.endpoint or (self.train and self.train.classifier)):
            raise ValueError("engine: vllm cannot run an endpoint or a classifier; remove `engine: vllm`")
        return self

    @property
    def use(self) -> ModelUse:
        """The settings that decide what a stage generates with the model."""
        return ModelUse.model_validate(self.model_dump(include=set(ModelUse.model_fields)))

    @property
    def trained(self) -> ModelUse:
        """The settings that decide the result of training the model.

        The engine and the length of a thought are not among them, so changing these retrains nothing.
        """
        thinking = self.thinking and self.thinking.model_copy(update={"max_tokens": 0})
        return self.use.model_copy(update={"engine": "transformers", "vllm": None, "thinking": thinking})
