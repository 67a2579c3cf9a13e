export { type MethodSeries, type MethodsFigureOptions, methodsFigure } from "./methods-figure.ts";
export { report } from "./report.ts";
export type { Metrics, ReportData, ReportExample, ReportSite, ReportTable } from "./report-data.ts";
export { type TableFigureOptions, tableFigure } from "./table-figure.ts";
export { standalone } from "./theme.ts";
