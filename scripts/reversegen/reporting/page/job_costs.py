"""The page's table of what the jobs of models took."""

from __future__ import annotations

from dataclasses import fields

from reversegen.core.escaping import html_text
from reversegen.operations.job import Amount
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import html_table, note


def job_costs(content: PageContent) -> str:
    """A line for each rule and model, and one for all."""
    amounts: dict[tuple[str, str], list[Amount]] = {}
    for job, amount in content.job_costs:
        if amount:
            amounts.setdefault((job.rule, job.model), []).append(amount)
    if not amounts:
        return ""
    lines = [[*key, str(len(jobs)), *_numbers(sum(jobs, Amount()))] for key, jobs in amounts.items()]
    all_amounts = [amount for jobs in amounts.values() for amount in jobs]
    lines.append(["all", "", str(len(all_amounts)), *_numbers(sum(all_amounts, Amount()))])
    titles = ["prompts", "tokens read", "tokens written", "tokens trained", "GPU-hours", "API calls", content.currency]
    heads = map(html_text, ["rule", "model", "jobs", *titles])
    table = html_table("Costs", [*heads], [[html_text(cell) for cell in line] for line in lines])
    text = (
        f"What the jobs of models of {content.run} took; \N{EN DASH} where no file tells. What was planned stands in plan.md "
        "(a target of its own), the time and memory of each job in benchmarks/."
    )
    return f"{table}\n{note(text)}"


def _numbers(amount: Amount) -> list[str]:
    numbers = [(getattr(amount, f.name), 2 if f.name in ("gpu_hours", "money") else 0) for f in fields(Amount)]
    return ["\N{EN DASH}" if n is None else f"{n:,.{digits}f}" for n, digits in numbers]
