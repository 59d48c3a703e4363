"""The page's cards of failure clusters, one card for each cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reversegen.core.escaping import html_text
from reversegen.core.failure_records import Cluster, Failure
from reversegen.evaluation.judge_check import wilson
from reversegen.reporting.page.charts import columns
from reversegen.reporting.page.content import PageContent
from reversegen.reporting.page.elements import metric_html, note, truncated
from reversegen.reporting.rows import tasks_of

CARDS = 9
"""Number of clusters that are shown at once. The smaller ones unfold."""
GROUPS = 4
"""Number of types or categories that a card names; the others are counted."""
LONGEST_ON_CARD = 140
"""Number of characters of an example; a longer one is truncated."""
VECTORS = {
    "embeddings": "by their sentence embeddings",
    "tf-idf": "by their words and pairs of words (tf-idf), because the task has no embedding model",
}
"""How the instructions were compared, in words."""


def cluster_cards(content: PageContent) -> str:
    """A card for each cluster, as HTML: its terms, size, failure rate, share by iteration and examples."""
    if content.clusters is None:
        return ""
    if not content.clusters:
        return "<p>The target failed on no instruction.</p>"
    by_iteration = [sum(counts) for counts in zip(*(c.failed_by_iteration for c in content.clusters), strict=True)]
    failures = {failure.instruction_id: failure for failure in content.failures}
    cards = [_card(c, by_iteration, failures, content) for c in content.clusters]
    parts = [note(_explanation(content, content.clusters)), f'<ol class="cards">\n{"".join(cards[:CARDS])}</ol>']
    if cards[CARDS:]:
        summary = f"<summary>{len(cards) - CARDS} smaller clusters</summary>"
        parts.append(f'<details>\n{summary}\n<ol class="cards">\n{"".join(cards[CARDS:])}</ol>\n</details>')
    return "\n".join(parts)


def _explanation(content: PageContent, clusters: Sequence[Cluster]) -> str:
    whose = f" of {content.run}" if content.run != tasks_of(content.evaluations)[0] else ""
    total = sum(c.failed for c in clusters)
    groups = "one cluster" if len(clusters) == 1 else f"{len(clusters)} clusters"
    return (
        f"The target failed on {total:,} distinct instructions{whose}. They are in {groups}, compared "
        f"{VECTORS[clusters[0].vectors]}. A cluster is named after the words that set it apart. Its rate is failed / (failed "
        "+ passed) over distinct instructions. An instruction that passed counts in the nearest cluster. Brackets hold "
        "Wilson's 95 % interval. The small columns show the cluster's share of the failures of each iteration."
    )


def _card(cluster: Cluster, by_iteration: Sequence[int], failures: Mapping[str, Failure], content: PageContent) -> str:
    rate = wilson(cluster.failed, cluster.failed + cluster.passed)
    shares = [n / whole if whole else 0.0 for n, whole in zip(cluster.failed_by_iteration, by_iteration, strict=True)]
    trend = f"{shares[0]:.0%} of the failures in iteration 0"
    if len(shares) > 1:
        trend += f", {shares[-1]:.0%} in iteration {len(shares) - 1}"
    trend = trend.replace("%", "\N{NO-BREAK SPACE}%")
    in_words = "; ".join(f"iteration {k}: {share:.1%}" for k, share in enumerate(shares))
    examples = [_example(failures[i], content.harmful) for i in cluster.examples[:3] if i in failures]
    right = (
        f", {cluster.passed - cluster.abstained:,} right, {cluster.abstained:,} abstained" if content.abstains else ""
    )
    return (
        f"<li><h3>{html_text(cluster.label)}</h3>\n"
        f'<p class="facts"><strong>{cluster.failed:,}</strong> failing{right}, rate {metric_html(rate)}</p>\n'
        f'<div class="trend">{columns(shares, in_words)}<span>{html_text(trend)}</span></div>\n'
        f"{_groups(cluster)}<ul>{''.join(f'<li>{example}</li>' for example in examples)}</ul>\n"
        f'<button type="button" data-cluster="{cluster.number}" hidden>Show its examples</button></li>\n'
    )


def _groups(cluster: Cluster) -> str:
    """The largest types or categories of the cluster's failures, as HTML; empty if they have none."""
    if not cluster.groups:
        return ""
    shown = [f"{html_text(name)} {count:,}" for name, count in list(cluster.groups.items())[:GROUPS]]
    more = len(cluster.groups) - GROUPS
    return f'<p class="facts">By type: {", ".join(shown)}{f", {more} more types" if more > 0 else ""}</p>\n'


def _example(failure: Failure, harmful: bool) -> str:
    if harmful or failure.text is None:
        return f'<span class="id">{html_text(failure.instruction_id)}</span>, {failure.characters} characters'
    return html_text(truncated(failure.text, LONGEST_ON_CARD))
