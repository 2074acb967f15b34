// Trigger decisions and the changes of the serving pointer: what was decided, by what, and why not.

import { call, modelPath, query } from "./api.js";
import { Badge, Facts, Loaded, Paged, Table, Time, html, number, readable, sentence, spaced, useData, useState } from "./ui.js";
import { Head, toModel } from "./models.js";

export function DecisionList({ model }) {
  const [only, set] = useState(false);
  return html`<${Head} model=${model} tab="decisions" />
    <div class="buttons"><label class="check"><input type="checkbox" checked=${only} onChange=${(event) => set(event.target.checked)} /> only those that started a run</label>
      <a href=${toModel(model, "deployments")}>Changes of the serving pointer</a></div>
    <${Paged} name="decisions" load=${(next_token) => call(`${modelPath(model, "decisions")}${query({ limit: 50, next_token })}`)}
      empty="No decision yet: triggers are evaluated every hour.">${(decisions) => {
      const shown = only ? decisions.filter(({ triggered }) => triggered) : decisions;
      return shown.length === 0
        ? html`<p class="empty">None of the ${decisions.length} newest decisions started a run.</p>`
        : html`<ul class="plain card">${shown.map((one) => html`<li key=${one.decision_id}>
          <p><${Badge} tone=${one.triggered ? "good" : ""}>${one.triggered ? "triggered" : "not triggered"}<//>
          ${one.outcome && html` <${Badge}>${one.outcome}<//>`}
          <a href=${toModel(model, "decisions", one.decision_id)}><${Time} at=${one.at} exact /></a><br />${readable(one.explanation)}
          ${one.outcome_reason && html`<br /><span class="hint">${sentence(readable(one.outcome_reason))}</span>`}</p></li>`)}</ul>`;
    }}<//>`;
}

export function Decision({ model, decision }) {
  const found = useData(() => call(modelPath(model, "decisions", decision)), [model, decision]);
  return html`<${Head} model=${model} tab="decisions" />
    <${Loaded} of=${found}>${(one) => html`
      <h2>Decision of <${Time} at=${one.at} exact /></h2>
      <p class="lead">${readable(one.explanation)}</p>
      <${Facts} rows=${[
        ["decided", html`<${Badge} tone=${one.triggered ? "good" : ""}>${one.triggered ? "triggered" : "not triggered"}<//>`],
        ["cause", spaced(one.cause)],
        one.actor && ["asked by", one.actor],
        one.forced && ["forced", "yes"],
        ["new labels", number(one.new_labels)],
        one.outcome && ["the run ended", html`<${Badge}>${one.outcome}<//> ${one.finished_at && html`<${Time} at=${one.finished_at} />`}`],
        one.outcome_version && ["version", html`<a class="id" href=${toModel(model, "versions", one.outcome_version)}>${one.outcome_version}</a>`],
      ]} />
      ${one.outcome_reason && html`<p>${sentence(readable(one.outcome_reason))}</p>`}
      ${one.blocked_by.length > 0 && html`<section class="card"><h2>What blocked it</h2>
        <ul class="plain">${one.blocked_by.map(({ code, reason }) => html`<li><${Badge} tone="warn">${code}<//> ${sentence(reason)}</li>`)}</ul></section>`}
      <section class="card"><h2>Signals</h2>
        <${Table} caption="Signals" head=${["Signal", "State", "Reason", "Role", "Since"]} rows=${[...one.signals].sort((a, b) => b.active - a.active).map(({ kind, active, reason, role, since }) => ({
          key: kind,
          cells: [spaced(kind), html`<${Badge} tone=${active ? "warn" : ""}>${active ? "active" : "quiet"}<//>`, readable(reason), spaced(role), html`<${Time} at=${since} />`],
        }))} /></section>`}<//>`;
}

export function Deployments({ model }) {
  return html`<${Head} model=${model} tab="decisions" /><h2>Changes of the serving pointer</h2>
    <${Paged} name="deployments" load=${(next_token) => call(`${modelPath(model, "deployments")}${query({ limit: 50, next_token })}`)} empty="No version has served yet.">${(made) => html`
      <section class="card"><${Table} caption="Changes of the serving pointer" head=${["When", "Change", "To", "From", "Reason", "By"]} rows=${made.map((one) => ({
        key: one.sequence,
        cells: [
          html`<${Time} at=${one.at} exact />`, html`<${Badge}>${one.change}<//>`,
          html`<a class="id" href=${toModel(model, "versions", one.to)}>${one.to}</a>`,
          one.from ? html`<a class="id" href=${toModel(model, "versions", one.from)}>${one.from}</a>` : "–", one.reason, one.actor,
        ],
      }))} /></section>`}<//>`;
}
