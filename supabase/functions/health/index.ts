import { deps } from "../_shared/deps.ts";
import { handle } from "./handler.ts";

Deno.serve((request) => handle(request, deps()));
