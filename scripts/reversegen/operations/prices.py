"""GPU-hours, calls and money of a job, from the throughput and the prices in `costs` of config.yaml."""

from __future__ import annotations

from dataclasses import replace

from reversegen.config.models import Model
from reversegen.config.workflow import Configuration, Price, Throughput
from reversegen.operations.job import Amount, Job

BATCH_PRICE = 0.5
"""The share of its normal price that an endpoint charges for requests through the Batch API."""


def with_price(job: Job, configuration: Configuration) -> Job:
    """The job with its GPU-hours, calls and money. A number is None if `costs` lacks the throughput or the price."""
    model, amount = configuration.models[job.model], job.amount
    if model.endpoint:
        amount = replace(amount, calls=amount.calls or amount.prompts)
        money = money_of_endpoint(amount, endpoint_price(job.model, configuration))
        return replace(job, amount=replace(amount, money=money))
    hours: float | None = 0.0
    if gpus_of_size(model, configuration):
        hours = _gpu_hours(amount, throughput(model.size, configuration))
    return replace(job, amount=replace(amount, gpu_hours=hours, money=money_of_gpus(hours, configuration)))


def _gpu_hours(amount: Amount, speed: Throughput) -> float | None:
    """GPU-hours by the throughput of one GPU: several GPUs take less time, but the same GPU-hours."""
    seconds = 0.0
    for tokens, rate in (
        (amount.read, speed.read),
        (amount.written, speed.written),
        (amount.trained, speed.trained),
    ):
        if tokens:
            if rate is None:
                return None
            seconds += tokens / rate
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


def throughput(size: str, configuration: Configuration) -> Throughput:
    """The tokens a second of one GPU with a model of this size."""
    return configuration.workflow.costs.throughput.get(size, Throughput(read=None, written=None, trained=None))


def endpoint_price(name: str, configuration: Configuration) -> Price:
    """The price of an endpoint's tokens; `name` is that of the model."""
    return configuration.workflow.costs.prices.endpoints.get(name, Price(read=None, written=None))
