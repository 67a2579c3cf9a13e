// The colours and letters of every figure, light and dark, in one place. Blue and orange differ for colour-blind readers too, and
// every line is also told apart by its width or dashes.

/** Style rules for figures; a page includes them once, `standalone` puts them into a file of its own. */
export const FIGURE_STYLE: string = `.figure{--ink:#1d2127;--muted:#626a75;--rule:#e4e6e9;--axis:#aab0b8;--table:#1f62d0;--exact:#e08a1e;--exact-name:#a45f05;--error:#1f62d0;--bound:#c2343f;--bars:#8aa4c8;--paper:#ffffff;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:12px}
@media(prefers-color-scheme:dark){.figure{--ink:#e6e8eb;--muted:#9aa3ae;--rule:#2b3038;--axis:#5a626d;--table:#7fb0ff;--exact:#f0a94a;--exact-name:#f0a94a;--error:#7fb0ff;--bound:#ff7b83;--bars:#54709a;--paper:#171a1f}}
.figure text{fill:var(--muted)}
.figure .title{fill:var(--ink);font-weight:600}
.figure .tick{font-variant-numeric:tabular-nums;font-size:11px}
.figure .grid{stroke:var(--rule);stroke-width:1}
.figure .axis{stroke:var(--axis);stroke-width:1}
.figure .breakpoint{stroke:var(--axis);stroke-width:1;stroke-dasharray:2 3}
.figure path{fill:none;stroke-linejoin:round}
.figure .exact{stroke:var(--exact);stroke-width:5;stroke-opacity:.55;stroke-linecap:round}
.figure .table{stroke:var(--table);stroke-width:1.6}
.figure .error{stroke:var(--error);stroke-width:1.4}
.figure .bound{stroke:var(--bound);stroke-width:1.4;stroke-dasharray:6 4}
.figure .bars{fill:var(--bars)}
.figure .plan{fill:var(--paper);stroke:var(--table);stroke-width:1.4}
.figure .inside{fill:var(--table)}
.figure .chosen{fill:none;stroke:var(--bound);stroke-width:2}
.figure .worst{fill:var(--paper);stroke:var(--bound);stroke-width:2}
.figure .exact-name{fill:var(--exact-name);font-weight:600}
.figure .table-name{fill:var(--table);font-weight:600}
.figure .bound-name{fill:var(--bound);font-weight:600}
.figure .aside{fill:var(--muted)}`;

/** A figure as a file of its own: the style inside, the namespace declared. */
export function standalone(svg: string): string {
  const open = svg.indexOf(">") + 1;
  const head = svg.slice(0, open).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return `${head}<style>${FIGURE_STYLE}</style>${svg.slice(open)}\n`;
}
