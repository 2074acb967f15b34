// Calls of the API: the keys of this tab, one shape of errors, the server's clock.

export const base = location.pathname.replace(/\/console\/?$/, "");
const KEYS = "hindsight.keys";
const NAME = "hindsight.reviewer";
const TIMEOUT_MS = 60_000;
const listeners = new Set();
let skew = 0;

export class ApiError extends Error {
  constructor(status, code, message, details = []) {
    super(message);
    Object.assign(this, { status, code, details });
  }
}

// Keys live as long as the tab, by audience; they are sent in a header and never become part of an address.
export function keys() {
  try {
    return JSON.parse(sessionStorage.getItem(KEYS)) ?? {};
  } catch {
    return {};
  }
}

export function keep(audience, key) {
  sessionStorage.setItem(KEYS, JSON.stringify({ ...keys(), [audience]: key }));
  listeners.forEach((listener) => listener());
}

export function forget(audience) {
  const { [audience]: _, ...others } = keys();
  sessionStorage.setItem(KEYS, JSON.stringify(audience ? others : {}));
  if (!audience) sessionStorage.removeItem(NAME);
  listeners.forEach((listener) => listener());
}

export const onKeys = (listener) => (listeners.add(listener), () => listeners.delete(listener));
export const reviewerName = () => sessionStorage.getItem(NAME);
export const nameReviewer = (name) => sessionStorage.setItem(NAME, name);

// The moment at the server: leases end by its clock, and a laptop's may be minutes off.
export const serverNow = () => Date.now() + skew;

export async function call(path, { audience = "operator", key, method = "GET", body, type, keepalive, signal } = {}) {
  const headers = { "x-api-key": key ?? keys()[audience] ?? "" };
  if (body !== undefined) headers["content-type"] = type ?? "application/json";
  let response;
  try {
    response = await fetch(`${base}/${path}`, {
      method,
      headers,
      keepalive,
      signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
      body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
    });
  } catch (error) {
    const late = error.name === "TimeoutError";
    throw new ApiError(0, "unreachable", late ? "no answer within a minute" : "the API cannot be reached from here");
  }
  const date = Date.parse(response.headers.get("date") ?? "");
  if (date && Math.abs(date - Date.now()) > 2_000) skew = date - Date.now();
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const { code = "error", message = `the API answered ${response.status}`, details = [] } = answer?.error ?? {};
  if (!key && (response.status === 401 || code === "unknown_key")) {
    refused.add(audience);
    forget(audience);
  }
  throw new ApiError(response.status, code, message, details);
}

// The audiences whose key was known once and is not any more.
export const refused = new Set();

export const encode = encodeURIComponent;
export const modelPath = (model, ...rest) => ["models", model, ...rest].map(encode).join("/");

export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
