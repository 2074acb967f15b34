// All models at a glance: what needs attention first, each with what it lives by.

import { call, modelPath, query } from "./api.js";
import { Ask, Badge, Confirm, Facts, Loaded, Paged, Time, html, number, readable, sentence, spaced, useData, useEffect, useRef, useState } from "./ui.js";

const AT_ONCE = 4;
let running = 0;
const waiting = [];

// A page of models asks for each; the API is asked for a few at a time.
async function inTurn(load) {
  if (running >= AT_ONCE) await new Promise((go) => waiting.push(go));
  running += 1;
  try {
    return await load();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

export const toModel = (model, ...rest) => `#/models/${[model, ...rest].map(encodeURIComponent).join("/")}`;
const urgency = ({ attention, state }) => (attention.length ? 0 : state === "retired" || state === "erased" ? 2 : 1);

export function ModelList() {
  return html`<h1>Models</h1>
    <${Paged} name="models" load=${(next_token) => call(`models${query({ limit: 50, next_token })}`)}
      empty='No model yet: PUT a configuration to /v1/models/{model}, or run "hindsight try".'>${(models) => html`
      <p class="lead">${summary(models)}</p>
      <ul class="cards">${[...models].sort((a, b) => urgency(a) - urgency(b)).map((entry) => html`<li key=${entry.model}><${Card} entry=${entry} /></li>`)}</ul>`}<//>`;
}

function summary(models) {
  const wanting = models.filter(({ attention }) => attention.length).length;
  return wanting ? `${wanting} of ${models.length} need${wanting === 1 ? "s" : ""} attention.` : `${models.length} model${models.length === 1 ? "" : "s"}, none needs attention.`;
}

function Card({ entry }) {
  const { model, state, attention } = entry;
  const [status, set] = useState();
  useEffect(() => {
    let current = true;
    inTurn(() => call(modelPath(model))).then((found) => current && set(found), () => current && set(null));
    return () => (current = false);
  }, [model]);
  return html`<a class="card" href=${toModel(model)}>
    <h2>${model}</h2>
    <p class="badges"><${Badge}>${state}<//>${attention.map((code) => html` <${Badge} tone="bad">${code}<//>`)}</p>
    ${status ? html`<${Glance} status=${status} />` : html`<p class="loading">${status === null ? "Its state could not be read." : "Reading its state …"}</p>`}
  </a>`;
}

export const LIVE = "performance";

function Glance({ status }) {
  if (!status.checks) return html`<p class="hint">${sentence(spaced(status.state))}</p>`;
  const live = status.checks[LIVE], drift = status.checks.drift;
  const health = status.join_health;
  return html`<${Line} check=${live} />
    <${Facts} rows=${[
      ["champion", status.champion ? html`<span class="id">${status.champion}</span>` : "none yet"],
      ["drift", drift ? html`<${Badge}>${drift.verdict}<//> <small>${drift.reason} · <${Time} at=${drift.at} /></small>` : "not checked yet"],
      ["labels", health.window ? html`${labelAge(health.window.label_freshness_seconds)} <small>· <${Time} at=${health.window.at} /></small>` : `${number(health.awaiting)} awaited`],
      ["last evaluation", status.last_evaluation ? html`<${Time} at=${status.last_evaluation.at} />` : "none yet"],
    ]} />
    ${status.last_evaluation && html`<p class="hint clamp">${readable(status.last_evaluation.explanation)}</p>`}`;
}

export function labelAge(seconds) {
  if (!seconds) return "up to date";
  return seconds < 3600 ? `${Math.round(seconds / 60)} min behind` : seconds < 172_800 ? `${Math.round(seconds / 3600)} h behind` : `${Math.round(seconds / 86_400)} days behind`;
}

// A value on its line: where it is, how sure, and the limit it must not fall below (for errors: not exceed).
export function Line({ check }) {
  const { value, lower, upper, limit, metric } = check?.summary ?? {};
  if (typeof value !== "number") return html`<p class="figure hint">${check ? sentence(check.reason || "not measured") : "Not measured yet."}</p>`;
  const known = [value, lower, upper, limit].filter((one) => typeof one === "number");
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const pad = (high - low || Math.abs(value) || 1) * 0.1;
  const x = (one) => (200 * (one - low + pad)) / (high - low + 2 * pad);
  return html`<div class="figure">
    <p><span class="big">${number(value)}</span> <small>${spaced(metric)}${typeof limit === "number" ? `, limit ${number(limit)}` : ""} · <${Time} at=${check.at} /></small> <${Badge}>${check.verdict}<//></p>
    <svg class="line" viewBox="0 0 200 16" preserveAspectRatio="none" role="img" aria-label=${`${spaced(metric)} ${number(value)}, between ${number(lower)} and ${number(upper)}, limit ${number(limit)}`}>
      <rect class="track" x="0" y="7" width="200" height="2" />
      ${typeof lower === "number" && typeof upper === "number" && html`<rect class="band" x=${x(lower)} y="5" width=${Math.max(1, x(upper) - x(lower))} height="6" />`}
      ${typeof limit === "number" && html`<rect class="limit" x=${x(limit) - 0.75} y="0" width="1.5" height="16" />`}
      <rect class="dot" x=${x(value) - 1.5} y="3" width="3" height="10" />
    </svg></div>`;
}

const TABS = [["", "Overview"], ["decisions", "Decisions"], ["versions", "Versions"], ["predictions", "Predictions"], ["labels", "Labels"], ["quarantine", "Quarantine"], ["jobs", "Jobs"], ["configuration", "Configuration"]];

export function Head({ model, tab, children }) {
  const tabs = useRef();
  // On a phone the tabs scroll: the current one is to be seen.
  useEffect(() => {
    const current = tabs.current.querySelector("[aria-current]");
    if (current) tabs.current.scrollLeft = current.offsetLeft - tabs.current.offsetLeft - (tabs.current.clientWidth - current.offsetWidth) / 2;
  }, [tab]);
  return html`<p class="crumbs"><a href="#/">Models</a></p><h1>${model}${children && html` <small>${children}</small>`}</h1>
    <nav class="tabs" ref=${tabs} aria-label="Of this model">${TABS.map(([to, name]) => html`<a href=${to ? toModel(model, to) : toModel(model)} aria-current=${to === tab ? "page" : undefined}>${name}</a>`)}</nav>`;
}

export function Overview({ model }) {
  const status = useData(() => call(modelPath(model)), [model]);
  const [Chart, setChart] = useState();
  useEffect(() => void import("./timeline.js").then(({ Timeline }) => setChart(() => Timeline)), []);
  return html`<${Head} model=${model} tab="" />
    <${Loaded} of=${status}>${(found) => (found.checks ? html`<${State} model=${model} status=${found} reload=${status.reload} />` : html`<p>${sentence(spaced(found.state))}</p>`)}<//>
    ${Chart && html`<${Chart} model=${model} />`}`;
}

function State({ model, status, reload }) {
  const { open_run: run, waiting_for_approval: asked, first_version: first, last_evaluation: last } = status;
  return html`
    ${asked && html`<div class="notice warn"><p><strong>A run waits for your word.</strong> <a href=${toModel(model, "versions", asked.version)}>Look at its version and answer</a> until <${Time} at=${asked.expires_at} exact />.</p></div>`}
    ${run && html`<div class="notice"><p><strong>Retraining</strong> since <${Time} at=${run.started_at} />: <a href=${toModel(model, "decisions", run.decision_id)}>${run.reason}</a></p></div>`}
    ${first && html`<div class="notice"><p>No version yet: ${number(first.labels_due)} of ${number(first.labels_needed)} labels are due, ${number(first.labels_not_due)} are not${first.next_due_at ? html`; the next is due <${Time} at=${first.next_due_at} />` : ""}.</p></div>`}
    <div class="columns">
      <section class="card"><h2>Serving</h2>
        <p><${Badge}>${status.state}<//></p>
        <${Facts} rows=${[
          ["champion", status.champion ? html`<a class="id" href=${toModel(model, "versions", status.champion)}>${status.champion}</a>` : "none yet"],
          ["since", status.serving_since && html`<${Time} at=${status.serving_since} exact />`],
          status.challenger && ["challenger", html`<a class="id" href=${toModel(model, "versions", status.challenger)}>${status.challenger}</a> <small>${status.rollout.mode}${status.rollout.share ? `, ${number(status.rollout.share * 100)} %` : ""}</small>`],
          status.previous && ["before", html`<a class="id" href=${toModel(model, "versions", status.previous)}>${status.previous}</a>`],
          status.probation && ["probation since", html`<${Time} at=${status.probation.since} />`],
        ]} />
        <div class="buttons">
          <${Ask} label="Retrain …" done=${reload}>${(close) => html`<${Confirm} title=${`Retrain ${model}?`} verb="Retrain" close=${close} act=${(reason) => call(modelPath(model, "retrain"), { method: "POST", body: { reason } })}>
            <p>A run builds a dataset, trains the candidates and lets the gate judge the best. What blocks runs (cooldown, too few labels) blocks this one too; the decision says so.</p><//>`}<//>
          ${status.previous && html`<${Ask} label="Roll back …" danger done=${reload}>${(close) => html`<${Confirm} title="Roll back?" verb="Roll back" danger close=${close}
            act=${(reason) => call(modelPath(model, "rollback"), { method: "POST", body: { reason, from: status.champion, to: status.previous } })}>
            <p><span class="id">${status.previous}</span> will answer from now on, within some seconds, instead of <span class="id">${status.champion}</span>. A rollout that is open ends.</p><//>`}<//>`}
        </div>
      </section>
      <section class="card"><h2>Live performance</h2><${Line} check=${status.checks.performance} />
        ${typeof status.checks.performance?.summary.value === "number" && status.checks.performance.reason && html`<p class="hint">${sentence(status.checks.performance.reason)}</p>`}
        <h3>Estimated, before the labels come</h3><${Line} check=${status.checks.estimated_performance} /></section>
      <section class="card"><h2>Last evaluation</h2>
        ${last ? html`<p>${readable(last.explanation)}</p><p class="hint">${last.triggered ? "Triggered" : "Not triggered"} <${Time} at=${last.at} />${last.blocked_by.length > 0 && html` · blocked by ${last.blocked_by.map(({ code }) => html` <${Badge} tone="warn">${code}<//>`)}`}</p>` : html`<p class="empty">Triggers have not been evaluated yet.</p>`}
        ${status.last_outcome && html`<p class="hint">The last run ended <${Badge}>${status.last_outcome}<//> <${Time} at=${status.last_run_finished_at} />: <a href=${toModel(model, "decisions")}>why</a>.</p>`}</section>
      <section class="card"><h2>Checks</h2><${Checks} model=${model} checks=${status.checks} health=${status.join_health} /></section>
    </div>`;
}

function Checks({ model, checks, health }) {
  const shown = Object.values(checks).sort((a, b) => a.kind.localeCompare(b.kind));
  if (!shown.length) return html`<p class="empty">Not checked yet.</p>`;
  return html`<ul class="plain">${shown.map((check) => html`<li key=${check.kind}><${CheckRow} check=${check} /></li>`)}</ul>
    <p class="hint"><a href=${toModel(model, "checks")}>All checks</a> · ${number(health.awaiting)}${health.awaiting_capped ? "+" : ""} label${health.awaiting === 1 ? "" : "s"} awaited</p>`;
}

export function CheckRow({ check }) {
  const url = check.page_url ?? check.report_url;
  return html`<p><${Badge}>${check.verdict}<//> <strong>${spaced(check.kind)}</strong> <small><${Time} at=${check.at} /></small>
    ${/^https?:/.test(url ?? "") && html` <a href=${url} target="_blank" rel="noopener noreferrer">${check.page_url ? "page" : "report"} ↗</a>`}
    ${check.reason && html`<br /><span class="hint">${readable(check.reason)}</span>`}</p>`;
}

export function CheckList({ model }) {
  const [kind, set] = useState("");
  const kinds = ["drift", "performance", "estimated_performance", "join_health", "feedback"];
  return html`<${Head} model=${model} tab="" /><h2>Checks</h2>
    <label class="short">Kind <select value=${kind} onChange=${(event) => set(event.target.value)}><option value="">all</option>${kinds.map((one) => html`<option value=${one}>${spaced(one)}</option>`)}</select></label>
    <${Paged} key=${kind} name="checks" load=${(next_token) => call(`${modelPath(model, "checks")}${query({ kind, next_token })}`)} empty="No checks of this kind.">${(checks) => html`
      <ul class="plain card">${checks.map((check) => html`<li key=${check.at + check.kind}><${CheckRow} check=${check} /></li>`)}</ul>`}<//>`;
}
