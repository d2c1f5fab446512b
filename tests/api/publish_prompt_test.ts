// Prompts: the draft compiles itself, published versions never change, lessons are where they belong.
import assert from "node:assert/strict";
import { anon, client, member, nothing, ok, refused, service, tenant, untyped } from "./_client.ts";
import type { SupabaseClient } from "./_client.ts";

const STRUCTURE = {
  goal: { content: "Book a survey.", source: "wizard", why: "The campaign sells surveys." },
  context: { content: "You call about solar panels.", source: "wizard", why: "" },
};

async function prompt(as: SupabaseClient, more: Record<string, unknown> = {}): Promise<string> {
  const row = { name: "Opener", prompt_structure: STRUCTURE, ...more };
  return ok(await as.from("prompts").insert(row).select("id").single()).id;
}

const lesson = (title: string, more: Record<string, unknown> = {}) => ({
  lesson_type: "never_rule",
  title,
  description: `${title}.`,
  ...more,
});

const publish = (as: SupabaseClient, prompt_id: string, reason = "first release") =>
  as.rpc("publish_prompt", { prompt_id, reason });

Deno.test("a published version holds the compiled text, its hash and where each part is from", async () => {
  const { as, owner } = await tenant();
  const lessons = [
    lesson("Never promise a price", { status: "active" }),
    lesson("Only for drafts", { status: "testing" }),
    lesson("Long gone", { status: "archived" }),
  ];
  ok(await as.from("lessons").insert(lessons).select("id"));
  const id = await prompt(as);
  const version = ok(await publish(as, id));

  assert.deepEqual(
    [version.version, version.version_number, version.change_reason, version.created_by],
    ["1.0", 1, "first release", owner.id],
  );
  const text: string = version.compiled_prompt;
  assert.ok(text.indexOf("solar panels") < text.indexOf("Book a survey"), "context before goal");
  assert.ok(text.includes("Never promise a price"));
  assert.ok(!text.includes("Only for drafts") && !text.includes("Long gone"));
  const bytes = new TextEncoder().encode(text);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  assert.equal(version.sha256, [...new Uint8Array(digest)].map(hex).join(""));

  const spans = version.spans as { start: number; end: number }[];
  assert.deepEqual([spans[0]?.start, spans.at(-1)?.end], [0, bytes.length]);
  spans.slice(1).forEach((span, i) => assert.equal(span.start, spans[i]?.end, "spans tile"));

  const draft = ok(await as.from("prompts").select("compiled_prompt").eq("id", id).single());
  assert.ok(draft.compiled_prompt.includes("Only for drafts"), "the draft shows testing lessons");
});

Deno.test("publishing again changes nothing unless something changed", async () => {
  const { as } = await tenant();
  const id = await prompt(as);
  const first = ok(await publish(as, id));
  assert.equal(ok(await publish(as, id, "again")).id, first.id);

  const goal = { ...STRUCTURE.goal, content: "Book a visit." };
  ok(
    await as.from("prompts").update({ prompt_structure: { ...STRUCTURE, goal } }).eq("id", id)
      .select("id"),
  );
  const minor = ok(await publish(as, id, "wording"));
  assert.deepEqual([minor.version, minor.previous_version_id], ["1.1", first.id]);

  ok(await as.from("lessons").insert(lesson("Never argue")).select("id"));
  assert.equal(ok(await publish(as, id, "lesson")).version, "1.2");

  const tone = { content: "Friendly.", source: "user", why: "" };
  ok(
    await as.from("prompts").update({ prompt_structure: { ...STRUCTURE, tone } }).eq("id", id)
      .select("id"),
  );
  assert.equal(ok(await publish(as, id, "tone")).version, "2.0");
});

Deno.test("versions never change, not for the owner and not for service_role", async () => {
  const { as } = await tenant();
  const { id } = ok(await publish(as, await prompt(as)));
  for (const by of [as, service()]) {
    const versions = untyped(by).from("prompt_versions");
    refused(await versions.update({ compiled_prompt: "x" }).eq("id", id), 403, "42501");
    refused(await versions.delete().eq("id", id), 403, "42501");
    refused(await versions.insert({ prompt_id: id }), 403, "42501");
  }
});

Deno.test("the compiled text is not written by hand, and a malformed structure is refused", async () => {
  const { as } = await tenant();
  const id = await prompt(as);
  const prompts = as.from("prompts");
  refused(await prompts.update({ compiled_prompt: "Say anything." }).eq("id", id), 403, "42501");
  for (const prompt_structure of [{ goal: "text" }, { goal: { content: 7 } }, { goal: { x: 1 } }]) {
    refused(await prompts.update({ prompt_structure }).eq("id", id), 400, "22023", /goal/);
  }
  const goal = { content: "Ask {{ weather.today }}.", source: "user", why: "" };
  refused(
    await prompts.update({ prompt_structure: { goal } }).eq("id", id),
    400,
    "22023",
    /weather\.today/,
  );
  refused(await publish(as, id, " "), 400, "22023", /reason/);
  refused(await publish(as, crypto.randomUUID()), 404, "PT404", /prompt_not_found/);
});

Deno.test("owner and admin publish; manager writes drafts; sales_rep and viewer read", async () => {
  const a = await tenant();
  const manager = client(await member(a, "manager"), a.id);
  const id = await prompt(manager);
  refused(await publish(manager, id), 403, "PT403");
  ok(await publish(client(await member(a, "admin"), a.id), id));
  for (const role of ["sales_rep", "viewer"] as const) {
    const as = client(await member(a, role), a.id);
    assert.equal(ok(await as.from("prompts").select("id")).length, 1);
    refused(await as.from("prompts").insert({ name: "x" }), 403, "42501");
    refused(await as.from("lessons").insert(lesson("x")), 403, "42501");
    nothing(await as.from("prompts").update({ name: "x" }).eq("id", id).select("id"));
    refused(await publish(as, id), 403, "PT403");
  }
});

Deno.test("another tenant's prompts, versions and lessons do not exist for us", async () => {
  const [a, b] = [await tenant(), await tenant()];
  ok(await a.as.from("lessons").insert(lesson("Secret of A")).select("id"));
  const id = await prompt(a.as);
  const version = ok(await publish(a.as, id));

  refused(await publish(b.as, id), 404, "PT404", /prompt_not_found/);
  refused(await publish(anon(), id), 401, "42501");
  refused(await publish(service(), id), 403, "42501");
  for (const table of ["prompts", "prompt_versions", "lessons"] as const) {
    nothing(await b.as.from(table).select("*"));
    refused(await anon().from(table).select("*"), 401, "42501");
  }
  const own = ok(await publish(b.as, await prompt(b.as)));
  assert.ok(!own.compiled_prompt.includes("Secret of A"));
  const agent = ok(await b.as.from("agents").insert({ name: "Agent B" }).select("id").single());
  refused(
    await b.as.from("agents").update({ prompt_version_id: version.id }).eq("id", agent.id),
    409,
    "23503",
  );
});

const hex = (byte: number) => byte.toString(16).padStart(2, "0");
