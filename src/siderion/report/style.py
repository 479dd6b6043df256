"""The style sheet of the pages: one column on a phone, A4 on paper."""

from __future__ import annotations

STYLE_SHEET = """
:root { --ink: #1b1b1b; --soft: #55606b; --line: #d5dbe1; --accent: #0b4f8a; --warn: #8a3b00;
  --warn-back: #fff1e0; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 1080px; color: var(--ink); background: #fff;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.4rem 0 .6rem; padding-top: .6rem;
  border-top: 2px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.4rem 0 .4rem; }
a { color: var(--accent); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; padding: 0; margin: .8rem 0 0; }
p { max-width: 46rem; }
.lead { font-size: 1.06rem; max-width: 46rem; }
.lead li { margin-bottom: .4rem; }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .5rem 1.2rem;
  margin: 1rem 0; padding: .8rem 1rem; background: #f3f6f9; border-radius: 6px; }
dl.facts dt { color: var(--soft); font-size: .82rem; }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1rem 0 1.6rem; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .4rem 1.2rem; justify-items: center; }
.pair img { width: 100%; max-width: 500px; height: auto; }
figure img { display: block; max-width: 100%; height: auto; }
figure > img { margin: 0 auto; }
figcaption { color: var(--soft); font-size: .92rem; max-width: 46rem; margin-top: .4rem; }
.scroll { overflow-x: auto; }
.broad img { margin: 0 auto; min-width: 680px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--soft); }
td.number, th.number { text-align: right; white-space: nowrap; }
td { overflow-wrap: anywhere; }
table.cards code { white-space: nowrap; }
table.wide td { overflow-wrap: normal; }
.mark { display: inline-block; padding: 0 .45em; border-radius: 4px; font-size: .85rem; white-space: nowrap; }
.mark.verified { background: #e2eefb; color: #0b4f8a; }
.mark.computed { background: #eceff2; color: #333c45; }
.mark.unverified { background: var(--warn-back); color: var(--warn); border: 1px solid var(--warn); font-weight: 600; }
.missing, .caution { border-left: 4px solid var(--warn); background: var(--warn-back); padding: .6rem .9rem; }
pre { white-space: pre-wrap; background: #f3f6f9; padding: .8rem 1rem; border-radius: 6px; font-size: .9rem; }
summary { cursor: pointer; color: var(--accent); padding: .3rem 0; }
footer { margin-top: 3rem; color: var(--soft); font-size: .88rem; }
@media (max-width: 700px) {
  body { padding: .9rem .8rem 2rem; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  h1 { font-size: 1.4rem; }
  table.cards thead { display: none; }
  table.cards tr { display: block; padding: .5rem 0; border-bottom: 2px solid var(--line); }
  table.cards td { display: block; border: 0; padding: .1rem 0; }
  table.cards td::before { content: attr(data-label) ": "; color: var(--soft); }
}
@page { size: A4; margin: 14mm 13mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2, h3 { break-after: avoid; }
  figure, tr, dl, table.wide, .missing, .caution { break-inside: avoid; }
  .pair { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .pair img { max-width: 82mm; }
  figure > img { max-width: 105mm; }
  .scroll { overflow: visible; }
  .broad img { min-width: 0; max-height: 225mm; }
  table { font-size: 8.5pt; }
  table.wide { font-size: 7.5pt; }
  a { color: inherit; text-decoration: none; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  .mark, dl.facts, .missing, .caution, pre { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
