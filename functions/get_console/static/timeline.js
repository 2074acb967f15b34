// What happened to a model: its performance as a line with its bounds, and below it, on the same axis, all that changed.

import uPlot from "./vendor/uplot.js";
import { call, modelPath, query } from "./api.js";
import { Failure, Time, html, moment, number, readable, spaced, useData, useEffect, useMemo, useRef, useState } from "./ui.js";
import { toModel } from "./models.js";

const DAY = 86_400;
const SPANS = [["7 days", 7 * DAY], ["30 days", 30 * DAY], ["92 days", 92 * DAY]];
const DAYS = 92; // as far as the API reads back in one call
const GUTTER = 64;
const LISTED = 100;
const seconds = (at) => Date.parse(at) / 1000;

async function load(model) {
  const of = (...rest) => modelPath(model, ...rest);
  const daily = (kind) => call(`${of("checks")}${query({ kind, daily: true, limit: DAYS })}`).then(({ checks }) => checks);
  const [live, estimated, drift, decisions, versions, deployments] = await Promise.all([
    daily("performance"),
    daily("estimated_performance"),
    daily("drift"),
    call(`${of("decisions")}${query({ limit: 200 })}`).then((page) => page.decisions),
    call(`${of("versions")}${query({ limit: 200 })}`).then((page) => page.versions),
    call(`${of("deployments")}${query({ limit: 200 })}`).then((page) => page.deployments),
  ]);
  return { live, estimated, events: eventsOf(model, { drift, live, decisions, versions, deployments }) };
}

// Everything with a moment, a page of its own and one line of text.
function eventsOf(model, { drift, live, decisions, versions, deployments }) {
  const found = [
    ...[...drift, ...live].filter(({ verdict }) => verdict === "drift" || verdict === "low").map((check) => ({
      lane: "Alarms", at: check.at, tone: "bad", href: check.page_url ?? check.report_url, out: true,
      text: `${spaced(check.kind)} ${check.verdict}: ${check.reason}`,
    })),
    ...decisions.map((one) => ({
      lane: one.triggered ? "Runs" : "Decisions", at: one.at, href: toModel(model, "decisions", one.decision_id), text: readable(one.explanation),
      tone: one.triggered ? { promoted: "good", deployed: "good", rejected: "bad", failed: "bad" }[one.outcome] ?? "warn" : "",
    })),
    ...versions.map((one) => ({
      lane: "Versions", at: one.created_at, href: toModel(model, "versions", one.version), tone: { promote: "good", reject: "bad" }[one.gate?.verdict] ?? "",
      text: `${one.version}: ${spaced(one.gate?.verdict ?? "not judged")}`,
    })),
    ...deployments.map((one) => ({
      lane: "Serving", at: one.at, href: toModel(model, "versions", one.to), tone: /roll|abort/.test(one.change) ? "bad" : "good",
      text: `${spaced(one.change)} ${one.to} by ${one.actor}: ${one.reason}`,
    })),
  ];
  return found.map((one) => ({ ...one, x: seconds(one.at) })).sort((a, b) => b.x - a.x);
}

const LANES = ["Alarms", "Decisions", "Runs", "Versions", "Serving"];

export function Timeline({ model }) {
  const { data, error, loading, at, reload } = useData(() => load(model), [model]);
  return html`<section class="card timeline" aria-label="Timeline"><h2>What happened</h2>
    ${error && html`<${Failure} error=${error} retry=${reload} />`}
    ${!data && loading && html`<p class="loading" role="status">Loading …</p>`}
    ${data && html`<${Plot} ...${data} /><p class="as-of">Checks of the last ${DAYS} days, the newest of each day; as of ${new Date(at).toLocaleTimeString("en-GB")}.
      <button class="plain" onClick=${reload}>Load again</button></p>`}
  </section>`;
}

function spanOf(live, estimated, events) {
  const moments = [...live, ...estimated].map(({ at }) => seconds(at)).concat(events.map(({ x }) => x));
  if (!moments.length) return null;
  const [first, last] = [Math.min(...moments), Math.max(...moments)];
  const pad = Math.max((last - first) * 0.03, 3600);
  return [first - pad, last + pad];
}

function Plot({ live, estimated, events }) {
  const whole = useMemo(() => spanOf(live, estimated, events), [live, estimated, events]);
  const [span, setSpan] = useState(whole);
  if (!whole) return html`<p class="empty">Nothing has happened yet.</p>`;
  const [from, to] = span;
  const inside = events.filter(({ x }) => x >= from && x <= to);
  const set = (start, end) => setSpan([Math.max(whole[0], start), Math.min(whole[1], end)]);
  const zoom = (factor) => set((from + to) / 2 - ((to - from) * factor) / 2, (from + to) / 2 + ((to - from) * factor) / 2);
  const shift = (part) => {
    const by = Math.min(Math.max((to - from) * part, whole[0] - from), whole[1] - to);
    setSpan([from + by, to + by]);
  };
  const measured = live.some(({ summary }) => typeof summary.value === "number") || estimated.some(({ summary }) => typeof summary.value === "number");
  return html`
    <div class="buttons zoom" role="group" aria-label="Span">
      ${SPANS.map(([name, length]) => html`<button onClick=${() => setSpan([Math.max(whole[0], whole[1] - length), whole[1]])}>${name}</button>`)}
      <button onClick=${() => setSpan(whole)}>All</button>
      <button aria-label="Earlier" onClick=${() => shift(-0.5)}>←</button><button aria-label="Later" onClick=${() => shift(0.5)}>→</button>
      <button aria-label="Zoom in" onClick=${() => zoom(0.5)}>+</button><button aria-label="Zoom out" onClick=${() => zoom(2)}>−</button>
      <span class="hint">${moment(from * 1000)} – ${moment(to * 1000)}; draw across the chart to zoom</span>
    </div>
    ${measured ? html`<${Lines} live=${live} estimated=${estimated} span=${span} choose=${set} />` : html`<p class="empty">No performance was measured or estimated yet.</p>`}
    <div class="lanes">${LANES.map((lane) => html`<div class="lane" key=${lane}><span>${lane}</span><div>
      ${inside.filter((one) => one.lane === lane).map((one) => html`<a class=${`point ${one.tone}`} tabindex="-1" aria-hidden="true" ...${linkOf(one)} title=${`${moment(one.at)} – ${one.text}`}
        style=${{ left: `${(100 * (one.x - from)) / (to - from || 1)}%` }}></a>`)}</div></div>`)}</div>
    <details><summary>${inside.length} event${inside.length === 1 ? "" : "s"} in this span</summary>
      <ol class="plain events">${inside.slice(0, LISTED).map((one) => html`<li><span class=${`point ${one.tone}`}></span> <${Time} at=${one.at} exact /> <strong>${one.lane}</strong> <a ...${linkOf(one)}>${one.text}</a></li>`)}</ol>
      ${inside.length > LISTED && html`<p class="hint">The newest ${LISTED} are listed; zoom in for the others.</p>`}</details>`;
}

function linkOf({ href, out }) {
  if (out) return /^https?:/.test(href ?? "") ? { href, target: "_blank", rel: "noopener noreferrer" } : {};
  return { href };
}

// The colour that a variable has now: a canvas knows no variables.
function colour(name, alpha) {
  const probe = document.createElement("span");
  probe.style.color = alpha ? `color-mix(in srgb, var(${name}) ${alpha}%, transparent)` : `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function tableOf(live, estimated) {
  const rows = new Map();
  const put = (checks, at) => {
    for (const check of checks) {
      const { value, lower, upper, limit } = check.summary;
      const row = rows.get(seconds(check.at)) ?? Array(7).fill(null);
      [value, lower, upper].forEach((one, offset) => (row[at + offset] = one ?? null));
      row[6] = limit ?? row[6];
      rows.set(seconds(check.at), row);
    }
  };
  put(estimated, 3);
  put(live, 0);
  const times = [...rows.keys()].sort((a, b) => a - b);
  return [times, ...Array.from({ length: 7 }, (_, column) => times.map((time) => rows.get(time)[column]))];
}

function Lines({ live, estimated, span, choose }) {
  const place = useRef(), plot = useRef();
  const table = useMemo(() => tableOf(live, estimated), [live, estimated]);
  const metric = spaced((live[0] ?? estimated[0])?.summary.metric);
  const chosen = useRef(choose);
  chosen.current = choose;
  useEffect(() => {
    const box = place.current;
    const draw = () => {
      const { min, max } = plot.current?.scales.x ?? { min: span[0], max: span[1] };
      plot.current?.destroy();
      plot.current = new uPlot(options(metric, box.clientWidth, (from, to) => chosen.current(from, to)), table, box);
      plot.current.setScale("x", { min, max });
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height: HEIGHT }));
    resized.observe(box);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener("change", draw);
      plot.current.destroy();
      plot.current = null;
    };
  }, [table]);
  useEffect(() => plot.current?.setScale("x", { min: span[0], max: span[1] }), [span]);
  const newest = live.find(({ summary }) => typeof summary.value === "number");
  return html`<div class="plot" ref=${place} role="img" aria-label=${`${metric} over time${newest ? `, newest ${number(newest.summary.value)} of ${moment(newest.at)}` : ""}`}></div>`;
}

const HEIGHT = 260;
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const hour = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const shown = (_, value) => (value === null || value === undefined ? "–" : number(value));

function options(metric, width, choose) {
  const [text, line, accent, warn, bad] = ["--quiet", "--line", "--accent", "--warn", "--bad"].map((name) => colour(name));
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
  const bound = { stroke: "transparent", points: { show: false }, spanGaps: true, value: shown };
  return {
    width,
    padding: [12, 8, 0, 0],
    height: HEIGHT,
    cursor: { drag: { x: true, y: false, setScale: false } },
    hooks: {
      setSelect: [
        (u) => {
          if (u.select.width < 5) return;
          const [from, to] = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          choose(from, to);
        },
      ],
    },
    axes: [{ ...axis, space: 80, values: (_, ticks, at, space, step) => ticks.map((tick) => (step < DAY ? hour : day).format(tick * 1000)) }, { ...axis, size: GUTTER, values: (_, ticks) => ticks.map(number) }],
    bands: [
      { series: [3, 2], fill: colour("--accent", 16) },
      { series: [6, 5], fill: colour("--warn", 12) },
    ],
    series: [
      { label: "Time", value: (_, at) => (at ? moment(at * 1000) : "–") },
      { label: `live ${metric}`, stroke: accent, width: 2, spanGaps: true, value: shown, points: { show: true, size: 5 } },
      { ...bound, label: "from" },
      { ...bound, label: "to" },
      { label: "estimated", stroke: warn, width: 1.5, dash: [6, 4], spanGaps: true, value: shown, points: { show: true, size: 4 } },
      { ...bound, label: "from" },
      { ...bound, label: "to" },
      { label: "limit", stroke: bad, width: 1.5, spanGaps: true, value: shown, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
    ],
  };
}
