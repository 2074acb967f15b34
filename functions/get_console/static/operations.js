// A prediction's story, the health of labels, quarantine and jobs.

import { call, modelPath, query } from "./api.js";
import { Ask, Badge, Confirm, Facts, Loaded, Out, Paged, Table, Time, Value, html, number, plural, sentence, spaced, useData, useEffect, useState } from "./ui.js";
import { CheckRow, Head, labelAge, toModel } from "./models.js";

export function Predictions({ model }) {
  const [id, set] = useState("");
  const go = (event) => (event.preventDefault(), id.trim() && (location.hash = toModel(model, "predictions", id.trim())));
  return html`<${Head} model=${model} tab="predictions" />
    <section class="card narrow"><h2>A prediction's story</h2><p>Its features and answer, the feedback that came, each label it had and why, the review, and what was trained on it.</p>
    <form onSubmit=${go}><label>Prediction id <input required maxlength="128" value=${id} onInput=${(event) => set(event.target.value)} /></label>
    <div class="buttons"><button class="primary">Show</button></div></form></section>`;
}

export function Prediction({ model, prediction }) {
  const found = useData(() => call(modelPath(model, "predictions", prediction)), [model, prediction]);
  return html`<${Head} model=${model} tab="predictions" />
    <${Loaded} of=${found}>${(story) => html`<${Story} model=${model} story=${story} reload=${found.reload} />`}<//>`;
}

function Story({ model, story, reload }) {
  const { prediction, feedback, labels, review, datasets, versions } = story;
  return html`<h2>Prediction <span class="id">${prediction.prediction_id}</span></h2>
    <div class="columns">
      <section class="card"><h2>The answer</h2><${Facts} rows=${[
        ["decision", html`<strong><${Value} value=${prediction.decision} /></strong>`],
        ["score", number(prediction.score)],
        ["version", prediction.model_version && html`<a class="id" href=${toModel(model, "versions", prediction.model_version)}>${prediction.model_version}</a>`],
        ["asked", html`<${Time} at=${prediction.occurred_at} exact />`],
        ["received", html`<${Time} at=${prediction.received_at} exact />`],
        ["outcome due", html`<${Time} at=${prediction.outcome_due_at} exact />`],
        prediction.entity_id && ["entity", html`<span class="id">${prediction.entity_id}</span>`],
        prediction.reference && ["reference", html`<span class="id">${prediction.reference}</span>`],
        typeof prediction.propensity === "number" && ["propensity", number(prediction.propensity)],
      ]} /></section>
      <section class="card"><h2>Features</h2><${Facts} rows=${Object.entries(prediction.features).map(([name, value]) => [name, html`<${Value} value=${value} />`])} /></section>
    </div>
    <section class="card"><h2>Label history</h2><${Table} caption="Labels" empty="No label yet." head=${["No.", "Label", "Status", "Kind", "Event", "Known", "Rules"]} rows=${labels.map((one) => ({
      key: one.seq,
      cells: [one.seq, html`<strong><${Value} value=${one.value} /></strong>${one.disagreeing.length > 0 && html` <small>against ${one.disagreeing.join(", ")}</small>`}`, html`<${Badge}>${one.status}<//>`, one.kind ?? "–", one.event ?? "–", html`<${Time} at=${one.known_at} exact />`, `revision ${one.rules_revision}`],
    }))} />${story.labels_total > labels.length && html`<p class="hint">${labels.length} of ${story.labels_total} are shown.</p>`}</section>
    <section class="card"><h2>Feedback</h2><${Table} caption="Feedback" empty="None came." head=${["Event", "Value", "Occurred", "Received", "What became of it", "Id"]} rows=${feedback.map((one) => ({
      key: one.feedback_id,
      cells: [html`${one.name}${one.retracted && html` <${Badge} tone="bad">retracted<//>`}`, html`<${Value} value=${one.value} />`, html`<${Time} at=${one.occurred_at} exact />`, html`<${Time} at=${one.received_at} exact />`, spaced(one.disposition), html`<span class="id">${one.feedback_id}</span>`],
    }))} />${story.feedback_total > feedback.length && html`<p class="hint">${feedback.length} of ${story.feedback_total} are shown.</p>`}</section>
    <div class="columns">
      <section class="card"><h2>Review</h2>${review ? html`<${Review} model=${model} id=${prediction.prediction_id} review=${review} reload=${reload} />` : html`<p class="empty">It was not selected for review.</p>
        <${Ask} label="Ask for a review …" done=${reload}>${(close) => html`<${Confirm} title="Ask for a review?" verb="Ask" close=${close} act=${(reason) => call(modelPath(model, "review", "tasks"), { method: "POST", body: { prediction_ids: [prediction.prediction_id], reason } })}>
          <p>It comes into the reviewers' queue. Asked for by hand, it counts for training, not as part of the audit sample.</p><//>`}<//>`}</section>
      <section class="card"><h2>Used by</h2>
        ${datasets.length ? html`<ul class="plain">${datasets.map((one) => html`<li><span class="id">${one.dataset_id}</span> <small>${one.part}, label ${one.seq}</small></li>`)}</ul>` : html`<p class="empty">No dataset holds it${story.all_datasets_searched ? "" : " among those searched"}.</p>`}
        ${versions.length > 0 && html`<h3>Versions trained on these</h3><ul class="plain">${versions.map((one) => html`<li><a class="id" href=${toModel(model, "versions", one)}>${one}</a></li>`)}</ul>`}</section>
    </div>`;
}

function Review({ model, id, review, reload }) {
  return html`<p><${Badge}>${review.state}<//> ${spaced(review.reason)}${review.selection_probability !== null ? `, selected with probability ${number(review.selection_probability)}` : ""}</p>
    <ul class="plain">${review.answers.map((one) => html`<li><strong><${Value} value=${one.value} /></strong> by ${one.reviewer} <small><${Time} at=${one.at} /></small>${one.comment && html`<br /><span class="hint">${one.comment}</span>`}</li>`)}
    ${review.skips.map((one) => html`<li>skipped by ${one.reviewer} <small><${Time} at=${one.at} /></small></li>`)}</ul>
    ${review.resolved && html`<p>Resolved as <strong><${Value} value=${review.resolved.value} /></strong> <${Time} at=${review.resolved.at} />.</p>
      <${Ask} label="Open again …" done=${reload}>${(close) => html`<${Confirm} title="Open the task again?" verb="Open again" close=${close} act=${(reason) => call(modelPath(model, "review", "tasks", id, "reopen"), { method: "POST", body: { reason } })}>
        <p>Its annotation is retracted, the label is made anew without it, and reviewers are asked again.</p><//>`}<//>`}`;
}

export function Labels({ model }) {
  const found = useData(() => call(modelPath(model)), [model]);
  return html`<${Head} model=${model} tab="labels" />
    <${Loaded} of=${found}>${(status) => (status.checks ? html`<${Health} model=${model} status=${status} />` : html`<p>${sentence(spaced(status.state))}</p>`)}<//>`;
}

function Health({ model, status }) {
  const { join_health: health, review_queue: queue } = status;
  const { window, feedback } = health;
  const agreement = queue.agreement;
  return html`<div class="columns">
    <section class="card"><h2>Labels now</h2><${Facts} rows=${[
      ["awaited", `${number(health.awaiting)}${health.awaiting_capped ? "+" : ""}`],
      ["next due", html`<${Time} at=${health.next_due_at} />`],
      ["overdue", html`${number(health.overdue)}${health.overdue_capped ? "+" : ""}`],
    ]} />
    ${window && html`<h3>In the check's window, <${Time} at=${window.at} /></h3><${Facts} rows=${[
      ["predictions", number(window.predictions)], ["labelled", number(window.labelled)], ["due", number(window.due)], ["not due", number(window.not_due)], ["waiting", number(window.waiting)],
      ["freshness", labelAge(window.label_freshness_seconds)],
      ...Object.entries(window.by_status ?? {}).map(([name, count]) => [spaced(name), number(count)]),
      ...Object.entries(window.by_kind ?? {}).map(([name, count]) => [`by ${spaced(name)}`, number(count)]),
    ]} />`}
    <div class="buttons"><${Ask} label="Relabel history …">${(close) => html`<${Confirm} title="Relabel history?" verb="Relabel" close=${(made) => (close(made), made && (location.hash = toModel(model, "jobs")))} act=${(reason) => call(modelPath(model, "relabel"), { method: "POST", body: { reason } })}>
      <p>A job makes every label anew by the rules of today. What changed is known from now on; older datasets stay as they were. Watch it under Jobs.</p><//>`}<//>
    <${Ask} label="Export labels …">${(close) => html`<${Export} model=${model} close=${close} />`}<//></div></section>
    <section class="card"><h2>Feedback of a day</h2>${feedback ? html`<${Facts} rows=${[
      ["since", html`<${Time} at=${feedback.since} />`], ["events", number(feedback.events)], ["without effect", number(feedback.without_effect)],
      ...Object.entries(feedback.by_cause).map(([cause, count]) => [spaced(cause), number(count)]),
    ]} />` : html`<p class="empty">None came.</p>`}${status.checks.feedback && html`<${CheckRow} check=${status.checks.feedback} />`}</section>
    <section class="card"><h2>Review queue</h2><${Facts} rows=${[
      ["open", `${number(queue.open)}${queue.capped ? "+" : ""}`], ["free", number(queue.free)], ["in hand", number(queue.leased)], ["disputed", number(queue.adjudication)],
      agreement && ["agreement", agreement.observed === null ? "–" : `${Math.round(agreement.observed * 100)} % of ${plural(agreement.tasks, "task")}`],
      agreement && ["Fleiss' kappa", number(agreement.fleiss_kappa)],
    ]} /><p><a href=${`#/review/${encodeURIComponent(model)}`}>Review</a></p></section>
  </div>`;
}

function Export({ model, close }) {
  const [span, set] = useState({ from: "", to: "" });
  const dates = Object.fromEntries(Object.entries(span).filter(([, day]) => day));
  const day = (name) => html`<label>${name} <input type="date" value=${span[name]} onInput=${(event) => set({ ...span, [name]: event.target.value })} /></label>`;
  return html`<${Confirm} title="Export labels?" verb="Export" reason=${false} close=${(made) => (close(made), made && (location.hash = toModel(model, "jobs")))} act=${() => call(`${modelPath(model, "labels")}${query(dates)}`)}>
    <p>A job writes matured labels with their features to one Parquet file; its link is with the job.</p>${day("from")}${day("to")}<//>`;
}

export function Quarantine({ model }) {
  const [round, again] = useState(0);
  return html`<${Head} model=${model} tab="quarantine" />
    <${Paged} key=${round} name="rows" load=${(next_token) => call(`${modelPath(model, "quarantine")}${query({ limit: 50, next_token })}`)} empty="Nothing is in quarantine: all that came was taken.">${(rows, { counts, capped }) => html`
      <section class="card"><h2>By reason</h2><${Facts} rows=${Object.entries(counts).map(([code, count]) => [spaced(code), `${number(count)}${capped ? "+" : ""}`])} />
      <div class="buttons"><${Ask} label="Replay …" done=${() => again(round + 1)}>${(close) => html`<${Replay} model=${model} codes=${Object.keys(counts)} close=${close} />`}<//></div></section>
      <h2>Samples, newest first</h2>
      ${rows.map((row) => html`<details class="card sample"><summary><${Badge} tone="bad">${row.code}<//> ${row.reason} <small>${spaced(row.kind)}, <${Time} at=${row.received_at ?? row.day} exact=${!!row.received_at} /></small></summary>
        <${Facts} rows=${[row.path && ["path", html`<code>${row.path}</code>`], row.model && ["model", row.model], row.file && ["file", html`<code>${row.file}${row.line ? `:${row.line}` : ""}</code>`]]} />
        <pre>${row.event !== undefined ? JSON.stringify(row.event, null, 2) : row.text}${row.truncated ? " …" : ""}</pre></details>`)}`}<//>`;
}

function Replay({ model, codes, close }) {
  const [chosen, set] = useState(codes);
  const flip = (code) => set(chosen.includes(code) ? chosen.filter((one) => one !== code) : [...chosen, code]);
  const act = (reason) => call(modelPath(model, "quarantine", "replay"), { method: "POST", body: chosen.length === codes.length ? { reason } : { reason, codes: chosen } });
  return html`<${Confirm} title="Replay the quarantine?" verb="Replay" close=${(made) => (close(made), made && (location.hash = toModel(model, "jobs")))} act=${act}>
    <p>A job takes in what can be read by now, as if it came when it came first; the rest stays. Watch it under Jobs.</p>
    <fieldset><legend>Of these reasons</legend>${codes.map((code) => html`<label class="check"><input type="checkbox" checked=${chosen.includes(code)} onChange=${() => flip(code)} /> ${spaced(code)}</label>`)}</fieldset><//>`;
}

const KINDS = ["relabelling", "import", "replay", "erasure", "verification", "export"];

export function Jobs({ model }) {
  const [kind, set] = useState("");
  return html`<${Head} model=${model} tab="jobs" />
    <label class="short">Kind <select value=${kind} onChange=${(event) => set(event.target.value)}><option value="">all</option>${KINDS.map((one) => html`<option>${one}</option>`)}</select></label>
    <${Paged} key=${kind} name="jobs" load=${(next_token) => call(`${modelPath(model, "jobs")}${query({ kind, next_token, limit: 50 })}`)} empty="No jobs.">${(jobs) => html`
      <section class="card"><${Table} caption="Jobs" head=${["Job", "Status", "Progress", "Started", "Finished", "By"]} rows=${jobs.map((job) => ({
        key: job.job_id,
        cells: [html`<a href=${toModel(model, "jobs", job.job_id)}>${job.kind}</a>`, html`<${Badge}>${job.status}<//>`, html`<${Progress} of=${job.progress} />`, html`<${Time} at=${job.started_at} />`, html`<${Time} at=${job.finished_at} />`, job.actor ?? "–"],
      }))} /></section>`}<//>`;
}

const Progress = ({ of: { done, total } }) => html`${total ? html`<progress max=${total} value=${done} aria-label="Progress"></progress> ` : ""}${number(done)}${total ? ` of ${number(total)}` : ""}`;
const ENDED = ["completed", "failed", "stopped", "superseded"];
const AGAIN_MS = 3_000;

export function Job({ model, job }) {
  const found = useData(() => call(modelPath(model, "jobs", job)), [model, job]);
  const runs = found.data && !found.data.finished_at && !ENDED.includes(found.data.status);
  useEffect(() => {
    if (!runs || found.loading) return undefined;
    const timer = setTimeout(found.reload, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [runs, found.loading, found.at]);
  return html`<${Head} model=${model} tab="jobs" />
    <${Loaded} of=${found}>${(one) => html`<section class="card"><h2>${one.kind} <${Badge}>${one.status}<//></h2>
      <p><${Progress} of=${one.progress} /></p>
      <${Facts} rows=${[
        ["id", html`<span class="id">${one.job_id}</span>`], ["started", html`<${Time} at=${one.started_at} exact />`], ["finished", html`<${Time} at=${one.finished_at} exact />`],
        one.actor && ["by", one.actor], one.reason && ["reason", one.reason],
      ]} />
      ${one.failure && html`<div class="notice bad"><p>${sentence(one.failure)}</p></div>`}
      ${one.result && html`<h3>Result</h3><${Facts} rows=${Object.entries(one.result).map(([name, value]) => [spaced(name), name === "url" ? html`<${Out} href=${value}>download<//>` : html`<${Value} value=${value} />`])} />`}
      ${one.status === "failed" && html`<div class="buttons"><${Ask} label="Resume …" done=${found.reload}>${(close) => html`<${Confirm} title="Resume the job?" verb="Resume" reason=${false} close=${close} act=${() => call(modelPath(model, "jobs", job, "resume"), { method: "POST" })}><p>It goes on where it stopped.</p><//>`}<//></div>`}
      </section>`}<//>`;
}
