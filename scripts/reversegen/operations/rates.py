"""Tokens a second of one GPU: configured, measured by the finished jobs of a run, or assumed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reversegen.config.models import Model
from reversegen.config.workflow import AskedRates, AssumedRate, AssumedRates, Configuration, Throughput
from reversegen.operations.job import Amount, Job

Tokens = Literal["read", "written", "trained"]
NONE = Throughput(read=None, written=None, trained=None)


@dataclass(frozen=True)
class Speed:
    """A throughput, and where it comes from."""

    rate: float
    """Tokens a second of one GPU."""
    assumed: AssumedRate | None = None
    """The entry of config/throughputs.yaml; None if the rate is configured or measured."""
    measured: bool = False
    """Whether finished jobs of this run have it. A rate of written tokens then includes the time of reading."""


RunRates = dict[tuple[str, Tokens], float]
"""Tokens a second of one GPU by model and tokens."""


def measured_rates(ended: Iterable[tuple[Job, Amount]]) -> RunRates:
    """The rates of a run's own jobs: tokens by GPU-seconds, over all ended jobs of a model.

    `ended` has each job with what it has used. Prompt tokens of a local model are recorded nowhere, so the seconds of a job
    that writes include reading. A job that writes and trains nothing gives no rate.
    """
    sums: dict[tuple[str, Tokens], tuple[float, float]] = {}
    for job, usage in ended:
        tokens: Tokens = "trained" if job.amount.trained else "written"
        count, hours = getattr(usage, tokens), usage.gpu_hours
        if (job.amount.written or job.amount.trained) and count and hours:
            counts, seconds = sums.get((job.model, tokens), (0.0, 0.0))
            sums[job.model, tokens] = counts + count, seconds + hours * 3600
    return {key: counts / seconds for key, (counts, seconds) in sums.items()}


def speed(name: str, tokens: Tokens, configuration: Configuration, measured: RunRates) -> Speed | None:
    """The throughput of a model: of `costs.throughput`, else measured, else assumed; None if there is none."""
    model = configuration.models[name]
    configured = getattr(configuration.workflow.costs.throughput.get(model.size, NONE), tokens)
    if configured is not None:
        return Speed(configured)
    if (name, tokens) in measured:
        return Speed(measured[name, tokens], measured=True)
    assumed = _assumed(model, tokens, configuration)
    return Speed(assumed.rate, assumed) if assumed else None


def _assumed(model: Model, tokens: Tokens, configuration: Configuration) -> AssumedRate | None:
    rates = configuration.throughputs.get(model.size, AssumedRates())
    if tokens == "trained":
        return rates.trained
    asked: AskedRates = getattr(rates, model.engine)
    return getattr(asked, tokens)  # type: ignore[no-any-return]
