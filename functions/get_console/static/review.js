// Reviewing: one task at a time, by keyboard; answers go out some seconds later, so that a slip can be undone.

import { call, modelPath, nameReviewer, query, reviewerName, serverNow } from "./api.js";
import {
  Badge, Failure, Facts, Loaded, Notice, Paged, Time, Value, html, number, plural, reads, sentence, spaced,
  useEffect, useMemo, useRef, useState,
} from "./ui.js";

const AHEAD = 5; // tasks leased at once: the next one is there before the last is answered, and few are held
const FEW = 3;
const UNDO_MS = 6_000;
const REASONS = {
  adjudication: "Reviewers disagree: decide",
  audit: "Audit sample",
  uncertain: "The model was unsure",
  requested: "An operator asked",
};
const asReviewer = { audience: "reviewer" };

export function ReviewList() {
  return html`<h1>Reviewing</h1>
    <p class="lead">Models whose predictions people label. Choose one to begin.</p>
    <${Paged} name="models" load=${(next_token) => call(`review${query({ next_token })}`, asReviewer)}
      empty="No model asks for reviews: its configuration needs a rule of kind manual.">${(models) => html`
      <ul class="cards">${models.map(({ model, task, counts }) => html`<li key=${model}>
        <a class="card" href=${`#/review/${encodeURIComponent(model)}`}>
          <h2>${model}</h2>
          <p class="big">${number(counts.open)}${counts.capped ? "+" : ""} <small>open</small></p>
          <p>${counts.adjudication > 0 && html`<${Badge} tone="warn">${counts.adjudication} disputed<//> `}${spaced(task)}</p>
        </a></li>`)}</ul>`}<//>`;
}

export function Reviewing({ model }) {
  const [name, setName] = useState(reviewerName());
  if (!name) return html`<${NameForm} done=${(given) => (nameReviewer(given), setName(given))} />`;
  return html`<${Desk} key=${name} model=${model} reviewer=${name} rename=${() => (nameReviewer(""), setName(null))} />`;
}

function NameForm({ done }) {
  const [name, set] = useState("");
  return html`<section class="card narrow"><h1>Who is reviewing?</h1>
    <p>Your answers are kept under this name, and so is your progress. Use the same one each time.</p>
    <form onSubmit=${(event) => (event.preventDefault(), name.trim() && done(name.trim()))}>
      <label>Name <input required maxlength="128" autocomplete="username" autofocus value=${name} onInput=${(event) => set(event.target.value)} /></label>
      <div class="buttons"><button class="primary">Begin</button></div>
    </form></section>`;
}

// The tasks in hand and the answers on their way. What is answered is held back for a moment, then sent with the others.
class Hand {
  constructor(model, reviewer, changed) {
    Object.assign(this, { model, reviewer, changed });
    this.tasks = [];
    this.waiting = [];
    this.done = 0;
    this.given = new Set(); // classes named in this sitting
    this.notices = [];
    this.isEmpty = false;
    this.queue = null;
    this.path = (...rest) => modelPath(this.model, "review", ...rest);
  }

  async begin() {
    this.queue = await call(`${this.path()}${query({ reviewer: this.reviewer })}`, asReviewer);
    const held = this.queue.tasks;
    this.tasks = [...held.filter(isDisputed), ...held.filter((task) => !isDisputed(task))];
    this.resumed = held.length;
    this.changed();
    await this.refill();
  }

  async refill() {
    if (this.refilling || this.tasks.length >= FEW) return;
    this.refilling = true;
    try {
      const body = { limit: AHEAD - this.tasks.length, reviewer: this.reviewer };
      const leased = await call(this.path("leases"), { ...asReviewer, method: "POST", body });
      const known = new Set([...this.tasks, ...this.waiting.map((one) => one.task)].map((task) => task.task_id));
      const fresh = leased.filter((task) => !known.has(task.task_id));
      // The one on screen stays; a disputed one comes before all others.
      const [current, ...rest] = this.tasks;
      this.tasks = [...(current ? [current] : []), ...[...rest, ...fresh].sort((a, b) => isDisputed(b) - isDisputed(a))];
      this.isEmpty = this.tasks.length === 0;
      this.failure = undefined;
    } catch (error) {
      this.failure = error;
    } finally {
      this.refilling = false;
      this.changed();
    }
  }

  // A key that comes before the next task is drawn is for the one before, which has its answer.
  answer(task, given) {
    if (this.tasks[0] !== task) return;
    this.tasks.shift();
    const until = Math.min(Date.now() + UNDO_MS, Date.now() + Date.parse(task.lease_expires_at) - serverNow() - 2_000);
    this.waiting.push({ task, given, until });
    this.done += 1;
    this.notices = [];
    this.changed();
    this.refill();
  }

  undo() {
    const last = this.waiting.findLast((one) => !one.isSent);
    if (!last) return this.notices.length || this.say("", "The last answer is recorded. An operator can open the task again.");
    this.waiting = this.waiting.filter((one) => one !== last);
    this.tasks.unshift(last.task);
    this.done -= 1;
    this.changed();
    return undefined;
  }

  say(tone, text) {
    this.notices = [{ tone, text }];
    this.changed();
  }

  // Called every moment: sends what waited long enough, and gives up tasks whose lease ran out.
  tick() {
    this.send((one) => one.until <= Date.now());
    const lapsed = this.tasks.filter((task) => Date.parse(task.lease_expires_at) <= serverNow());
    if (lapsed.length) {
      const ids = new Set(lapsed.map((task) => task.task_id));
      this.tasks = this.tasks.filter((task) => !ids.has(task.task_id));
      this.say("warn", "You had this task for longer than its lease, so that it went back to the queue; it was fetched again if it was still free.");
      this.refill();
    }
  }

  async send(due, keepalive = false) {
    const sent = this.waiting.filter((one) => !one.isSent && due(one));
    if (!sent.length || (this.sending && !keepalive)) return;
    this.sending = true;
    sent.forEach((one) => (one.isSent = true));
    try {
      const answers = sent.map(({ task, given }) => ({ task_id: task.task_id, reviewer: this.reviewer, ...given }));
      const receipt = await call(this.path("answers"), { ...asReviewer, method: "POST", keepalive, body: { answers } });
      this.refuse(sent, receipt.rejected);
      this.waiting = this.waiting.filter((one) => !sent.includes(one));
      this.unsent = undefined;
    } catch (error) {
      if (error.status === 400 || error.status === 404 || error.status === 409) {
        this.refuse(sent, sent.map((_, index) => ({ index, message: error.message })));
        this.waiting = this.waiting.filter((one) => !sent.includes(one));
      } else {
        sent.forEach((one) => Object.assign(one, { isSent: false, until: Date.now() + UNDO_MS }));
        this.unsent = error;
      }
    } finally {
      this.sending = false;
      this.changed();
    }
  }

  refuse(sent, rejected) {
    if (!rejected.length) return;
    this.done -= rejected.length;
    const of = rejected.map(({ index }) => sent[index]?.task.task_id).filter(Boolean);
    this.say("bad", `${plural(rejected.length, "answer was", "answers were")} not taken (${of.slice(0, 3).join(", ")}): ${rejected[0].message}.`);
    this.refill();
  }
}

const isDisputed = (task) => task.reason === "adjudication";

function Desk({ model, reviewer, rename }) {
  const [, draw] = useState(0);
  const [error, setError] = useState();
  const hand = useMemo(() => new Hand(model, reviewer, () => draw((count) => count + 1)), [model, reviewer]);
  const begin = () => (setError(undefined), hand.begin().catch(setError));
  useEffect(() => {
    begin();
    const timer = setInterval(() => hand.tick(), 500);
    const leave = () => hand.send(() => true, true);
    const hide = () => document.hidden && leave();
    addEventListener("pagehide", leave);
    document.addEventListener("visibilitychange", hide);
    return () => {
      clearInterval(timer);
      removeEventListener("pagehide", leave);
      document.removeEventListener("visibilitychange", hide);
      leave();
    };
  }, [hand]);
  if (error) return html`<h1>${model}</h1><${Failure} error=${error} retry=${begin} />`;
  if (!hand.queue) return html`<h1>${model}</h1><p class="loading" role="status">Loading …</p>`;
  const [task] = hand.tasks;
  return html`<div class="desk">
    <${Progress} hand=${hand} model=${model} reviewer=${reviewer} rename=${rename} />
    ${hand.unsent && html`<${Notice} tone="bad" role="alert">${sentence(hand.unsent.message)} ${plural(hand.waiting.length, "answer waits", "answers wait")} here and will be sent again; keep this tab open.<//>`}
    ${hand.notices.map(({ tone, text }) => html`<${Notice} tone=${tone}>${text}<//>`)}
    ${hand.failure && html`<${Failure} error=${hand.failure} retry=${() => hand.refill()} />`}
    ${hand.queue.guidelines && html`<details class="card guidelines" open><summary>Guidelines</summary><p class="prose">${hand.queue.guidelines}</p></details>`}
    ${task
      ? html`<${Task} key=${task.task_id} task=${task} hand=${hand} />`
      : html`<section class="card" aria-live="polite"><h2>${hand.refilling || !hand.isEmpty ? "Fetching the next task …" : "Nothing to review for you now"}</h2>
          ${hand.isEmpty && html`<p>Others may hold the last tasks, or all are answered. ${hand.waiting.length > 0 && "Your last answer is on its way; press u to undo it."}</p>
          <div class="buttons"><button onClick=${() => hand.refill()}>Look again</button></div>`}
          <${Undo} hand=${hand} /></section>`}
    <p class="hint keys"><kbd>0</kbd>–<kbd>9</kbd> answer · <kbd>s</kbd> skip · <kbd>u</kbd> undo · <kbd>c</kbd> comment · <kbd>/</kbd> search</p>
  </div>`;
}

function Progress({ hand, model, reviewer, rename }) {
  const { progress, counts } = hand.queue;
  const agreement = progress.agreement;
  return html`<div class="progress">
    <h1>${model}</h1>
    <${Facts} rows=${[
      ["you", html`${reviewer} <button class="plain" onClick=${rename}>change</button>`],
      ["done since yesterday", html`<span data-done>${progress.done + hand.done}</span>`],
      ["in hand", hand.tasks.length],
      ["open when you came", `${number(counts.open)}${counts.capped ? "+" : ""}`],
      agreement && ["others agree with you", `${Math.round(agreement.observed * 100)} % of ${plural(agreement.tasks, "task")}`],
    ]} />
    ${hand.resumed > 0 && hand.done === 0 && html`<p class="hint">${plural(hand.resumed, "task")} you held already ${hand.resumed === 1 ? "is" : "are"} shown first.</p>`}
  </div>`;
}

function Task({ task, hand }) {
  const { queue } = hand;
  const note = useRef();
  // Read from the field itself: a key may come before what was typed is drawn.
  const give = (given) => {
    const comment = note.current.value.trim();
    hand.answer(task, comment ? { ...given, comment } : given);
  };
  const values = task.values;
  useEffect(() => {
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (reads(event.target)) {
        if (event.key === "Escape") event.target.blur();
        return;
      }
      const key = event.key.toLowerCase();
      const at = values?.length <= 10 ? keysOf(values).indexOf(key) : -1;
      const act = at >= 0 ? () => give({ value: values[at] }) : { s: () => give({ skip: true }), u: () => hand.undo(), c: () => note.current.focus() }[key];
      if (act) (event.preventDefault(), act());
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
  return html`<article class="card task" aria-live="polite" aria-label="Task">
    <div class="about"><${Badge} tone=${isDisputed(task) ? "warn" : ""}>${REASONS[task.reason] ?? spaced(task.reason)}<//>
      <span>Predicted <${Time} at=${task.occurred_at} /></span><${Lease} until=${task.lease_expires_at} />
      <span class="id" title="The prediction's id">${task.prediction_id}</span></div>
    <${Features} task=${task} features=${queue.features} />
    ${task.score !== undefined && html`<p class="hint">The model says <strong><${Value} value=${task.decision} /></strong>, score ${number(task.score)}.</p>`}
    ${task.answers && html`<p class="hint">Reviewers answered ${task.answers.map(String).join(", ")}.</p>`}
    <div class="answers" role="group" aria-label="Answer">
      ${values && values.length <= 10
        ? values.map((value, at) => html`<button class="primary answer" onClick=${() => give({ value })}><kbd>${keysOf(values)[at]}</kbd> ${String(value)}</button>`)
        : queue.task === "regression"
          ? html`<${NumberField} give=${give} />`
          : html`<${Search} values=${values ?? classesOf(task, hand)} isOpen=${!values} give=${(value) => (hand.given.add(value), give({ value }))} />`}
      <button onClick=${() => give({ skip: true })}><kbd>s</kbd> Skip</button>
      <${Undo} hand=${hand} />
    </div>
    <label class="comment">Comment, optional <input ref=${note} maxlength="1000" /></label>
  </article>`;
}

const Undo = ({ hand }) => html`<button onClick=${() => hand.undo()} disabled=${!hand.waiting.some((one) => !one.isSent)}><kbd>u</kbd> Undo</button>`;

// Digits that are answers themselves are their own keys; others are counted from 1.
function keysOf(values) {
  const own = values.every((value) => /^\d$/.test(String(value)));
  return values.map((value, at) => (own ? String(value) : String((at + 1) % 10)));
}

function classesOf(task, hand) {
  return [...new Set([...Object.keys(task.probabilities ?? {}), ...(task.answers ?? []).map(String), ...hand.given])];
}

function Lease({ until }) {
  const [, draw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => draw((count) => count + 1), 5_000);
    return () => clearInterval(timer);
  }, []);
  const minutes = Math.max(0, Math.floor((Date.parse(until) - serverNow()) / 60_000));
  return html`<span class=${minutes < 2 ? "late" : ""}>yours for ${minutes < 1 ? "less than a minute" : plural(minutes, "minute")}</span>`;
}

// By type, in the configuration's order: what a reader compares lies together; long text has a line of its own.
const GROUPS = [["numeric", "Numbers"], ["categorical", "Categories"], ["boolean", "Yes or no"], ["text", "Text"], ["", "Other"]];
const LONG = 60;

function Features({ task, features }) {
  const types = new Map(features.map(({ name, type }) => [name, type]));
  const names = [...features.map(({ name }) => name), ...Object.keys(task.features).filter((name) => !types.has(name))];
  const rows = names.map((name) => {
    const value = task.features[name] ?? null;
    const type = typeof value === "string" && value.length > LONG ? "text" : types.get(name);
    return { name, value, type: GROUPS.some(([known]) => known === type) ? type : "" };
  });
  const groups = GROUPS.map(([type, title]) => [type, title, rows.filter((row) => row.type === type)]).filter(([, , found]) => found.length);
  return html`<div class="features">${groups.map(([type, title, found]) => html`<section class=${type} key=${type}><h2>${title}</h2>
    <dl>${found.map(({ name, value }) => html`<div key=${name}><dt>${spaced(name)}</dt><dd><${Value} value=${value === true ? "yes" : value === false ? "no" : value} /></dd></div>`)}</dl></section>`)}</div>`;
}

function NumberField({ give }) {
  const [text, set] = useState("");
  const field = useRef();
  useEffect(() => field.current.focus(), []);
  return html`<form class="inline" onSubmit=${(event) => (event.preventDefault(), text !== "" && Number.isFinite(Number(text)) && give({ value: Number(text) }))}>
    <label>Value <input ref=${field} type="number" step="any" required value=${text} onInput=${(event) => set(event.target.value)} /></label>
    <button class="primary">Answer</button></form>`;
}

function Search({ values, isOpen, give }) {
  const [text, set] = useState("");
  const [at, setAt] = useState(0);
  const field = useRef();
  useEffect(() => {
    const find = (event) => event.key === "/" && !reads(event.target) && (event.preventDefault(), field.current.focus());
    addEventListener("keydown", find);
    field.current.focus();
    return () => removeEventListener("keydown", find);
  }, []);
  const needle = text.trim().toLowerCase();
  const found = values.filter((value) => String(value).toLowerCase().includes(needle)).slice(0, 8);
  const shown = isOpen && needle && !found.some((value) => String(value).toLowerCase() === needle) ? [...found, text.trim()] : found;
  const press = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) (event.preventDefault(), setAt((at + step + shown.length) % shown.length));
    if (event.key === "Enter" && shown[at] !== undefined && needle) (event.preventDefault(), give(shown[at]));
  };
  return html`<div class="search"><label>Class
    <input ref=${field} role="combobox" aria-expanded=${shown.length > 0} aria-controls="classes" aria-autocomplete="list" aria-activedescendant=${shown.length ? `class-${at}` : undefined}
      autocomplete="off" placeholder="Type to search" value=${text} onInput=${(event) => (set(event.target.value), setAt(0))} onKeyDown=${press} /></label>
    <ul id="classes" role="listbox" aria-label="Classes">${shown.map((value, index) => html`<li id=${`class-${index}`} role="option" aria-selected=${index === at} key=${value} onClick=${() => give(value)}>${String(value)}</li>`)}</ul></div>`;
}
