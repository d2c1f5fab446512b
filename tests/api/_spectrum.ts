// The one place that names the version of the CSV files that others wrote to try parsers.
export { default as spectrum } from "npm:csv-spectrum@2.0.0";
