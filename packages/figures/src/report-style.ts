// The look of report.html, light and dark. System fonts, no external resources.

export const REPORT_STYLE: string = `:root{color-scheme:light dark;--page:#f6f7f9;--paper:#ffffff;--ink:#1d2127;--muted:#626a75;--rule:#e4e6e9;--accent:#1f62d0}
@media(prefers-color-scheme:dark){:root{--page:#101216;--paper:#171a1f;--ink:#e6e8eb;--muted:#9aa3ae;--rule:#2b3038;--accent:#7fb0ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:900px;margin:0 auto;padding:40px 20px 60px}
h1{font-size:30px;line-height:1.2;margin:0 0 10px;overflow-wrap:anywhere}
h2{font-size:19px;margin:44px 0 12px}
p{margin:0 0 12px;max-width:72ch}
a{color:var(--accent)}
code{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;font-size:.92em}
.kicker{color:var(--accent);font-weight:600;font-size:13px;letter-spacing:.04em;text-transform:uppercase;margin:0 0 4px}
.lead{font-size:17px;line-height:1.5}
.note,footer{color:var(--muted);font-size:14px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;margin-top:22px}
.card{background:var(--paper);border:1px solid var(--rule);border-radius:10px;padding:14px 16px}
.card-title{color:var(--muted);font-size:13px}
.card-value{font-size:28px;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}
.card-note{color:var(--muted);font-size:13px}
.scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--rule);border-radius:10px;margin:0 0 12px}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:8px 14px;text-align:left;vertical-align:top}
th{color:var(--muted);font-weight:600;font-size:12.5px;white-space:nowrap}
thead tr{border-bottom:1px solid var(--rule)}
tbody tr+tr{border-top:1px solid var(--rule)}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
details>summary{cursor:pointer;padding:2px 0}
.table-card{background:var(--paper);border:1px solid var(--rule);border-radius:10px;padding:12px 16px;margin:0 0 12px}
.table-card>summary{display:flex;flex-wrap:wrap;gap:2px 18px;align-items:baseline;color:var(--muted);font-size:14px}
.table-card>summary::before{content:"\\25B8";color:var(--muted);width:.6em}
.table-card[open]>summary::before{content:"\\25BE"}
.table-card>summary strong{color:var(--ink);font-size:16px}
.table-card>summary::-webkit-details-marker{display:none}
.table-card .fn{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;color:var(--ink)}
.table-card .scroll{margin-top:8px}
.table-card th,.table-card td{padding:6px 10px;font-size:13px}
.figure{display:block;width:100%;height:auto;margin:14px 0 6px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:8px 0 12px;font-size:14px}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
footer{margin-top:48px;border-top:1px solid var(--rule);padding-top:16px}
@media(max-width:560px){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}}
@media print{body{background:#fff}.table-card,.scroll,.card{break-inside:avoid}}
`;
