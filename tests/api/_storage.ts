// A Storage on loopback, as far as our functions speak to one: objects by bucket and path, ranges, and whose token came.
// What it answers to a missing object, a doubled one and a range behind the end is what Supabase Storage documents.

export interface Storage {
  objects: Map<string, Uint8Array>;
  /** Method and path of every request, in order. */
  heard: string[];
  /** Takes the next request instead. */
  fails?: (request: Request) => Response | undefined;
}

function answer(status: number, error: string): Response {
  return Response.json({ statusCode: String(status), error, message: error }, {
    status: status === 409 || status === 404 ? 400 : status,
  });
}

async function respond(storage: Storage, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  storage.heard.push(`${request.method} ${pathname}`);
  if (!/^Bearer \S+/.test(request.headers.get("authorization") ?? "")) {
    return answer(400, "headers must have required property 'authorization'");
  }
  const failed = storage.fails?.(request);
  if (failed) return failed;
  const name = decodeURIComponent(pathname).replace(/^\/object\/(authenticated\/)?/, "");
  const object = storage.objects.get(name);
  switch (request.method) {
    case "GET": {
      if (!pathname.startsWith("/object/authenticated/") || object === undefined) {
        return answer(404, "not_found");
      }
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
      if (!range) return new Response(object as BodyInit);
      const [from, to] = [Number(range[1]), Math.min(Number(range[2]), object.length - 1)];
      if (from >= object.length) return answer(416, "InvalidRange");
      return new Response(object.slice(from, to + 1) as BodyInit, {
        status: 206,
        headers: { "content-range": `bytes ${from}-${to}/${object.length}` },
      });
    }
    case "POST": {
      const body = new Uint8Array(await request.arrayBuffer());
      if (object !== undefined) return answer(409, "Duplicate");
      storage.objects.set(name, body);
      return Response.json({ Key: name, Id: crypto.randomUUID() });
    }
    case "DELETE":
      return storage.objects.delete(name)
        ? Response.json({ message: "Successfully deleted" })
        : answer(404, "not_found");
    default:
      return answer(405, "method");
  }
}

/** Runs `work` beside a Storage that the functions are pointed at. */
export async function withStorage(work: (storage: Storage) => Promise<void>): Promise<void> {
  const storage: Storage = { objects: new Map(), heard: [] };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => respond(storage, request),
  );
  Deno.env.set("STORAGE_URL", `http://127.0.0.1:${server.addr.port}`);
  try {
    await work(storage);
  } finally {
    Deno.env.delete("STORAGE_URL");
    await server.shutdown();
  }
}
