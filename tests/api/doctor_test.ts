// doctor(): for server code, and well about this schema.
import assert from "node:assert/strict";
import { anon, ok, refused, service, tenant } from "./_client.ts";

Deno.test("the service key asks the doctor, who has nothing against this schema", async () => {
  const findings = ok(await service().rpc("doctor"));
  assert.deepEqual(
    findings.filter(({ severity, code }) => severity !== "info" && code !== "server_outdated"),
    [],
  );
  for (const finding of findings) {
    assert.deepEqual(Object.keys(finding), ["severity", "code", "object", "finding", "fix"]);
  }
});

Deno.test("nobody else does", async () => {
  refused(await anon().rpc("doctor"), 401, "42501");
  refused(await (await tenant()).as.rpc("doctor"), 403, "42501");
});
