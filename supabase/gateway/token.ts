// Signs the claims given as JSON arguments with SUPABASE_JWT_SECRET, one token a line; bin/stack makes the API keys
// and `bin/stack token` a user's token with it. The members keep their order, so the keys are the well-known ones.

import { CompactSign } from "jose";

const key = new TextEncoder().encode(Deno.env.get("SUPABASE_JWT_SECRET"));
for (const claims of Deno.args) {
  const payload = new TextEncoder().encode(JSON.stringify(JSON.parse(claims)));
  console.log(
    await new CompactSign(payload).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(key),
  );
}
