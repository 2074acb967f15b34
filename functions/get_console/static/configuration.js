// The configuration: an editor that shows faults at their line, and what storing it would do before it is stored.

import { ApiError, call, modelPath, query } from "./api.js";
import { Confirm, Failure, Loaded, Paged, Time, Value, html, plural, sentence, useData, useEffect, useRef, useState } from "./ui.js";
import { Head } from "./models.js";

const PAUSE_MS = 600;

// JSON as programs send it, in one line, is read and edited in several.
function inLines(text) {
  if (text.trim().includes("\n")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export function Configuration({ model }) {
  const found = useData(() => call(modelPath(model, "configuration")), [model]);
  return html`<${Head} model=${model} tab="configuration" />
    <${Loaded} of=${found} quiet>${(stored) => html`<${Editor} key=${stored.revision} model=${model} stored=${stored} done=${found.reload} />`}<//>
    <h2>Revisions</h2>
    <${Paged} key=${found.at} name="configurations" load=${(next_token) => call(`${modelPath(model, "configurations")}${query({ next_token })}`)}>${(revisions) => html`
      <ul class="plain card">${revisions.map((one) => html`<li key=${one.revision}><details><summary>Revision ${one.revision} <small><${Time} at=${one.at} exact />${one.actor && ` by ${one.actor}`}${one.reason && `: ${one.reason}`}</small></summary><pre>${inLines(one.document)}</pre></details></li>`)}</ul>`}<//>`;
}

// Faults by line: of a field the API names the line, of a text that cannot be read its message does.
function faultsOf(error) {
  const line = Number(/\bline (\d+)/.exec(error.message)?.[1]) || undefined;
  const details = error.details?.length ? error.details : [{ path: "", message: error.message }];
  return details.map((one) => ({ ...one, line: one.line ?? line }));
}

function Editor({ model, stored, done }) {
  const original = inLines(stored.document);
  const [text, setText] = useState(original);
  const [check, setCheck] = useState({});
  const [asks, setAsks] = useState(false);
  const field = useRef(), gutter = useRef();
  const type = /^\s*\{/.test(text) ? "application/json" : "application/yaml";
  const put = (more) => call(`${modelPath(model)}${query(more)}`, { method: "PUT", body: text, type });
  const isChanged = text !== original;
  useEffect(() => {
    if (!isChanged) return setCheck({});
    let current = true;
    setCheck((before) => ({ ...before, isStale: true }));
    const timer = setTimeout(() => {
      put({ dry_run: true }).then(
        (found) => current && setCheck({ found }),
        (error) => current && setCheck(error instanceof ApiError && error.status === 400 ? { faults: faultsOf(error) } : { error }),
      );
    }, PAUSE_MS);
    return () => ((current = false), clearTimeout(timer));
  }, [text]);
  const faulty = new Set((check.faults ?? []).map(({ line }) => line));
  const lines = text.split("\n").length;
  const go = (line) => {
    const before = text.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    field.current.focus();
    field.current.setSelectionRange(before, before + (text.split("\n")[line - 1]?.length ?? 0));
  };
  const { found } = check;
  const needsForce = check.error?.status === 409;
  return html`<section class="card"><h2>Revision ${stored.revision}</h2>
    <p class="hint">Stored <${Time} at=${stored.at} exact />${stored.actor && ` by ${stored.actor}`}. Every field is described in docs/configuration.md; what is left out has its default.</p>
    <div class="editor">
      <div class="gutter" aria-hidden="true" ref=${gutter}>${Array.from({ length: lines }, (_, at) => html`<span class=${faulty.has(at + 1) ? "fault" : ""}>${at + 1}</span>`)}</div>
      <textarea ref=${field} aria-label="Configuration" aria-describedby="faults" spellcheck="false" wrap="off" rows=${Math.min(Math.max(lines + 1, 12), 36)} value=${text}
        onInput=${(event) => setText(event.target.value)} onScroll=${(event) => (gutter.current.scrollTop = event.target.scrollTop)}></textarea>
    </div>
    <div id="faults" role="status">
      ${check.isStale && html`<p class="hint">Checking …</p>`}
      ${check.faults && html`<div class="notice bad"><p><strong>${plural(check.faults.length, "fault")}</strong></p><ul>${check.faults.map(({ path, message, line }) => html`<li>
        ${line ? html`<button class="plain" onClick=${() => go(line)}>line ${line}</button> ` : ""}${path && html`<code>${path}</code> `}${message}</li>`)}</ul></div>`}
      ${check.error && html`<${Failure} error=${check.error} />`}
      ${found && !check.isStale && html`<${Preview} found=${found} revision=${stored.revision} />`}
    </div>
    <div class="buttons">
      <button class="primary" disabled=${!isChanged || check.isStale || !(found || needsForce)} onClick=${() => setAsks(true)}>${needsForce ? "Store all the same …" : "Store …"}</button>
      <button disabled=${!isChanged} onClick=${() => setText(original)}>Undo all changes</button>
    </div>
    ${asks && html`<${Confirm} title=${needsForce ? "Store what the API refuses?" : `Store revision ${found?.revision ?? ""}?`} verb="Store" danger=${needsForce}
      act=${(reason) => put({ reason, force: needsForce || undefined })} close=${(made) => (setAsks(false), made && done())}>
      ${needsForce ? html`<p>${sentence(check.error.message)}</p>` : html`<p>It holds for everything that comes from now on.</p>${found?.effects.length > 0 && html`<ul>${found.effects.map(({ message }) => html`<li>${sentence(message)}</li>`)}</ul>`}`}<//>`}
  </section>`;
}

function Preview({ found, revision }) {
  if (found.revision === revision && !found.diff.length) return html`<div class="notice"><p>It means the same as revision ${revision}: nothing would be stored.</p></div>`;
  return html`<div class="notice good"><p><strong>No faults.</strong> ${plural(found.diff.length, "setting")} would change.</p></div>
    ${found.effects.length > 0 && html`<h3>What it does</h3><ul>${found.effects.map(({ code, message }) => html`<li key=${code}>${sentence(message)}</li>`)}</ul>`}
    <h3>What changes</h3><ul class="plain diff">${found.diff.map(({ path, before, after }) => html`<li key=${path}><code>${path}</code> <del><${Value} value=${before} /></del> → <ins><${Value} value=${after} /></ins></li>`)}</ul>`;
}
