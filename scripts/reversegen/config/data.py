"""Where instructions and test questions come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticKnownError

from reversegen.config.fields import FILE_PART, Name, Number, Positive, RandomSeed, Section


def _one_of_the_worlds(name: str, info: ValidationInfo) -> str:
    """Whoever validates gives the names of the worlds as context; a stage is given what was validated, and none."""
    if info.context is not None and name not in info.context:
        *others, last = map(repr, info.context)
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(others)} or {last}"})
    return name


class Corpus(Section):
    """Questions drawn from one of the invented worlds of the tiny tasks."""

    world: Annotated[str, AfterValidator(_one_of_the_worlds)]
    mix: str = Field(description="how common each type of question is: one of the mixes that the world has")
    part: Literal["all", "train", "validation", "test"] = Field(
        description="which expressions, topics or entities: the parts are kept apart; all is everything"
    )
    count: Positive = Field(description="number of questions")
    random_seed: RandomSeed = Field(description="random seed of the draw; the task's own random seed leaves it alone")
    distinct: bool = Field(description="whether no question may come twice")


class HubData(Section):
    """A split of a data set on the Hugging Face hub; its revision is read from config/lock.yaml."""

    repo: str = Field(pattern=r"^\w[\w.-]*/\w[\w.-]*$", description="id of the data set")
    name: str = Field(pattern=FILE_PART, description="its configuration, as `datasets.load_dataset` calls it")
    split: str = Field(pattern=FILE_PART, description="its split")

    @property
    def file_name(self) -> str:
        """Name of its file in resources/downloads/data, without the suffix."""
        return "--".join([*self.repo.split("/"), self.name, self.split])


class UrlData(Section):
    """A file on the web, held to its content."""

    address: str = Field(pattern=r"^https://[\w./%+-]+\.(jsonl|json|csv|parquet)$", description="https only")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of its bytes")

    @property
    def file_name(self) -> str:
        """Name of its file in resources/downloads/files."""
        return f"{self.sha256[:12]}-{self.address.rpartition('/')[2]}"


class DataSource(Section):
    """Where instructions or test questions come from: exactly one of file, url, hub and corpus."""

    file: Path | None = Field(None, description="a file of rows: .jsonl, .json, .csv or .parquet")
    url: UrlData | None = None
    hub: HubData | None = None
    corpus: Corpus | None = None
    column: str | None = Field(
        None,
        description="the column that holds the instruction, such as target in warm-up rows of prompt and target; null for rows "
        "in a data set's published form",
    )
    licence: str = Field(description="licence of the data, as its publisher states it")
    subjects: list[str] | None = Field(None, min_length=1, description="the subjects to keep; null for all")
    rows: Positive | None = Field(
        None,
        description="most rows: so many of those that can be used, drawn by a hash of their text; null for all. A plan counts "
        "them before the data is here",
    )
    measures: str | None = Field(
        None, description="for a test set: the metric it counts for; retained is what the target could do before"
    )

    @model_validator(mode="after")
    def _one_origin(self) -> DataSource:
        if sum(origin is not None for origin in (self.file, self.url, self.hub, self.corpus)) != 1:
            raise ValueError("give exactly one of file, url, hub and corpus")
        if self.file is not None and self.file.suffix not in (".jsonl", ".json", ".csv", ".parquet"):
            raise ValueError("file: its name must end in .jsonl, .json, .csv or .parquet")
        if self.file is not None and set("{}") & set(str(self.file)):
            raise ValueError("file: its name may hold no braces, which are wildcards of Snakemake")
        if self.corpus and (self.column or self.subjects or self.rows):
            raise ValueError("column, subjects and rows are for files; a corpus has its count")
        return self


class Data(Section):
    """Where the task's instructions come from."""

    seeds: dict[Name, DataSource] = Field(min_length=1, description="sources of seed instructions by name")
    tests: dict[Name, DataSource] = Field(min_length=1, description="test sets of the target by name")
    judge: DataSource | None = Field(description="labelled set that the judge is checked on; null for the kind's own")
    heldout_share: Number = Field(gt=0, lt=1, description="share of the seeds kept for the held-out prompts")
    probe: bool = Field(description="whether only seeds that the target fails in a first probe enter prompts")
    probe_seeds: Positive | None = Field(
        description="most seeds that a probe asks, drawn by a hash of their id; null for all"
    )

    @model_validator(mode="after")
    def _tests_measure(self) -> Data:
        for name, source in self.tests.items():
            if source.measures is None:
                raise ValueError(f"tests.{name}: say with `measures` which metric it counts for")
        for name, source in self.seeds.items():
            if source.measures is not None:
                raise ValueError(f"seeds.{name}: `measures` is for test sets")
        labelled = self.judge
        if labelled and (labelled.column or labelled.rows or (labelled.file and labelled.file.suffix != ".jsonl")):
            raise ValueError("judge: a labelled set is a .jsonl file of records.Labelled, without column and rows")
        return self
