// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;

namespace Weft.Sample.Serve;

/// <summary>The page for people: asks <c>/api</c> once a second and shows who answered, so that a canary can be watched.</summary>
internal static class FrontPage
{
    private const string Page = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>@TITLE@</title>
        <style>
        :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
        body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.4rem; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
        td.n, th.n { text-align: right; }
        .bar { display: inline-block; height: .7em; background: #0072b2; margin-right: .5em; vertical-align: middle; }
        .bad { color: #d55e00; font-weight: 600; }
        small { opacity: .7; }
        </style>
        </head>
        <body>
        <h1>@TITLE@</h1>
        <p><small>@NAME@ @VERSION@ in pod @POD@ asks its services once a second; a share is taken over the last 60 answers.</small></p>
        <table aria-live="off">
        <thead><tr><th>service</th><th>version</th><th>pod</th><th class="n">time</th><th>answer</th></tr></thead>
        <tbody id="now"><tr><td colspan="5">asking …</td></tr></tbody>
        </table>
        <h2 style="font-size:1.1rem">Who answered</h2>
        <table><tbody id="share"></tbody></table>
        <script>
        const seen = [];
        const text = (row, value, kind) => { const c = row.insertCell(); c.textContent = value; if (kind) c.className = kind; return c; };
        function walk(call, depth, rows) {
          const a = call.answer && typeof call.answer === 'object' ? call.answer : {};
          rows.push({ name: '\u00a0'.repeat(depth * 3) + (a.service || new URL(call.url).hostname), version: a.version || '-', pod: a.pod || '-',
            ms: call.ms, good: call.status >= 200 && call.status < 400, word: call.error || call.status, key: (a.service || new URL(call.url).hostname) });
          for (const inner of a.calls || []) walk(inner, depth + 1, rows);
        }
        async function turn() {
          const rows = [];
          try {
            const answer = await (await fetch('/api', { cache: 'no-store' })).json();
            for (const call of answer.calls || []) walk(call, 0, rows);
          } catch (e) {
            rows.push({ name: 'this page', version: '-', pod: '-', ms: '-', good: false, word: 'no answer', key: 'this page' });
          }
          const now = document.getElementById('now'); now.replaceChildren();
          for (const r of rows) {
            const row = now.insertRow();
            text(row, r.name); text(row, r.version); text(row, r.pod); text(row, r.ms === '-' ? '-' : r.ms + ' ms', 'n'); text(row, r.word, r.good ? '' : 'bad');
          }
          seen.push(rows); if (seen.length > 60) seen.shift();
          const count = {}, all = {};
          for (const rs of seen) for (const r of rs) { const k = r.key + ' ' + r.version; count[k] = (count[k] || 0) + 1; all[r.key] = (all[r.key] || 0) + 1; }
          const share = document.getElementById('share'); share.replaceChildren();
          for (const k of Object.keys(count).sort()) {
            const part = count[k] / all[k.slice(0, k.lastIndexOf(' '))], row = share.insertRow();
            text(row, k);
            const cell = row.insertCell(), bar = document.createElement('span');
            bar.className = 'bar'; bar.style.width = (part * 12) + 'rem'; cell.append(bar, Math.round(part * 100) + ' %');
          }
        }
        turn(); setInterval(turn, 1000);
        </script>
        </body>
        </html>

        """;

    public static byte[] Render(string title, ServeOptions options) => Encoding.UTF8.GetBytes(Page
        .Replace("@TITLE@", WebUtility.HtmlEncode(title), StringComparison.Ordinal)
        .Replace("@NAME@", WebUtility.HtmlEncode(options.Name), StringComparison.Ordinal)
        .Replace("@VERSION@", WebUtility.HtmlEncode(options.Version), StringComparison.Ordinal)
        .Replace("@POD@", WebUtility.HtmlEncode(options.Pod), StringComparison.Ordinal));
}
