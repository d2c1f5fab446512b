/**
 * A routing decision (RPC `route_inbound_call`) as TwiML. Pure: the same decision gives the same
 * document, so a repeated webhook gets the same answer.
 */
import { type Decision, member } from "./answers.ts";
import type { Json } from "./supabase.ts";
import { VoiceResponse } from "./twilio_library.ts";

/** As much of a `Decision` as a webhook's answer depends on. */
export interface Spoken {
  decision: Decision["decision"];
  reason?: string;
  call_id?: string | null;
  /** In `llm_config`, `stream_url` is the wss:// address of the worker that talks to the caller. */
  agent?: { id: string; greeting?: string | null; llm_config?: Json } | null;
}

/** Spoken when nothing better is known; says nothing about the tenant or the cause. */
export const UNAVAILABLE = "Sorry, we cannot take your call at the moment. Please try again later.";

/** Spoken when all lines of the tenant are taken. */
const BUSY = "Sorry, all our lines are busy at the moment. Please call again in a few minutes.";

const NOT_IN_SERVICE = "The number you have called is not in service.";

/** The TwiML document for a decision. An unknown decision is answered like a failure, not dropped. */
export function twimlFor(decision: Spoken): string {
  switch (decision.decision) {
    case "answer":
      return connect(decision);
    case "reject":
      return reject();
    case "busy":
      return notice(BUSY);
    default:
      return notice(decision.reason === "number_inactive" ? NOT_IN_SERVICE : UNAVAILABLE);
  }
}

/** `<Reject/>`: the provider ends the call unanswered and unbilled. */
export function reject(): string {
  const response = new VoiceResponse();
  response.reject();
  return response.toString();
}

/** A spoken sentence (without one, `UNAVAILABLE`), then hang-up. */
export function notice(message?: string | null): string {
  const response = new VoiceResponse();
  response.say(legal(message ?? "").trim() || UNAVAILABLE);
  response.hangup();
  return response.toString();
}

/** Media stream to the agent's worker; an agent without one says its greeting. */
function connect({ agent, call_id }: Spoken): string {
  const url = streamUrl(member(agent?.llm_config, "stream_url"));
  if (!agent || !url) return notice(agent?.greeting);
  const response = new VoiceResponse();
  const stream = response.connect().stream({ url });
  stream.parameter({ name: "agent_id", value: agent.id });
  if (call_id) stream.parameter({ name: "call_id", value: call_id });
  return response.toString();
}

/** Twilio streams to wss:// only (TwiML `<Stream>`); anything else would fail after the answer. */
function streamUrl(value: unknown): string | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  return url.protocol === "wss:" ? url.href : undefined;
}

/** Without the characters that XML 1.0 (production 2, Char) has no way to write. */
function legal(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "");
}
