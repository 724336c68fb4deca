/** How the page looks: light and dark as the reader's system is, on paper without colours behind, from 400 pixels on. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fff; --card: #f6f7f9; --line: #d8dce2; --text: #1c2330; --quiet: #5b6575;
  --good: #14703c; --bad: #b3261e; --late: #9a5b00; --bar: #3b6fd4; --soft: #a9c1ee; --mark: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --card: #1d2229; --line: #343b46; --text: #e6e9ee; --quiet: #9aa4b2;
    --good: #58c98a; --bad: #ff8a80; --late: #f0b35c; --bar: #7ea6f4; --soft: #3c5484; --mark: #ff8a80;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 60rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
p { margin: .5rem 0; }
code, pre { font: .85em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; }
.quiet { color: var(--quiet); }
.good { color: var(--good); } .bad { color: var(--bad); } .late { color: var(--late); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; }
.tiles b { display: block; font-size: 1.35rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.box { border: 1px solid var(--line); border-left: .3rem solid var(--bad); border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0; }
.box p:first-child { margin-top: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th { font-weight: 600; color: var(--quiet); }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; } h3 .quiet { font-weight: 400; }
.sizes { columns: 20rem; column-gap: 2rem; margin: 0; padding: 0; list-style: none; font-variant-numeric: tabular-nums; }
.sizes li { display: flex; justify-content: space-between; gap: 1rem; break-inside: avoid; padding: .15rem 0; border-bottom: 1px solid var(--line); }
.times { display: flex; justify-content: space-between; font-size: .8rem; color: var(--quiet); }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.step { margin: 0 0 .6rem; }
.step .words { display: flex; justify-content: space-between; gap: 1rem; }
.step .words > :first-child { min-width: 0; overflow-wrap: anywhere; }
.step .words > :last-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
.track { position: relative; height: .6rem; background: var(--card); border: 1px solid var(--line); border-radius: .3rem; overflow: hidden; }
.track i { position: absolute; top: 0; bottom: 0; min-width: 2px; background: var(--bar); }
.step.inner { margin-left: 1.5rem; }
.step.phase .track i { background: var(--soft); }
figure { margin: 0; }
.chart { display: grid; grid-template-columns: max-content 1fr; gap: .25rem .5rem; font-size: .8rem; color: var(--quiet); }
.chart .scale { display: flex; flex-direction: column; justify-content: space-between; text-align: right; }
.chart .times { grid-column: 2; }
.chart svg { width: 100%; height: 11rem; border: 1px solid var(--line); border-radius: .3rem; background: var(--card); display: block; }
.chart .wait { fill: var(--bar); stroke: none; }
.chart .limit { stroke: var(--mark); stroke-width: 1.5; stroke-dasharray: 5 4; vector-effect: non-scaling-stroke; }
.chart .begin { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 2 3; vector-effect: non-scaling-stroke; }
.chart .pause { fill: var(--soft); opacity: .4; }
figcaption { font-size: .85rem; color: var(--quiet); margin-top: .5rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 11pt; }
  .tiles li, .step, figure, tr { break-inside: avoid; }
  .track i, .chart .wait, .chart .pause { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}`;
