export { type MethodSeries, type MethodsFigureOptions, methodsFigure } from "./methods-figure.ts";
export { programReport } from "./program-report.ts";
export type { ProgramReportData } from "./program-report-data.ts";
export { report } from "./report.ts";
export type { Metrics, ReportChange, ReportData, ReportExample, ReportSite, ReportTable } from "./report-data.ts";
export { type TableFigureOptions, tableFigure } from "./table-figure.ts";
export { standalone } from "./theme.ts";
