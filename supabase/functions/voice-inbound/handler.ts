/**
 * Twilio's webhook for an incoming call (`POST /voice-inbound`, form fields CallSid, From, To):
 * finds the number, checks the signature with that number's own credential, asks the database for
 * the decision and answers with TwiML. Nothing is written before the signature holds, and the same
 * CallSid always gets the same decision. Called by Twilio; deployed with `verify_jwt = false`.
 */
import type { Deps } from "../_shared/deps.ts";
import { DatabaseError, errorResponse, Refusal, unwrap } from "../_shared/errors.ts";
import { type Decision, notice, reject, twimlFor } from "../_shared/twiml.ts";
import { field, isSignedBy, publicUrl, readForm, type SignedRequest } from "../_shared/twilio.ts";

const NAME = "voice-inbound";
const PROVIDER = "twilio";

interface Call {
  sid: string;
  called: string;
  caller: string;
}

/** What `provider_credentials` returns for Twilio; `authTokenNext` exists while a rotation runs. */
interface Credentials {
  authToken?: string;
  authTokenNext?: string;
}

/**
 * Answers: 200 TwiML; 400, 405, 413, 415 for what is not a Twilio webhook; 403 for a missing or
 * wrong signature, without saying which. A database error is still a 200 with a spoken notice:
 * an HTTP error would make the provider play its own message to the caller.
 */
export async function handle(request: Request, deps: Deps): Promise<Response> {
  const requestId = crypto.randomUUID();
  const started = performance.now();
  const log = (outcome: string, more: Record<string, string> = {}) =>
    deps.log({
      function: NAME,
      request_id: requestId,
      outcome,
      ms: Math.round(performance.now() - started),
      ...more,
    });
  try {
    if (request.method !== "POST") throw new Refusal("method_not_allowed", "use POST");
    const signed = await readForm(request, publicUrl(deps.functionsUrl, NAME, request));
    const call = callOf(signed);
    const { outcome, body } = await answer(call, signed, deps);
    log(outcome, { call_sid: call.sid });
    return twiml(body);
  } catch (error) {
    if (error instanceof Refusal) {
      log(error.code);
      const headers = error.code === "method_not_allowed" ? { allow: "POST" } : undefined;
      return errorResponse(error, requestId, headers);
    }
    if (error instanceof DatabaseError) {
      log("database_error", { step: error.step, code: error.code, message: error.message });
    } else {
      log("failed", { error: error instanceof Error ? error.name : "unknown" });
    }
    return twiml(notice());
  }
}

async function answer(
  call: Call,
  signed: SignedRequest,
  { service, budgetMs }: Deps,
): Promise<{ outcome: string; body: string }> {
  const budget = AbortSignal.timeout(budgetMs);

  const numbers = unwrap(
    "find number",
    await service.from("phone_numbers")
      .select("provider_account_id,status")
      .eq("phone_number", call.called)
      .order("updated_at", { ascending: false })
      .abortSignal(budget),
  ) as { provider_account_id: string | null; status: string }[];
  // As route_inbound_call chooses: the one active owner, else whoever had the number last.
  const number = numbers.find(({ status }) => status === "active") ?? numbers[0];
  if (!number) return { outcome: "unknown_number", body: reject() };

  if (!number.provider_account_id || !signed.signature) throw forbidden();
  const credentials = unwrap(
    "open credentials",
    await service.rpc("provider_credentials", {
      provider_account_id: number.provider_account_id,
      reason: `verify inbound call ${call.sid}`,
    }).abortSignal(budget),
  ) as Credentials;
  const tokens = [credentials.authToken, credentials.authTokenNext]
    .filter((token) => typeof token === "string");
  if (!isSignedBy(tokens, signed)) throw forbidden();

  const decision = unwrap(
    "route call",
    await service.rpc("route_inbound_call", {
      called: call.called,
      caller: call.caller,
      provider: PROVIDER,
      provider_sid: call.sid,
    }).abortSignal(budget),
  ) as Decision;
  return { outcome: decision.decision, body: twimlFor(decision) };
}

function forbidden(): Refusal {
  return new Refusal("forbidden", "request is not signed for this number");
}

/** The call's fields. The sid is checked for shape because it goes into logs and the audit trail. */
function callOf({ parameters }: SignedRequest): Call {
  const form = parameters ?? {};
  const sid = field(form, "CallSid");
  if (!/^[0-9A-Za-z]{1,64}$/.test(sid)) {
    throw new Refusal("bad_request", "form field CallSid must be 1 to 64 letters and digits");
  }
  return { sid, called: e164(field(form, "To")), caller: field(form, "From") };
}

/** `+E164`, the same without the plus, or the user part of a SIP address; else the text as it is. */
function e164(to: string): string {
  const digits = /^(?:sips?:)?\+?(\d{6,15})(?:@.*)?$/.exec(to.trim())?.[1];
  return digits ? `+${digits}` : to;
}

function twiml(body: string): Response {
  return new Response(body, { headers: { "content-type": "text/xml; charset=utf-8" } });
}
