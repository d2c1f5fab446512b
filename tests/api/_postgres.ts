// The one place that names the version of the PostgreSQL client.
export { default as postgres } from "npm:postgres@3.4.9";
