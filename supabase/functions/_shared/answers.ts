/**
 * What the RPCs that answer jsonb answer. The generated types call it `Json`; `answerOf` makes it the
 * named type, here and nowhere else. An RPC that is missing here fails `deno check`.
 */
import type { Database, Json } from "./supabase.ts";

type Functions = Database["public"]["Functions"];
type Row<Table extends keyof Database["public"]["Tables"]> =
  Database["public"]["Tables"][Table]["Row"];

/** Of `route_inbound_call`: who answers a call. */
export interface Decision {
  decision: "answer" | "notice" | "busy" | "reject";
  /** Why, e.g. `number_inactive`, `organization_paused`, `no_agent`, `concurrency_limit`. */
  reason: string;
  organization_id: string | null;
  call_id: string | null;
  agent:
    | Pick<
      Row<"agents">,
      "id" | "name" | "greeting" | "personality" | "tone" | "voice_id" | "llm_config"
    >
    | null;
  prompt: { version_id: string; compiled: string } | null;
  customer: Pick<Row<"customers">, "id" | "phone_number" | "name" | "email"> | null;
  lead:
    | Pick<Row<"leads">, "id" | "dataset_id" | "first_name" | "last_name" | "contact_status">
    | null;
  /** What a prompt's placeholders stand for; absent members are unknown. */
  variables: {
    local_date?: string;
    org?: { name: string };
    agent?: { name: string };
    lead?: { first_name?: string; last_name?: string; email?: string; postcode?: string };
  };
}

/** Of `provider_credentials`: what was sealed, in the provider's own names. */
export interface ProviderCredentials {
  accountSid?: Json;
  authToken?: Json;
  /** While a rotation runs. */
  authTokenNext?: Json;
  [name: string]: Json | undefined;
}

/** Of `import_leads`; rows count from 1. */
export interface ImportReport {
  upload_id: string;
  detected: number;
  inserted: number;
  merged: number;
  skipped: number;
  suppressed: number;
  failed: number;
  errors: { row: number; column: string; value: string | null; reason: string }[];
  duplicates: { row: number; action: string; lead_id: string }[];
}

/** Of `create_upload`. */
export interface UploadCreated {
  upload_id: string;
  status: string;
  next_seq: number;
  bytes_received: number;
}

/** Of `append_upload_chunk`. */
export interface ChunkAppended {
  next_seq: number;
  bytes_received: number;
}

/** Of `preview_upload`. A file with a `problem` has no counts; nor has one with `missing_columns`. */
export interface UploadPreview {
  upload_id: string;
  /** Why the file cannot be read, e.g. `duplicate_header`, and where. */
  problem?: string;
  problem_at?: string | null;
  encoding: string;
  delimiter: string;
  header: string[];
  row_total: number;
  rows_previewed?: number;
  /** Column of the file → lead field; null keeps the column among the attributes. */
  mapping?: Record<string, string | null>;
  suggested_mapping?: Record<string, string | null>;
  /** Required fields that no column fills. */
  missing_columns?: string[];
  warnings?: string[];
  counts?: Record<
    "inserted" | "merged" | "skipped" | "suppressed" | "failed" | "duplicates",
    number
  >;
  /** Rows a reason. */
  reasons?: Record<string, number>;
  sample?: Record<string, Json>[];
  errors?: { row: number; column: string | null; value: string | null; reason: string }[];
}

/** Of `commit_upload` and `cancel_upload`. */
export interface UploadProgress {
  upload_id: string;
  status: "pending" | "mapping" | "processing" | "completed" | "failed";
  problem: string | null;
  row_total: number | null;
  detected: number;
  inserted: number;
  merged: number;
  skipped: number;
  suppressed: number;
  failed: number;
  rows_per_second: number | null;
  seconds_remaining: number | null;
}

/** Of `undo_upload`. */
export interface UploadUndone {
  upload_id: string;
  deleted: number;
  remaining: number;
  is_done: boolean;
}

/** Of `record_opt_in` and `lift_suppression`: opt-outs that ended, leads that stand where they stood. */
export interface OptedIn {
  phone_number: string;
  lifted: number;
  is_suppressed: boolean;
  leads: number;
}

/** Of `create_export`. */
export interface ExportCreated {
  export_id: string;
  /** In the bucket `exports`. */
  storage_path: string;
  expires_at: string;
}

/** Of `export_leads`: some lines, and the `after` of the next ones. */
export interface ExportPage {
  csv: string;
  rows: number;
  next: { created_at: string; id: string } | null;
}

/** Of `export_person`: all columns of the rows; leads with their `history`. */
export interface PersonHeld {
  leads: Record<string, Json>[];
  customers: Record<string, Json>[];
  calls: Record<string, Json>[];
  suppressions: Record<string, Json>[];
}

/** Of `erase_person`: how many rows went, and the files that are still to be deleted. */
export interface PersonErased {
  leads: number;
  customers: number;
  calls: number;
  upload_errors: number;
  recordings: string[];
}

/** Of `whoami` and `switch_organization`. */
export interface Whoami {
  user_id: string | null;
  organization_id: string | null;
  role: string | null;
  capabilities: string[];
  /** What named the organization: a header, a claim, the profile, the only membership. */
  source: string | null;
  /** Why there is no organization. */
  reason: string | null;
  organizations: { id: string; slug: string; role: string }[];
  /** Only where the caller does not see every dataset. */
  dataset_scope?: string[];
  /** Only where the membership or the support session ends. */
  expires_at?: string;
  support_session_id?: string;
}

/** Of `invite_member`; the token is told once. */
export interface Invited {
  invitation_id: string;
  token: string;
  expires_at: string;
}

/** Of `usage`; a limit of null is none. */
export interface Usage {
  plan: string;
  limits: Record<string, number | null>;
  used: Record<string, number>;
}

export type Membership = Row<"memberships">;

export type CallRecording = Pick<Row<"calls">, "recording_path" | "transcript">;

/** The RPCs, each with its answer. */
export interface Answers {
  accept_invitation: Membership;
  append_upload_chunk: ChunkAppended;
  call_recording: CallRecording;
  cancel_upload: UploadProgress;
  change_member: Membership;
  commit_upload: UploadProgress;
  create_export: ExportCreated;
  create_upload: UploadCreated;
  erase_person: PersonErased;
  export_leads: ExportPage;
  export_person: PersonHeld;
  import_leads: ImportReport;
  invite_member: Invited;
  lift_suppression: OptedIn;
  preview_upload: UploadPreview;
  provider_credentials: ProviderCredentials;
  record_opt_in: OptedIn;
  route_inbound_call: Decision;
  switch_organization: Whoami;
  transfer_ownership: Membership;
  undo_upload: UploadUndone;
  usage: Usage;
  whoami: Whoami;
}

/** Every RPC that answers jsonb, except the hook, which Supabase Auth alone calls. */
type JsonRpc = Exclude<
  { [Name in keyof Functions]: Json extends Functions[Name]["Returns"] ? Name : never }[
    keyof Functions
  ],
  "custom_access_token_hook"
>;

const WHOAMI = ["user_id", "organization_id", "role", "capabilities", "reason"] as const;
const PROGRESS = ["upload_id", "status", "detected", "inserted", "failed"] as const;
const MEMBERSHIP = ["organization_id", "user_id", "role", "status", "permissions"] as const;

/** Members that an answer always has; one without them comes from another release. */
const MEMBERS: { [Rpc in JsonRpc]: readonly (keyof Answers[Rpc])[] } = {
  accept_invitation: MEMBERSHIP,
  append_upload_chunk: ["next_seq", "bytes_received"],
  call_recording: ["recording_path", "transcript"],
  cancel_upload: PROGRESS,
  change_member: MEMBERSHIP,
  commit_upload: PROGRESS,
  create_export: ["export_id", "storage_path"],
  create_upload: ["upload_id", "next_seq"],
  erase_person: ["leads", "customers", "calls", "recordings"],
  export_leads: ["csv", "rows", "next"],
  export_person: ["leads", "customers", "calls", "suppressions"],
  import_leads: ["upload_id", "detected", "inserted", "failed", "errors", "duplicates"],
  invite_member: ["invitation_id", "token", "expires_at"],
  lift_suppression: ["lifted", "is_suppressed"],
  preview_upload: ["upload_id", "header", "row_total"],
  provider_credentials: [],
  record_opt_in: ["lifted", "is_suppressed"],
  route_inbound_call: ["decision", "reason", "call_id", "agent", "variables"],
  switch_organization: WHOAMI,
  transfer_ownership: MEMBERSHIP,
  undo_upload: ["upload_id", "deleted", "remaining", "is_done"],
  usage: ["plan", "limits", "used"],
  whoami: WHOAMI,
};

/** The answer of an RPC as its named type. Throws a TypeError that tells nothing of its content. */
export function answerOf<Rpc extends JsonRpc>(rpc: Rpc, answer: Json): Answers[Rpc] {
  const missing = MEMBERS[rpc].filter((name) => member(answer, String(name)) === undefined);
  if (!isObject(answer) || missing.length > 0) {
    throw new TypeError(`${rpc} answered without ${missing.join(", ") || "an object"}`);
  }
  return answer as unknown as Answers[Rpc];
}

/** One member of a jsonb value; undefined when it has none of that name, or is no object. */
export function member(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function isObject(value: Json | undefined): value is Record<string, Json | undefined> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
