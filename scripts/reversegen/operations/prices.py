"""GPU-hours, calls and money of a job, from throughputs and the prices in `costs` of config.yaml."""

from __future__ import annotations

from dataclasses import replace

from reversegen.config.models import Model
from reversegen.config.workflow import Configuration, Price
from reversegen.operations.job import Amount, Job
from reversegen.operations.rates import RunRates, Speed, Tokens, speed

BATCH_PRICE = 0.5
"""The share of its normal price that an endpoint charges for requests through the Batch API."""


def with_price(job: Job, configuration: Configuration, measured: RunRates) -> Job:
    """The job with its GPU-hours, calls and money. A number is None if there is no throughput or no price.

    `measured` has the rates of the run's own finished jobs.
    """
    model, amount = configuration.models[job.model], job.amount
    if model.endpoint:
        amount = replace(amount, calls=amount.calls or amount.prompts)
        money = money_of_endpoint(amount, endpoint_price(job.model, configuration))
        return replace(job, amount=replace(amount, money=money))
    speeds = job_speeds(job, configuration, measured)
    hours = _gpu_hours(amount, speeds)
    assumed = any(one and one.assumed for one in speeds.values())
    return replace(
        job, amount=replace(amount, gpu_hours=hours, money=money_of_gpus(hours, configuration)), assumed=assumed
    )


def job_speeds(job: Job, configuration: Configuration, measured: RunRates) -> dict[Tokens, Speed | None]:
    """The throughputs that decide the GPU-hours of a job, by tokens; empty for a job without a GPU.

    A measured rate of written tokens includes reading, so reading has no throughput of its own beside it.
    """
    if not gpus_of_size(configuration.models[job.model], configuration):
        return {}
    kinds: tuple[Tokens, ...] = ("read", "written", "trained")
    speeds = {key: speed(job.model, key, configuration, measured) for key in kinds if getattr(job.amount, key)}
    written = speeds.get("written")
    if written and written.measured:
        speeds.pop("read", None)
    return speeds


def _gpu_hours(amount: Amount, speeds: dict[Tokens, Speed | None]) -> float | None:
    """GPU-hours by the throughput of one GPU: several GPUs take less time, but the same GPU-hours."""
    seconds = 0.0
    for key, one in speeds.items():
        if one is None:
            return None
        seconds += getattr(amount, key) / one.rate
    return seconds / 3600


def money_of_gpus(hours: float | None, configuration: Configuration) -> float | None:
    """The price of these GPU-hours; None if the hours or the price are not known."""
    price = configuration.workflow.costs.prices.gpu_hour
    return 0.0 if hours == 0 else None if hours is None or price is None else hours * price


def money_of_endpoint(amount: Amount, price: Price) -> float | None:
    """The price of the tokens that an endpoint reads and writes; None if the tokens or their price are not known."""
    if amount.read is None or amount.written is None or price.read is None or price.written is None:
        return None
    return (amount.read * price.read + amount.written * price.written) / 1e6


def gpus_of_size(model: Model, configuration: Configuration) -> int:
    """The GPUs of one process with a model; 0 for an endpoint."""
    return 0 if model.endpoint else configuration.workflow.sizes[model.size].gpu


def endpoint_price(name: str, configuration: Configuration) -> Price:
    """The price of an endpoint's tokens; `name` is that of the model."""
    return configuration.workflow.costs.prices.endpoints.get(name, Price(read=None, written=None))
