/** Where Storage has an object. */

/** `bucket`, or `authenticated/bucket` to read a private one under the caller's token; the path may hold anything. */
export function objectUrl(bucket: string, path: string): string {
  // Another address than the API's only where Storage is run apart.
  const storage = Deno.env.get("STORAGE_URL") ?? `${Deno.env.get("SUPABASE_URL")}/storage/v1`;
  return `${storage}/object/${bucket}/${path.split("/").map(encodeURIComponent).join("/")}`;
}
