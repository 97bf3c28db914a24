// The page that a browser gets at `/`: how the service stands and where its answers are. Plain HTML without scripts; every text
// from outside is escaped.
import { printAge } from '../core/freshness.js';
import type { TableSummary } from '../query/query-facade.js';
import type { ServiceStatus } from './status-facade.js';

export function frontPage(status: ServiceStatus, tables: readonly TableSummary[]): string {
  const connectors = status.connectors
    .map(
      (c) =>
        `<tr><td>${escapeHtml(c.name)}</td><td>${escapeHtml(c.connector.state)}</td><td>${escapeHtml(c.source.phase)}</td></tr>`,
    )
    .join('');
  const rows = tables
    .map((table) => {
      const path = `/v1/tables/${encodeURIComponent(table.name)}`;
      return `<tr><td><a href="${path}">${escapeHtml(table.name)}</a></td><td>${table.rowCount}</td><td>${printAge(table.age.lagMs)}${table.freshness.stale === undefined ? '' : ` (${table.freshness.stale})`}</td><td><a href="${path}/rows?limit=100">rows</a> <a href="${path}/changes?snapshot=true">changes</a></td></tr>`;
    })
    .join('');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>writethrough</title>
<meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}td,th{padding:.2rem 1rem .2rem 0;text-align:left}</style>
</head><body><h1>writethrough ${escapeHtml(status.serviceVersion)}</h1>
<p>${escapeHtml(status.state)}, ${status.stale === undefined ? `${status.lagMs} ms behind` : `up to ${printAge(status.lagMs)} old (${status.stale})`}, version <code>${escapeHtml(status.version)}</code></p>
<h2>Connectors</h2><table><tr><th>name</th><th>state</th><th>phase</th></tr>${connectors}</table>
<h2>Tables</h2><table><tr><th>name</th><th>rows</th><th>behind</th><th></th></tr>${rows}</table>
<h2>More</h2><p><a href="/v1/status">status</a>, <a href="/v1/topics">topics</a>, <a href="/connectors?expand=status">connectors</a>,
<a href="/subjects">schemas</a>, <a href="/metrics">metrics</a>, <a href="/openapi.json">OpenAPI</a>, <a href="/errors">error codes</a></p>
</body></html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
