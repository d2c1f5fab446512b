// What the provider hears for each decision.
import assert from "node:assert/strict";
import { notice, reject, type Spoken, twimlFor, UNAVAILABLE } from "../_shared/twiml.ts";

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>';

Deno.test("an agent with a stream URL is connected, and the worker learns which call it is", () => {
  assert.equal(
    twimlFor({
      decision: "answer",
      call_id: "c1",
      agent: { id: "a1", llm_config: { stream_url: "wss://worker.example/media?x=1&y=2" } },
    }),
    `${HEAD}<Response><Connect><Stream url="wss://worker.example/media?x=1&amp;y=2">` +
      '<Parameter name="agent_id" value="a1"/><Parameter name="call_id" value="c1"/>' +
      "</Stream></Connect></Response>",
  );
});

Deno.test("an agent without a usable stream URL says its greeting", () => {
  for (
    const stream_url of [
      undefined,
      "",
      7,
      "worker.example",
      "ws://worker.example",
      "https://a.example",
    ]
  ) {
    const agent = { id: "a1", greeting: "Hello from Alpha.", llm_config: { stream_url } };
    assert.equal(
      twimlFor({ decision: "answer", agent }),
      `${HEAD}<Response><Say>Hello from Alpha.</Say><Hangup/></Response>`,
    );
  }
});

Deno.test("text is escaped, whatever a tenant wrote into it", () => {
  const greeting = `</Say><Dial>+441632960000</Dial><Say> & "quoted" 'n Zoë`;
  const document = twimlFor({ decision: "answer", agent: { id: "a1", greeting } });
  assert.ok(!document.includes("<Dial>"));
  assert.ok(document.includes("&lt;/Say&gt;&lt;Dial&gt;"));
  assert.ok(document.includes("Zoë"));
});

Deno.test("reject ends the call unanswered", () => {
  assert.equal(twimlFor({ decision: "reject" }), `${HEAD}<Response><Reject/></Response>`);
  assert.equal(twimlFor({ decision: "reject" }), reject());
});

Deno.test("a notice is spoken, and there is always something to say", () => {
  assert.equal(
    twimlFor({ decision: "notice", reason: "number_inactive" }),
    `${HEAD}<Response><Say>The number you have called is not in service.</Say><Hangup/></Response>`,
  );
  // Why a tenant's organization does not answer is not the caller's business.
  for (const reason of ["organization_paused", "organization_cancelled", "no_agent", undefined]) {
    assert.equal(twimlFor({ decision: "notice", reason }), notice(UNAVAILABLE));
  }
  for (const message of [undefined, null, "", "  "]) {
    assert.ok(notice(message).includes(UNAVAILABLE));
  }
});

Deno.test("a decision of a later release is answered, not dropped", () => {
  const later = { decision: "voicemail" } as unknown as Spoken;
  assert.ok(twimlFor(later).includes(UNAVAILABLE));
});

Deno.test("control characters, which XML 1.0 forbids, do not reach the provider", () => {
  const document = notice("a\u0000b\u0007c\ud800d");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(document, /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
});

Deno.test("a caller whom no line is left for hears that, and nothing of the tenant", () => {
  const busy = twimlFor({ decision: "busy", reason: "concurrency_limit", call_id: "c1" });
  assert.match(busy, /<Say>[^<]*busy[^<]*call again[^<]*<\/Say><Hangup\/>/);
  assert.ok(!busy.includes("c1"));
});
