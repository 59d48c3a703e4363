"""The page's curves of training, and what the saved models kept of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reversegen.core.escaping import html_text
from reversegen.evaluation.eval_file import EvalFile
from reversegen.reporting.page.charts import Point, Series, line_chart
from reversegen.reporting.page.content import Curve
from reversegen.reporting.page.elements import figure, html_table, note, with_interval
from reversegen.reporting.rows import ROWS, row_name


def training(curves: Mapping[str, Curve], evaluations: Sequence[EvalFile]) -> str:
    """Loss and reward accuracy by step: warm-up, DPO by iteration, enhancement by source; what the saved models kept of it."""
    charts, table = _curves(curves), _kept_in_saving(evaluations)
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


def _kept_in_saving(evaluations: Sequence[EvalFile]) -> str:
    """A table of the models that were measured as they are loaded; empty without one."""
    lines = []
    for e in evaluations:
        if share := e.metrics.get("training_kept"):
            cells = [f"{e.task}: {e.role}, {ROWS[e.role]} {row_name(e)}", with_interval(share), share.reason or ""]
            lines.append([html_text(cell) for cell in cells])
    if not lines:
        return ""
    text = (
        "Log-probability of completions, for DPO the margin of chosen over rejected ones, of a draw of the training rows: what "
        "the saved model has of the gain, as it is loaded, over what the trainer's had."
    )
    heads = ["model", "share of the gain that was saved", "why there is none"]
    return f"{html_table('Kept in saving', heads, lines)}\n{note(text)}"


def _curve_chart(title: str, curves: Mapping[str, Curve], key: str, unit: str) -> str:
    series = [
        Series(
            name, [Point(entry["step"], entry[key]) for entry in curve if math.isfinite(entry.get(key, math.nan))], n
        )
        for n, (name, curve) in enumerate(curves.items())
    ]
    series = [line for line in series if line.points]
    return figure(title, line_chart(title, series, "step", unit, share=unit != "loss")) if series else ""
