/** The one place that names the version of the CSV parser (RFC 4180). */
export { parse } from "npm:csv-parse@7.0.3/sync";
