// Versions, the gate that judged each, and a person's word on it.

import { call, modelPath, query } from "./api.js";
import { Ask, Badge, Confirm, Facts, Loaded, Out, Paged, Table, Time, html, number, sentence, spaced, useData } from "./ui.js";
import { Head, toModel } from "./models.js";

const LOWER_IS_BETTER = /loss|brier|error|mae|mse|rmse/;

export function VersionList({ model }) {
  const status = useData(() => call(modelPath(model)), [model]);
  return html`<${Head} model=${model} tab="versions" />
    <${Paged} name="versions" load=${(next_token) => call(`${modelPath(model, "versions")}${query({ limit: 50, next_token })}`)}
      empty="No version yet: the first is trained when enough labels are due.">${(versions) => html`
      <section class="card"><${Table} caption="Versions" head=${["Version", "Made", "Gate", "Rows", ...metricsOf(versions)]} rows=${versions.map((one) => ({
        key: one.version,
        cells: [
          html`<a class="id" href=${toModel(model, "versions", one.version)}>${one.version}</a> ${roleOf(one.version, status.data)}`,
          html`<${Time} at=${one.created_at} />`,
          html`<${Verdict} gate=${one.gate} />`,
          number(one.lineage?.rows?.train),
          ...metricsOf(versions).map((name) => number(one.metrics?.[name])),
        ],
      }))} /></section>`}<//>`;
}

const metricsOf = (versions) => Object.keys(versions.find(({ metrics }) => metrics && Object.keys(metrics).length)?.metrics ?? {}).slice(0, 4);

function roleOf(version, status) {
  const role = ["champion", "challenger", "previous"].find((name) => status?.[name] === version);
  return role ? html`<${Badge} tone=${role === "champion" ? "good" : ""}>${role}<//>` : null;
}

function Verdict({ gate }) {
  const verdict = gate?.verdict;
  return verdict ? html`<${Badge} tone=${{ promote: "good", reject: "bad" }[verdict] ?? ""}>${verdict}<//>` : "not judged";
}

export function Version({ model, version }) {
  const found = useData(async () => {
    const [one, status] = await Promise.all([call(modelPath(model, "versions", version)), call(modelPath(model))]);
    return { one, status };
  }, [model, version]);
  return html`<${Head} model=${model} tab="versions" />
    <${Loaded} of=${found}>${({ one, status }) => html`
      <h2><span class="id">${one.version}</span> ${roleOf(version, status)}</h2>
      <${Facts} rows=${[
        ["made", html`<${Time} at=${one.created_at} exact />`],
        ["gate", html`<${Verdict} gate=${one.gate} />`],
        ["compared with", one.gate.compared_with ? html`<a class="id" href=${toModel(model, "versions", one.gate.compared_with)}>${one.gate.compared_with}</a>` : "no champion"],
        one.card_url && ["card", html`<${Out} href=${one.card_url}>limits, intervals, calibration, slices<//>`],
        one.artifact_url && ["artefact", html`<${Out} href=${one.artifact_url}>download<//>`],
        one.expired_at && ["expired", html`<${Time} at=${one.expired_at} exact />`],
      ]} />
      <${Actions} model=${model} one=${one} status=${status} done=${found.reload} />
      ${one.approval?.answer && html`<p>${one.approval.answer.approved ? "Approved" : "Rejected"} by ${one.approval.answer.actor} <${Time} at=${one.approval.answer.at} />: ${one.approval.answer.reason || "no reason given"}</p>`}
      <div class="columns">
        <section class="card"><h2>Metrics, champion beside challenger</h2><${Compared} one=${one} /></section>
        <section class="card"><h2>Origin</h2><${Lineage} model=${model} lineage=${one.lineage} notes=${one.gate.notes} /></section>
      </div>
      <section class="card"><h2>The gate, check by check</h2>
        <${Table} caption="Checks of the gate" empty="No gate has judged it." head=${["Check", "Result", "Value", "Limit", "What it says"]} rows=${[...(one.gate.checks ?? [])].sort((a, b) => a.passed - b.passed).map((check) => ({
          key: check.name,
          cells: [spaced(check.name), html`<${Badge} tone=${check.passed ? "good" : "bad"}>${check.passed ? "passed" : "failed"}<//>`, number(check.value), number(check.limit), sentence(check.detail)],
        }))} /></section>`}<//>`;
}

function Compared({ one }) {
  const before = one.gate.champion_metrics ?? {};
  const names = [...new Set([...Object.keys(one.metrics ?? {}), ...Object.keys(before)])];
  return html`<${Table} caption="Metrics" empty="It has no metrics." head=${["Metric", "This version", "Champion then", "Difference"]} rows=${names.map((name) => {
    const [now, then] = [one.metrics?.[name], before[name]];
    const both = typeof now === "number" && typeof then === "number";
    const better = both && (LOWER_IS_BETTER.test(name) ? then - now : now - then);
    const difference = both ? html`<span class=${better > 0 ? "up" : better < 0 ? "down" : ""}>${now > then ? "+" : ""}${number(now - then)} ${better > 0 ? "better" : better < 0 ? "worse" : ""}</span>` : "–";
    return { key: name, cells: [spaced(name), number(now), number(then), difference] };
  })} />`;
}

function Lineage({ model, lineage, notes = [] }) {
  return html`<${Facts} rows=${[
    ["candidate", spaced(lineage.candidate)],
    lineage.rows && ["rows", Object.entries(lineage.rows).map(([part, count]) => `${number(count)} ${spaced(part)}`).join(", ")],
    ["dataset", html`<span class="id">${lineage.dataset_id}</span>`],
    ["configuration", html`<a href=${toModel(model, "configuration")}>revision ${lineage.configuration_revision}</a>`],
    lineage.decision_id && ["decision", html`<a class="id" href=${toModel(model, "decisions", lineage.decision_id)}>${lineage.decision_id}</a>`],
    ["code", html`<span class="id">${lineage.code_version}</span>`],
  ]} />
  ${lineage.candidates?.length > 0 && html`<h3>Candidates</h3><ul>${lineage.candidates.map(({ candidate, validation_score: score }) => html`<li>${spaced(candidate)}: ${number(score)}</li>`)}</ul>`}
  ${notes.length > 0 && html`<h3>Notes</h3><ul>${notes.map((note) => html`<li>${sentence(note)}</li>`)}</ul>`}`;
}

function Actions({ model, one, status, done }) {
  const path = (verb) => modelPath(model, "versions", one.version, verb);
  const post = (verb, more = {}) => (reason) => call(path(verb), { method: "POST", body: { reason, ...more } });
  const name = html`<span class="id">${one.version}</span>`;
  const champion = status.champion ? html`<span class="id">${status.champion}</span>` : "no version";
  const ask = (label, verb, act, text, kind = {}) => html`<${Ask} label=${label} done=${done} ...${kind}>${(close) => html`<${Confirm} title=${`${verb}?`} verb=${verb} danger=${kind.danger} act=${act} close=${close}><p>${text}</p><//>`}<//>`;
  if (status.waiting_for_approval?.version === one.version) {
    return html`<div class="notice warn"><p><strong>A run waits for your answer</strong> until <${Time} at=${status.waiting_for_approval.expires_at} exact />.</p><div class="buttons">
      ${ask("Approve …", "Approve", post("approve"), html`The run goes on and deploys ${name} as the configuration says (directly, or as canary or shadow); now ${champion} serves.`, { primary: true })}
      ${ask("Reject …", "Reject", post("reject"), html`The run ends without a deployment, and ${champion} goes on serving. Several rejections in a row make later runs wait longer.`, { danger: true })}</div></div>`;
  }
  if (status.champion === one.version || one.expired_at || status.state === "retired") return null;
  const refused = one.gate.verdict === "reject";
  return html`<div class="buttons">
    ${refused && ask("Override the gate …", "Override", post("approve", { override: true }), html`The gate refused ${name}. It will serve all the same, in place of ${champion}, and the record says that you overrode the gate.`, { danger: true })}
    ${!refused && ask("Promote …", "Promote", post("promote"), html`${name} becomes the champion at once, in place of ${champion}, which stays the target of a rollback.`)}</div>`;
}
