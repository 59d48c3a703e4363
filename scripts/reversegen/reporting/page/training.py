"""The page's training curves, and how much of the training the saved models keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reversegen.core.escaping import html_text
from reversegen.evaluation.eval_file import EvalFile
from reversegen.reporting.page.charts import Point, Series, line_chart
from reversegen.reporting.page.content import Curve
from reversegen.reporting.page.elements import figure, html_table, metric_html, note
from reversegen.reporting.rows import ROWS, row_name


def training(curves: Mapping[str, Curve], evaluations: Sequence[EvalFile]) -> str:
    """Curves of the warm-up, of DPO by iteration and of enhancement by source, and what the saved models keep, as HTML."""
    charts, table = _curves(curves), _saved_shares(evaluations)
    return f"{charts}\n{table}" if table else charts


def _curves(curves: Mapping[str, Curve]) -> str:
    warmup = {"warm-up": curves["iter0"]} if "iter0" in curves else {}
    preference = {
        f"iteration {part.removeprefix('iter')}": curve
        for part, curve in curves.items()
        if part.startswith("iter") and part != "iter0"
    }
    enhancement = {part: curve for part, curve in curves.items() if not part.startswith("iter")}
    charts = [
        _curve_chart("Loss of the warm-up of proposer 0", warmup, "loss", "loss"),
        _curve_chart("Loss of DPO by iteration", preference, "loss", "loss"),
        _curve_chart(
            "Share of pairs whose chosen instruction DPO prefers", preference, "rewards/accuracies", "reward accuracy"
        ),
        _curve_chart("Loss of the target's enhancement by source", enhancement, "loss", "loss"),
    ]
    return f'<div class="charts">\n{"".join(charts)}</div>' if any(charts) else ""


def _saved_shares(evaluations: Sequence[EvalFile]) -> str:
    """A table of the trained models that were measured after saving; empty if none was."""
    lines = []
    for e in evaluations:
        if share := e.metrics.get("training_kept"):
            name = html_text(f"{e.task}: {e.role}, {ROWS[e.role]} {row_name(e)}")
            lines.append([name, metric_html(share), html_text(share.reason or "")])
    if not lines:
        return ""
    text = (
        "Training raises the log-probability of the completions (for DPO, the margin of the chosen over the rejected ones). "
        "The share is the gain of the saved model, loaded again, over the gain of the trainer's model, on a sample of the "
        "training rows."
    )
    heads = ["model", "share of the gain in the saved model", "reason for a missing number"]
    if not any(reason for _, _, reason in lines):
        heads, lines = heads[:2], [line[:2] for line in lines]
    return f"{html_table('Gain in the saved models', heads, lines)}\n{note(text)}"


def _curve_chart(title: str, curves: Mapping[str, Curve], key: str, unit: str) -> str:
    series = [
        Series(
            name, [Point(entry["step"], entry[key]) for entry in curve if math.isfinite(entry.get(key, math.nan))], n
        )
        for n, (name, curve) in enumerate(curves.items())
    ]
    series = [line for line in series if line.points]
    return figure(title, line_chart(title, series, "step", unit, share=unit != "loss")) if series else ""
