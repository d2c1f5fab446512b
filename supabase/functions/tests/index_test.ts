// index.ts runs only when deployed, so nothing else would find one that was copied and not renamed.
import assert from "node:assert/strict";

const functions = new URL("../", import.meta.url);
const names = [...Deno.readDirSync(functions)]
  .filter(({ name, isDirectory }) => isDirectory && name !== "tests" && !name.startsWith("_"))
  .map(({ name }) => name);

for (const name of names) {
  Deno.test(`${name}/index.ts starts the handler beside it under the folder's name`, () => {
    const text = Deno.readTextFileSync(new URL(`${name}/index.ts`, functions));
    assert.equal(
      text,
      'import { serve } from "../_shared/serve.ts";\nimport { handler } from "./handler.ts";\n\n' +
        `serve("${name}", handler);\n`,
    );
  });
}
