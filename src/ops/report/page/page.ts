import type { OperationErrorDetails } from '../../../connection/errors.ts';
import { formatDuration, formatTime, formatVersion } from '../../../connection/units.ts';
import type { RunReport, RunVerification } from '../report.ts';
import { type Html, html } from './html.ts';
import { describeSizes } from './sizes.ts';
import { style } from './style.ts';
import { describeTiles } from './tiles.ts';
import { describeTimeline } from './timeline.ts';
import { describeWaits } from './waits.ts';

/**
 * The report of a run as one page, which needs nothing else: no script, no font, no request. Also of a run that goes on or
 * was killed: it is written again at each step.
 *
 * @param nowMs until when a run that has not ended is drawn
 */
export function formatReportPage(report: RunReport, nowMs: number = Date.now()): string {
  const { command, target } = report;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${command} of ${target}: ${outcomes[report.outcome].word}</title>
<style>${{ html: style }}</style>
</head>
<body>
<h1>${command} of <code>${target}</code></h1>
<p class="${outcomes[report.outcome].look}"><b>${outcomes[report.outcome].word}</b> <span class="quiet">${when(report)}</span></p>
${describeError(report.error)}
${describeTiles(report)}
${report.steps.length === 0 || report.phases !== undefined ? describeText(report.text) : undefined}
${describeTimeline(report, nowMs)}
${describeWaits(report)}
${describeSizes(report)}
${describeVerification(report.verification)}
${describeCircumstances(report)}
</body>
</html>
`;
  return page.html;
}

const outcomes: Readonly<Record<RunReport['outcome'], { readonly word: string; readonly look: string }>> = {
  done: { word: 'Done', look: 'good' },
  faults: { word: 'Done, and not as it should be', look: 'bad' },
  failed: { word: 'Failed', look: 'bad' },
  running: { word: 'Not ended: it is going on, or was killed', look: 'late' },
};

const when = ({ startedAtMs, endedAtMs }: RunReport): string =>
  endedAtMs === undefined
    ? `begun ${formatTime(startedAtMs)}`
    : `${formatTime(startedAtMs)}, ${formatDuration(endedAtMs - startedAtMs)}`;

function describeError(error: OperationErrorDetails | undefined): Html | undefined {
  if (error === undefined) return undefined;
  const { code, message, file, line, statement, sqlState, serverMessage, advice } = error;
  return html`<div class="box">
<p><b>${code}</b>: ${message}</p>
${facts({
  file: file && `${file}${line === undefined ? '' : `:${line}`}`,
  statement,
  SQLSTATE: sqlState,
  PostgreSQL: serverMessage,
  'what to do': advice,
})}
</div>`;
}

const describeText = (text: string | undefined): Html | undefined =>
  text === undefined || text === '' ? undefined : html`<pre>${text}</pre>`;

function describeVerification(verification: RunVerification | undefined): Html | undefined {
  if (verification === undefined) return undefined;
  const { verified, findings } = verification;
  return html`<h2>Verification</h2>
<p class="${verified ? 'good' : 'bad'}">${verified ? 'The database is what this release says.' : 'The database is not what this release says.'}</p>
${
  findings.length === 0
    ? undefined
    : html`<div class="scroll"><table>
<tr><th>object</th><th>expected</th><th>found</th><th>what to do</th></tr>
${findings.map(
  ({ level, object, expected, found, repair }) =>
    html`<tr><td>${object} <span class="${level === 'fault' ? 'bad' : 'late'}">${level}</span></td><td>${expected}</td><td>${found}</td><td>${repair}</td></tr>`,
)}
</table></div>`
}`;
}

function describeCircumstances(report: RunReport): Html {
  const { versionNumber, release, operator, role, backup, snapshot, analyzed, startedAtMs, endedAtMs } =
    report;
  return html`<h2>Circumstances</h2>
${facts({
  server: versionNumber === undefined ? undefined : `PostgreSQL ${formatVersion(versionNumber)}`,
  release: `multi-pair-db ${release}`,
  'who ran it': `${operator.user} on ${operator.host}${role === undefined ? '' : `, as the role ${role}`}`,
  begun: formatTime(startedAtMs),
  ended: endedAtMs === undefined ? 'not yet, or it was killed' : formatTime(endedAtMs),
  backup: backup && `${backup.path}, begun ${formatTime(backup.startedAtMs)}, sha256 ${backup.sha256}`,
  snapshot,
  analyzed: analyzed?.map(({ name, durationMs }) => `${name} (${formatDuration(durationMs)})`).join(', '),
})}`;
}

const facts = (rows: Readonly<Record<string, string | undefined>>): Html =>
  html`<dl>${Object.entries(rows).map(([name, text]) =>
    text === undefined || text === '' ? undefined : html`<dt>${name}</dt><dd>${text}</dd>`,
  )}</dl>`;
