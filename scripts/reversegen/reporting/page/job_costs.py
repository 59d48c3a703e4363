"""The page's table of what the jobs that ask or train a model used."""

from __future__ import annotations

import shlex
from dataclasses import fields

from reversegen.core.escaping import html_text
from reversegen.operations.job import Amount
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import command, html_table, note


def job_costs(content: PageContent) -> str:
    """A line for each rule and model, and one for all jobs, as HTML."""
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
        f"The jobs of {content.run} that ask or train a model used these amounts. \N{EN DASH} means not recorded. The folder "
        "benchmarks/ has the time of each job, and the end of its log its memory. This command writes the plan, with what was "
        "used, to plan.md:"
    )
    plan = shlex.quote(f"results/{content.run}/plan.md")
    return f"{table}\n{note(text)}\n<p>{command(f'snakemake --cores 1 {plan}')}</p>"


def _numbers(amount: Amount) -> list[str]:
    numbers = [(getattr(amount, f.name), 2 if f.name in ("gpu_hours", "money") else 0) for f in fields(Amount)]
    return ["\N{EN DASH}" if n is None else f"{n:,.{digits}f}" for n, digits in numbers]
