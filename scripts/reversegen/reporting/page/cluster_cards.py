"""The page's cards of failure clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reversegen.core.escaping import html_text
from reversegen.core.records import Cluster, Failure
from reversegen.evaluation.judge_check import wilson
from reversegen.reporting.page.charts import columns
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import note, truncated, with_interval
from reversegen.reporting.rows import tasks_of

CARDS = 9
"""Clusters shown at once; the smaller ones unfold."""
LONGEST_ON_CARD = 140
"""Characters of an example."""
VECTORS = {
    "embeddings": "by their sentence embeddings",
    "tf-idf": "by their words and pairs of words (tf-idf), since the task has no embedding model",
}
"""How the instructions were compared, in words."""


def cluster_cards(content: PageContent) -> str:
    """A card for each cluster: its terms, size, failure rate, share by iteration and examples."""
    if content.clusters is None:
        return ""
    if not content.clusters:
        return "<p>The target failed on nothing.</p>"
    by_iteration = [sum(counts) for counts in zip(*(c.failed_by_iteration for c in content.clusters), strict=True)]
    failures = {failure.instruction_id: failure for failure in content.failures}
    cards = [_card(c, by_iteration, failures, content.harmful) for c in content.clusters]
    parts = [note(_explanation(content, content.clusters)), f'<ol class="cards">\n{"".join(cards[:CARDS])}</ol>']
    if cards[CARDS:]:
        more = f"<summary>{len(cards) - CARDS} smaller clusters</summary>"
        parts.append(f'<details>\n{more}\n<ol class="cards">\n{"".join(cards[CARDS:])}</ol>\n</details>')
    return "\n".join(parts)


def _explanation(content: PageContent, clusters: Sequence[Cluster]) -> str:
    whose = f" of {content.run}" if content.run != tasks_of(content.evaluations)[0] else ""
    total = sum(c.failed for c in clusters)
    return (
        f"All {total:,} distinct instructions{whose} that the target failed on in any iteration, in {len(clusters)} "
        f"clusters, compared {VECTORS[clusters[0].vectors]}. A cluster's name is its own most telling words. Failure rate: "
        "failed / (failed + passed), distinct instructions, what passed being counted in the nearest cluster; brackets hold "
        "Wilson's 95 % interval. Columns: the cluster's share of each iteration's failures."
    )


def _card(cluster: Cluster, by_iteration: Sequence[int], failures: Mapping[str, Failure], harmful: bool) -> str:
    rate = wilson(cluster.failed, cluster.failed + cluster.passed)
    shares = [n / whole if whole else 0.0 for n, whole in zip(cluster.failed_by_iteration, by_iteration, strict=True)]
    trend = f"{shares[0]:.0%} of the failures in iteration 0"
    if len(shares) > 1:
        trend += f", {shares[-1]:.0%} in iteration {len(shares) - 1}"
    trend = trend.replace("%", "\N{NO-BREAK SPACE}%")
    in_words = "; ".join(f"iteration {k}: {share:.1%}" for k, share in enumerate(shares))
    examples = [_example(failures[i], harmful) for i in cluster.examples[:3] if i in failures]
    return (
        f"<li><h3>{html_text(cluster.label)}</h3>\n"
        f'<p class="facts"><strong>{cluster.failed:,}</strong> failing, rate {with_interval(rate)}</p>\n'
        f'<div class="trend">{columns(shares, in_words)}<span>{html_text(trend)}</span></div>\n'
        f"<ul>{''.join(f'<li>{example}</li>' for example in examples)}</ul>\n"
        f'<button type="button" data-cluster="{cluster.number}" hidden>Show its examples</button></li>\n'
    )


def _example(failure: Failure, harmful: bool) -> str:
    if harmful or failure.text is None:
        return f'<span class="id">{html_text(failure.instruction_id)}</span>, {failure.characters} characters'
    return html_text(truncated(failure.text, LONGEST_ON_CARD))
