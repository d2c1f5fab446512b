/**
 * Twilio's webhook for an incoming call (`POST /voice-inbound`, form fields CallSid, From, To):
 * finds the number, checks the signature with that number's own credential, asks the database for
 * the decision and answers with TwiML. Nothing is written before the signature holds, and the same
 * CallSid always gets the same decision. Called by Twilio; deployed with `verify_jwt = false`.
 */
import { answerOf } from "../_shared/answers.ts";
import { Refusal, unwrap } from "../_shared/errors.ts";
import type { Context, Handler } from "../_shared/serve.ts";
import { notice, reject, twimlFor } from "../_shared/twiml.ts";
import { field, isSignedBy, publicUrl, readForm, type SignedRequest } from "../_shared/twilio.ts";

const PROVIDER = "twilio";

interface Call {
  sid: string;
  called: string;
  caller: string;
}

/**
 * Answers: 200 TwiML; 400, 413, 415 for what is not a Twilio webhook; 403 for a missing or wrong
 * signature, without saying which. A failure of ours is still a 200 with a spoken notice: an HTTP
 * error would make the provider play its own message to the caller.
 */
export const handler: Handler = {
  methods: ["POST"],
  browsers: false,
  async handle(request, context) {
    const signed = await readForm(request, publicUrl(context.functionsUrl, context.name, request));
    const call = callOf(signed);
    const { outcome, body } = await answer(call, signed, context);
    context.note({ outcome, call_sid: call.sid });
    return twiml(body);
  },
  failed: () => twiml(notice()),
};

async function answer(
  call: Call,
  signed: SignedRequest,
  { service, budgetMs }: Context,
): Promise<{ outcome: string; body: string }> {
  const budget = AbortSignal.timeout(budgetMs);

  const numbers = unwrap(
    "find number",
    await service.from("phone_numbers")
      .select("provider_account_id,status")
      .eq("phone_number", call.called)
      .order("updated_at", { ascending: false })
      .abortSignal(budget),
  );
  // As route_inbound_call chooses: the one active owner, else whoever had the number last.
  const number = numbers.find(({ status }) => status === "active") ?? numbers[0];
  if (!number) return { outcome: "unknown_number", body: reject() };

  if (!number.provider_account_id || !signed.signature) throw forbidden();
  const credentials = answerOf(
    "provider_credentials",
    unwrap(
      "open credentials",
      await service.rpc("provider_credentials", {
        provider_account_id: number.provider_account_id,
        reason: `verify inbound call ${call.sid}`,
      }).abortSignal(budget),
    ),
  );
  const tokens = [credentials.authToken, credentials.authTokenNext]
    .filter((token) => typeof token === "string");
  if (!isSignedBy(tokens, signed)) throw forbidden();

  const decision = answerOf(
    "route_inbound_call",
    unwrap(
      "route call",
      await service.rpc("route_inbound_call", {
        called: call.called,
        caller: call.caller,
        provider: PROVIDER,
        provider_sid: call.sid,
      }).abortSignal(budget),
    ),
  );
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
