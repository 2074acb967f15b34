// What every page is made of. Values are text to preact: whatever a name holds, it never becomes markup.

import { Fragment, h, render } from "./vendor/preact.js";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/hooks.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { Fragment, render, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState };

const DAY = 86_400_000;
const UNITS = [["year", 365 * DAY], ["month", 30 * DAY], ["day", DAY], ["hour", 3_600_000], ["minute", 60_000]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const short = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const figure = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const whole = new Intl.NumberFormat("en");

export const spaced = (text) => String(text ?? "").replaceAll("_", " ");
export const plural = (count, noun, many = `${noun}s`) => `${whole.format(count)} ${count === 1 ? noun : many}`;
export const moment = (at) => short.format(new Date(at));

// Moments within the API's sentences, as a person reads them.
const MOMENT = /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})/g;
export const readable = (text) => String(text ?? "").replace(MOMENT, (at) => moment(at));

export function number(value) {
  if (typeof value !== "number") return value === null || value === undefined ? "–" : String(value);
  if (Number.isInteger(value)) return whole.format(value);
  return Math.abs(value) < 1e-4 ? value.toExponential(1) : figure.format(value);
}

export function ago(at, now = Date.now()) {
  const passed = new Date(at) - now;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(passed) >= length) ?? [];
  return unit ? relative.format(Math.round(passed / length), unit) : passed > 0 ? "in a moment" : "just now";
}

export function Time({ at, exact }) {
  if (!at) return "–";
  return html`<time datetime=${at} title=${clock.format(new Date(at))}>${exact ? moment(at) : ago(at)}</time>`;
}

export function Value({ value }) {
  if (value === null || value === undefined) return html`<span class="missing">missing</span>`;
  if (typeof value === "object") return html`<code>${JSON.stringify(value)}</code>`;
  return typeof value === "number" ? number(value) : String(value);
}

const TONES = {
  good: ["ok", "passed", "serving", "promoted", "succeeded", "done", "final", "approved", "deployed", "better"],
  bad: ["failed", "drift", "rejected", "low", "invalid", "degraded", "violated", "alarm", "blocked", "aborted"],
  warn: ["retraining", "rollout", "probation", "running", "waiting", "provisional", "skipped", "large", "suspect"],
};

export function Badge({ children, tone }) {
  const text = String([children].flat().join(""));
  const found = tone ?? Object.keys(TONES).find((name) => TONES[name].some((word) => text.includes(word)));
  return html`<span class=${`badge ${found ?? ""}`}>${spaced(text)}</span>`;
}

// A link out of the console, to a page that the API signed; anything but http is no link.
export function Out({ href, children }) {
  if (!/^https?:\/\//.test(href ?? "")) return null;
  return html`<a href=${href} target="_blank" rel="noopener noreferrer">${children}<span aria-hidden="true"> ↗</span></a>`;
}

// Loads what a page shows, says of when it is, and loads it again on demand.
export function useData(load, dependencies) {
  const [state, set] = useState({ loading: true });
  const [round, again] = useState(0);
  useEffect(() => {
    let current = true;
    set((before) => ({ ...before, loading: true, error: undefined }));
    load().then(
      (data) => current && set({ data, at: Date.now(), loading: false }),
      (error) => current && set((before) => ({ ...before, loading: false, error })),
    );
    return () => (current = false);
  }, [...dependencies, round]);
  return { ...state, reload: useCallback(() => again((count) => count + 1), []) };
}

export function Loaded({ of, children, quiet }) {
  const { data, error, loading, at, reload } = of;
  return html`
    ${error && html`<${Failure} error=${error} retry=${reload} />`}
    ${data === undefined && loading && html`<p class="loading" role="status">Loading …</p>`}
    ${data !== undefined && children(data)}
    ${data !== undefined && !quiet && html`<p class="as-of">As of ${new Date(at).toLocaleTimeString("en-GB")}.
      <button class="plain" onClick=${reload} disabled=${loading}>${loading ? "Loading …" : "Load again"}</button></p>`}
  `;
}

export function Failure({ error, retry }) {
  return html`<div class="notice bad" role="alert">
    <p>${sentence(error.message)}</p>
    ${error.details?.length > 0 && html`<ul>${error.details.map((one) => html`<li><code>${one.path}</code> ${one.message}</li>`)}</ul>`}
    ${error.status === 403 && html`<p>The key of this tab may not do this.</p>`}
    ${retry && html`<button onClick=${retry}>Try again</button>`}
  </div>`;
}

export const sentence = (text) => readable(`${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`);

export function Notice({ tone = "", children, role = "status" }) {
  return html`<div class=${`notice ${tone}`} role=${role}>${children}</div>`;
}

export function Facts({ rows }) {
  const shown = rows.filter(Boolean);
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value ?? "–"}</dd></div>`)}</dl>`;
}

// A table whose rows may be wider than a phone: it scrolls by itself, by keyboard too.
export function Table({ caption, head, rows, empty = "Nothing yet." }) {
  if (!rows.length) return html`<p class="empty">${empty}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table><caption class="hidden">${caption}</caption>
      <thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.key}>${row.cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
    </table></div>`;
}

// A list that comes in pages: the next one follows when it is asked for.
export function Paged({ load, name, children, dependencies = [], empty }) {
  const first = useData(() => load(undefined), dependencies);
  const [more, setMore] = useState({ items: [] });
  useEffect(() => setMore({ items: [] }), [first.data]);
  return html`<${Loaded} of=${first}>${(data) => {
    const token = more.items.length ? more.token : data.next_token;
    const items = [...data[name], ...more.items];
    const next = async () => {
      setMore({ ...more, loading: true });
      try {
        const page = await load(token);
        setMore({ items: [...more.items, ...page[name]], token: page.next_token });
      } catch (error) {
        setMore({ ...more, error });
      }
    };
    if (!items.length) return html`<p class="empty">${empty ?? "Nothing yet."}</p>`;
    return html`${children(items, data)}
      ${more.error && html`<${Failure} error=${more.error} />`}
      ${token && html`<p><button onClick=${next} disabled=${more.loading}>${more.loading ? "Loading …" : "Show more"}</button></p>`}`;
  }}<//>`;
}

// Asks once more before something is done: what will happen, and why it is done.
export function Confirm({ title, children, verb, danger, reason = true, act, close }) {
  const dialog = useRef();
  const [why, setWhy] = useState("");
  const [state, set] = useState({});
  useEffect(() => dialog.current.showModal(), []);
  const submit = async (event) => {
    event.preventDefault();
    set({ busy: true });
    try {
      await act(why.trim());
      close(true);
    } catch (error) {
      set({ error });
    }
  };
  return html`<dialog ref=${dialog} aria-labelledby="ask" onCancel=${(event) => (event.preventDefault(), close(false))}>
    <form onSubmit=${submit}>
      <h2 id="ask">${title}</h2>
      ${children}
      ${reason && html`<label>Reason, kept with the record
        <textarea required maxlength="500" rows="2" value=${why} onInput=${(event) => setWhy(event.target.value)}></textarea></label>`}
      ${state.error && html`<${Failure} error=${state.error} />`}
      <div class="buttons">
        <button type="button" onClick=${() => close(false)}>Cancel</button>
        <button class=${danger ? "danger" : "primary"} disabled=${state.busy || (reason && !why.trim())}>${state.busy ? "Working …" : verb}</button>
      </div>
    </form></dialog>`;
}

// A button that opens a dialog made by its child.
export function Ask({ label, primary, danger, children, done }) {
  const [open, set] = useState(false);
  return html`<button class=${primary ? "primary" : danger ? "danger" : ""} onClick=${() => set(true)}>${label}</button>
    ${open && children((made) => (set(false), made && done?.()))}`;
}

export const reads = (element) => element instanceof HTMLElement && element.matches("input, textarea, select, [contenteditable]");
