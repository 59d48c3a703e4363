"""The frame of a page: one HTML file with its style sheet and its script.

A content security policy names the hashes of both. So nothing else can run or be fetched, whatever the body holds: no script or
style of another source, no image, no request.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from string import Template

from reversegen.core.escaping import html_text

STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1d2126; --faint: #59636e; --line: #dde2e7; --back: #fff; --card: #f6f8fa; --warn: #9a3412; --warn-back: #fff4ed;
  --c0: #0067a5; --c1: #b45309; --c2: #00765a; --c3: #a8487f; --c4: #59636e;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ink: #e3e7eb; --faint: #9aa5b1; --line: #343b44; --back: #14181d; --card: #1b2027; --warn: #fdba74; --warn-back: #2b1d12;
    --c0: #56b4e9; --c1: #e69f00; --c2: #33c49a; --c3: #e29cc6; --c4: #9aa5b1;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: .5rem 1.25rem 4rem; color: var(--ink); background: var(--back);
  font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: .25rem 0; font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 3rem 0 .5rem; font-size: 1.3rem; scroll-margin-top: 1rem; }
h3 { margin: 1.5rem 0 .25rem; font-size: 1rem; }
a { color: var(--c0); }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem 2rem; }
nav { display: flex; gap: 1rem; max-width: 100%; padding-block: .3rem; overflow-x: auto; font-size: .875rem;
  white-space: nowrap; }
.first { display: grid; gap: .75rem 2rem; margin-top: .25rem; }
.first > * { min-width: 0; }
.first h2 { margin: 0 0 .4rem; font-size: 1rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0; }
.tiles > div { flex: 1 1 14.5rem; padding: .5rem .9rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--card); }
.tiles dt { font-size: .875rem; font-weight: 600; }
.tiles dd { margin: 0; color: var(--faint); font-size: .8125rem; }
.tiles dd:nth-of-type(1) { display: flex; gap: .6rem; }
.tiles dd > span { display: grid; }
.tiles strong { color: var(--ink); font-size: 1.4rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tiles [role="img"] { color: var(--faint); font-size: 1.2rem; line-height: 1.7; }
.tiles small { font-size: .8125rem; }
.certainty ul, .steps ol { margin: 0; padding-left: 1.1rem; font-size: .875rem; line-height: 1.5; }
.certainty > ul { display: grid; gap: .3rem; }
.certainty li.alarm { list-style: none; margin-left: -1.1rem; }
.steps ol { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); gap: .5rem 2.25rem; }
.command { display: block; margin-top: .25rem; padding: .3rem .5rem; border: 1px solid var(--line); border-radius: .35rem;
  background: var(--card); font: .75rem/1.5 ui-monospace, monospace; user-select: all; }
.command span { display: inline-block; max-width: 100%; overflow-wrap: anywhere; }
section > p > .command { max-width: max-content; }
.id, .steps code { overflow-wrap: anywhere; }
.term { padding: 0; border: 0; border-radius: 0; color: inherit; background: none; font: inherit;
  text-align: inherit; text-decoration: underline dotted .08em; text-underline-offset: .2em; cursor: help; }
[popover] { max-width: min(24rem, calc(100vw - 2rem)); padding: .6rem .85rem; border: 1px solid var(--line);
  border-radius: .5rem; color: var(--ink); background: var(--card); box-shadow: 0 .25rem 1rem #0003; font-size: .875rem; }
@supports (position-area: bottom) {
  [popover] { inset: auto; margin: .3rem .5rem .3rem 0; position-area: bottom span-right;
    position-try-fallbacks: flip-block, flip-inline, flip-block flip-inline; }
}
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: .75rem 2rem; }
figure { display: flex; flex-direction: column; margin: 1rem 0; max-width: 34rem; min-width: 0; }
.first figure { margin: 0; }
figure details { order: 3; font-size: .875rem; }
figure > svg { order: 1; display: block; width: 100%; height: auto; }
figcaption { order: 2; margin-top: .3rem; }
.legend { order: 0; display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .8125rem; }
.legend span { display: inline-flex; align-items: center; gap: .3rem; }
.legend .unit { margin-left: auto; color: var(--faint); }
figcaption, .note, .facts { max-width: 50rem; color: var(--faint); font-size: .875rem; }
figcaption { font-size: .8125rem; }
svg text { fill: var(--ink); font: 12.5px system-ui, sans-serif; }
svg .end { text-anchor: end; }
svg .mid { text-anchor: middle; }
svg .grid { stroke: var(--line); stroke-width: 1; fill: none; }
svg .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
svg .line.faint { stroke-width: 1; opacity: .6; }
svg .bar { stroke-width: 1.6; fill: none; }
svg .c0 { stroke: var(--c0); } svg .c1 { stroke: var(--c1); } svg .c2 { stroke: var(--c2); }
svg .c3 { stroke: var(--c3); } svg .c4 { stroke: var(--c4); }
svg .mark, svg rect, svg circle { stroke: none; }
svg .mark.c0, svg rect.c0, svg circle.c0 { fill: var(--c0); } svg .mark.c1, svg circle.c1 { fill: var(--c1); }
svg .mark.c2, svg circle.c2 { fill: var(--c2); } svg .mark.c3, svg circle.c3 { fill: var(--c3); }
svg .mark.c4, svg circle.c4 { fill: var(--c4); }
.wide { overflow-x: auto; }
table { border-spacing: 0; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .65rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th { font-weight: 600; }
th:first-child { position: sticky; left: 0; padding-left: 0; background: var(--back); text-align: left; }
td small { display: block; color: var(--faint); white-space: nowrap; }
th small { display: block; color: var(--faint); font-weight: 400; }
summary { margin: .4rem 0; cursor: pointer; }
pre { overflow-x: auto; font-size: .75rem; }
.alarm ul { margin: 0; padding-left: 1.1rem; }
.alarm { max-width: 50rem; padding: .5rem .9rem; border-left: 4px solid var(--warn); background: var(--warn-back); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 1rem;
  margin: 1rem 0; padding: 0; list-style: none; }
.cards > li { display: flex; flex-direction: column; padding: .75rem 1rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--card); break-inside: avoid; }
.cards h3 { margin: 0; overflow-wrap: anywhere; }
.cards p { margin: .25rem 0; }
.cards ul { margin: .25rem 0; padding-left: 1.1rem; font-size: .875rem; overflow-wrap: anywhere; }
.trend { display: flex; align-items: end; gap: .6rem; color: var(--faint); font-size: .8125rem; }
.trend svg { flex: none; }
button, input, select { padding: .3rem .6rem; border: 1px solid var(--line); border-radius: .35rem; color: inherit;
  background: var(--back); font: inherit; font-size: .875rem; }
button { cursor: pointer; }
.cards button { align-self: start; margin-top: auto; }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .75rem 0; }
form[hidden] { display: none; }
form input { flex: 1 1 14rem; }
form select { max-width: 100%; }
.examples { max-height: 80vh; overflow: auto; border-block: 1px solid var(--line); }
.examples table { width: 100%; }
.examples th, .examples td { text-align: left; }
#costs ~ * :is(th, td):nth-child(2) { text-align: left; }
.examples td:first-child { padding-left: 0; }
.examples thead th { position: sticky; top: 0; z-index: 1; background: var(--back); }
.examples td.text, .examples td.trusted { overflow-wrap: anywhere; white-space: pre-line; }
.examples td.text { min-width: 12rem; }
.examples .id { overflow-wrap: normal; font-family: ui-monospace, monospace; }
@media (min-width: 66rem) {
  .first { grid-template: "finding certainty" auto "charts certainty" auto "steps steps" auto / minmax(0, 2fr) minmax(0, 1fr); }
  .finding { grid-area: finding; } .certainty { grid-area: certainty; } .steps { grid-area: steps; }
  .first > .charts { grid-area: charts; }
}
@media (max-width: 40rem) {
  body { padding-inline: .9rem; }
  .tiles > div { padding: .4rem .75rem; }
  th, td { padding: .35rem .4rem; }
  .examples thead { display: none; }
  .examples tr:not([hidden]) { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .examples td { display: inline; padding: 0 .5rem 0 0; border: 0; color: var(--faint); }
  .examples td.text, .examples td.trusted { display: block; padding: .1rem 0; color: var(--ink); }
  .examples tr[data-iteration] td:nth-child(2)::before { content: "iteration "; }
  .examples td.id + td:not(.text)::after { content: " characters"; }
  .examples td[data-head] { display: inline-block; }
  .examples td[data-head]::before { content: attr(data-head) ": "; }
  .examples td:empty { display: none; }
  .examples td.answer::before { content: "answer: "; color: var(--faint); }
  .examples td.trusted::before { content: "trusted: "; color: var(--faint); }
}
@media print {
  body { max-width: none; padding: 0; font-size: .8rem; }
  nav, form, button:not(.term), .steps, summary { display: none; }
  .term { text-decoration: none; }
  [popover] { display: block; position: static; max-width: none; margin: 0; padding: .1rem 0; border: 0; box-shadow: none; }
  .charts { grid-template-columns: 1fr 1fr; }
  figure, .wide { break-inside: avoid; }
  .wide, .examples { overflow: visible; max-height: none; }
  table { font-size: .7rem; line-height: 1.3; }
  th, td { padding: .2rem .5rem; }
  th:first-child, .examples thead th { position: static; }
  h2 { break-after: avoid; }
}
"""
"""The colours are Okabe and Ito's for the colour-blind (2008), darker on white so that they reach a contrast of 4.5."""

ROWS_AT_ONCE = 100
"""Number of rows of a long table that are shown at once. A browser needs a second to lay out 2,000 of them."""

SCRIPT = (
    f"""
"use strict";
const FIRST = {ROWS_AT_ONCE};
"""
    + """const form = document.querySelector("#filters");
if (form) {
  const rows = [...document.querySelectorAll("#filters ~ .examples tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const keys = ["cluster", "iteration", "group"].filter((key) => form.elements[key]);
  const more = document.querySelector("#more");
  let most = FIRST;
  const show = () => {
    const words = form.elements.search.value.toLowerCase().trim();
    let count = 0;
    rows.forEach((row, n) => {
      const fits = texts[n].includes(words)
        && keys.every((key) => !form.elements[key].value || form.elements[key].value === row.dataset[key]);
      count += fits;
      row.hidden = !fits || count > most;
    });
    form.querySelector("output").textContent = `${count} of ${rows.length}`;
    more.hidden = count <= most;
  };
  const again = () => { most = FIRST; show(); };
  form.hidden = false;
  form.addEventListener("input", again);
  form.addEventListener("reset", () => setTimeout(again));
  more.addEventListener("click", () => { most *= 2; show(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const button of document.querySelectorAll("button[data-cluster]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      form.reset();
      form.elements.cluster.value = button.dataset.cluster;
      again();
      document.querySelector("#examples").scrollIntoView();
    });
  }
  show();
}
"""
)

_FRAME = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; form-action 'none'; \
script-src '$script_hash'; style-src '$style_hash'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>$title</title>
<style>$style</style>
</head>
<body>
$body
<script>$script</script>
</body>
</html>
""")


def html_document(title: str, body: str) -> str:
    """A whole page. `title` is text. `body` is HTML in which all text of models and files is escaped."""
    return _FRAME.substitute(
        title=html_text(title),
        body=body,
        style=STYLE,
        script=SCRIPT,
        style_hash=_hash(STYLE),
        script_hash=_hash(SCRIPT),
    )


def _hash(source: str) -> str:
    """The name of an inline source in a content security policy (W3C, Content Security Policy Level 3)."""
    return f"sha256-{base64.b64encode(sha256(source.encode()).digest()).decode()}"
