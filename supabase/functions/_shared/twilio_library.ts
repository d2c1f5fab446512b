/**
 * The one place that names the twilio version. Two small modules of it (20 ms to load), because the
 * package's entry point loads a client for every API that Twilio has.
 */
export {
  getExpectedBodyHash,
  getExpectedTwilioSignature,
  validateRequest,
  validateRequestWithBody,
} from "npm:twilio@6.2.0/lib/webhooks/webhooks.js";
export { default as VoiceResponse } from "npm:twilio@6.2.0/lib/twiml/VoiceResponse.js";
