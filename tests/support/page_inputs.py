"""Input for pages in tests, and a parser that reads a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from reversegen.core.failure_records import Cluster, Failure
from reversegen.core.metric import Metric
from reversegen.core.records import Judgement, Verdict
from reversegen.evaluation.audit_draw import STRATA, VERDICTS
from reversegen.evaluation.eval_file import EvalFile
from reversegen.evaluation.judge_check import JudgeReport
from reversegen.evaluation.outcomes import Counts, EvaluationOutcomes
from reversegen.operations.job import Amount, Job
from reversegen.reporting.page.content import IterationAudit, PageContent
from reversegen.reporting.page.page import task_page
from reversegen.reporting.rows import TARGET_ROWS, row_identity

VOID = {"br", "input", "meta", "wbr"}
ACCURACY = dict(zip(TARGET_ROWS, (0.45, 0.52, 0.58, 0.5, 0.71), strict=True))


def share(value: float | None) -> Metric:
    return Metric(value=value) if value is None else Metric(value=value, low=value - 0.02, high=value + 0.02)


def evaluations(*seeds: int, name: str = "tiny-math", group: str = "add_add") -> list[EvalFile]:
    """Iterations 0 to 2 and all sources. The numbers of each random seed are 0.01 above those of the random seed before it."""
    rows = []
    for seed in seeds:
        given: dict[str, Any] = {"task": f"{name}.s{seed}" if seed else name, "kind": "math"}
        given["provenance"] = {"configuration": f"sha256:{seed}", "random_seeds": {"task": seed}, "note": f"<{group}>"}
        for k, rate in enumerate((0.25, 0.6, 0.9)):
            metrics = {
                "failure_rate": share(rate + seed / 100),
                "validity": share(0.8),
                "distinct_3": Metric(value=None),
            }
            rows.append(
                EvalFile(**given, **row_identity("proposer", str(k)), role="proposer", metrics=metrics, groups={})
            )
        for source, accuracy in ACCURACY.items():
            metrics = {"accuracy": share(accuracy + seed / 100), "retained": share(0.95), "invalid_share": share(0.01)}
            groups = {"type": {group: {"accuracy": share(0.3)}}}
            rows.append(
                EvalFile(**given, **row_identity("target", source), role="target", metrics=metrics, groups=groups)
            )
    return rows


def answered(seeds: int) -> tuple[list[EvalFile], list[EvaluationOutcomes]]:
    """Targets that answer the same 100 questions: 20, 40 and 60 are right, and 5 more with every second random seed."""
    outcomes = []
    for seed in range(seeds):
        for source, right in (("original", 20), ("seeds", 40), ("reversegen", 60)):
            hits = [1] * (right + 5 * (seed % 2)) + [0] * (100 - right - 5 * (seed % 2))
            metric = Metric(value=sum(hits) / 100, low=0.1, high=0.9, count=sum(hits), total=100)
            given: dict[str, Any] = {
                "task": f"t.s{seed}" if seed else "t",
                "kind": "math",
                "groups": {},
                "provenance": {},
            }
            given |= {"role": "target", **row_identity("target", source), "metrics": {"accuracy": metric}}
            counts = {"accuracy": Counts(clusters="same", hits=hits, trials=1)}
            outcomes.append(EvaluationOutcomes(evaluation=EvalFile(**given), counts=counts, scores=None))
    return [one.evaluation for one in outcomes], outcomes


def failures(count: int, **changes: Any) -> list[Failure]:
    """Rows in three clusters, two iterations and two types. Each of these divides the rows independently of the others."""
    rows = []
    for n in range(count):
        given: dict[str, Any] = {"instruction_id": f"{n:016x}", "cluster": n % 3, "iteration": n % 2, "samples": 1}
        given |= {"group": "odd" if n % 5 else "even", "characters": 9, "detail": "S1", "score": 0.5}
        given |= {"text": f"question {n}", "response": f"answer {n}", "reference": str(n)}
        rows.append(Failure(**given | changes))
    return rows


def clusters(rows: Sequence[Failure], *labels: str) -> list[Cluster]:
    """The clusters of `rows`, named by `labels`; cluster n has n passed instructions."""
    records = []
    for n, label in enumerate(labels or ("plus, minus", "times", "boxes")):
        members = [f for f in rows if f.cluster == n]
        by_iteration = [sum(f.iteration == k for f in members) for k in range(2)]
        given: dict[str, Any] = {"number": n, "label": label, "terms": [label], "vectors": "tf-idf", "passed": n}
        given |= {"failed": len(members), "failed_by_iteration": by_iteration, "passed_by_iteration": [0, n]}
        given |= {"abstained": n // 2, "abstained_by_iteration": [0, n // 2]}
        given["groups"] = dict(Counter(f.group for f in members).most_common())
        records.append(Cluster(**given, examples=[f.instruction_id for f in members[:5]]))
    return records


def audits(rows: Sequence[Failure]) -> list[IterationAudit]:
    """The audits of iterations 0 and 1 with some of `rows`, on half of which a judge has no verdict and a person has one."""
    made = []
    for k in range(2):
        chosen = [f for f in rows if f.iteration == k][:9]
        given = [
            {
                "instruction_id": f.instruction_id,
                "instruction": f.text or "",
                "response": f.response or "",
                "reference": f.reference or "",
                "person": VERDICTS[n % 3] if n % 2 else "",
                "stratum": STRATA[n % 3],
                "drawn": "1 of 2",
                "detail": f.detail,
                "verdict": VERDICTS[n // 3],
            }
            for n, f in enumerate(chosen)
        ]
        votes = {
            "guard": {f.instruction_id: VERDICTS[n % 2] for n, f in enumerate(chosen)},
            "held": {f.instruction_id: VERDICTS[1] for f in chosen[::2]},
        }
        made.append(IterationAudit(Path(f"results/tiny-math/iter{k}/audit.csv"), given, votes))
    return made


def judgement(identity: str, verdict: Verdict) -> Judgement:
    return Judgement(instruction_id=identity, verdict=verdict, score=None, detail="", refusal=None)


def job(rule: str) -> Job:
    return Job(rule, "iter0", "tiny", "iter0/x.jsonl", Amount(), "why")


JUDGE = JudgeReport(
    sensitivity=Metric(value=0.9, low=0.8, high=0.95, count=90, total=100),
    specificity=Metric(value=0.7, low=0.6, high=0.8, count=70, total=100),
    injections=Metric(value=None, count=0, total=0),
    invalid=Metric(value=0.0, low=0.0, high=0.01, count=0, total=200),
)


def content(count: int = 30, labels: Sequence[str] = (), **changes: Any) -> PageContent:
    """The content of a page with every part."""
    rows = failures(count, **changes)
    steps = [{"step": 10 * n, "loss": 2.0 / n, "rewards/accuracies": 0.5 + n / 10} for n in range(1, 4)]
    return PageContent(
        evaluations=evaluations(0),
        run="tiny-math",
        clusters=clusters(rows, *labels),
        failures=rows,
        judge=JUDGE,
        audits=audits(rows),
        curves=dict.fromkeys(("iter0", "iter1", "iter2", "reversegen", "seeds"), steps),
        job_costs=[
            (job("answer_tests"), Amount(prompts=3, written=1200)),
            (job("answer_tests"), Amount(prompts=4)),
            (job("x"), None),
        ],
        currency="USD",
        files={"failure_clusters.jsonl": "a" * 64, "failures.parquet": "b" * 64},
    )


HOSTILE = (
    "</td></script><script>window.pwned=1</script><img src=http://127.0.0.1:9/x onerror='window.pwned=2'>"
    '" onload=a()\x1b[2J\u202e\u200b'
)


def hostile() -> PageContent:
    """The content of a page with hostile text in every field that a model fills."""
    texts = dict.fromkeys(("text", "response", "reference"), HOSTILE)
    return content(20, [HOSTILE] * 3, group=HOSTILE, detail=HOSTILE, **texts)


def page_of(given: Sequence[EvalFile]) -> str:
    """The page of evaluations alone."""
    return task_page(PageContent(given))


class ParsedPage(HTMLParser):
    """Collects the tags, attributes and texts of a page. It fails if tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, key, value) for key, value in attrs]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes nothing"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))


def audit_tables(page: str) -> list[list[dict[str, str]]]:
    """The lines of each table in a page's section on audits, as the texts of their cells by the head of the column."""
    parser = _Tables()
    parser.feed(page.split('<h2 id="audit"')[1].split("<h2")[0])
    return [[dict(zip(heads, line, strict=True)) for line in lines] for heads, *lines in parser.tables]


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.tables[-1][-1][-1] += data
