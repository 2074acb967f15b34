// The shell: who is here, what may be done, and the page that the address names.

import { call, forget, keep, keys, onKeys, refused } from "./api.js";
import { html, render, useEffect, useRef, useState } from "./ui.js";
import { Configuration } from "./configuration.js";
import { Decision, DecisionList, Deployments } from "./decisions.js";
import { CheckList, ModelList, Overview } from "./models.js";
import { Job, Jobs, Labels, Prediction, Predictions, Quarantine } from "./operations.js";
import { ReviewList, Reviewing } from "./review.js";
import { Version, VersionList } from "./versions.js";

const THEME = "hindsight.theme";
const PAGES = [
  ["", "operator", ModelList],
  ["models/:model", "operator", Overview],
  ["models/:model/checks", "operator", CheckList],
  ["models/:model/decisions", "operator", DecisionList],
  ["models/:model/decisions/:decision", "operator", Decision],
  ["models/:model/deployments", "operator", Deployments],
  ["models/:model/versions", "operator", VersionList],
  ["models/:model/versions/:version", "operator", Version],
  ["models/:model/predictions", "operator", Predictions],
  ["models/:model/predictions/:prediction", "operator", Prediction],
  ["models/:model/labels", "operator", Labels],
  ["models/:model/quarantine", "operator", Quarantine],
  ["models/:model/jobs", "operator", Jobs],
  ["models/:model/jobs/:job", "operator", Job],
  ["models/:model/configuration", "operator", Configuration],
  ["review", "reviewer", ReviewList],
  ["review/:model", "reviewer", Reviewing],
];

function match(path) {
  const asked = path.split("/").filter(Boolean);
  for (const [pattern, audience, page] of PAGES) {
    const parts = pattern.split("/").filter(Boolean);
    if (parts.length !== asked.length) continue;
    if (!parts.every((part, at) => part.startsWith(":") || part === asked[at])) continue;
    try {
      const found = parts.flatMap((part, at) => (part.startsWith(":") ? [[part.slice(1), decodeURIComponent(asked[at])]] : []));
      return { audience, page, parameters: Object.fromEntries(found) };
    } catch {
      return null;
    }
  }
  return null;
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const address = () => location.hash.replace(/^#\/?/, "");

function App() {
  const [path, setPath] = useState(address());
  const [held, setHeld] = useState(keys());
  const main = useRef();
  useEffect(() => {
    const go = () => setPath(address());
    addEventListener("hashchange", go);
    const stop = onKeys(() => setHeld(keys()));
    return () => (removeEventListener("hashchange", go), stop());
  }, []);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) main.current.focus();
    first.current = false;
    scrollTo(0, 0);
    document.title = `${path.split("/").slice(1).map(decode).join(" · ") || "Console"} · Hindsight`;
  }, [path]);
  const shown = path || (held.reviewer && !held.operator ? "review" : "");
  const found = match(shown);
  const allowed = found && held[found.audience];
  return html`
    <a class="skip" href="#main" onClick=${(event) => (event.preventDefault(), main.current.focus())}>Skip to the page</a>
    <${Header} held=${held} path=${shown} />
    <main id="main" tabindex="-1" ref=${main}>
      ${!found
          ? html`<h1>Nothing here</h1><p>The console has no page at this address. <a href="#/">Go to its start</a>.</p>`
          : allowed
            ? html`<${found.page} key=${shown} ...${found.parameters} />`
            : html`<${KeyForm} wanted=${found.audience} />`}
    </main>`;
}

function Header({ held, path }) {
  const link = (to, text) => html`<a href=${`#/${to}`} aria-current=${(to ? path.startsWith(to) : !path.startsWith("review")) ? "page" : undefined}>${text}</a>`;
  return html`<header>
    <a class="brand" href="#/"><${Mark} />Hindsight</a>
    <nav aria-label="Console">${link("", "Models")}${link("review", "Reviewing")}</nav>
    <div class="who">
      ${Object.keys(held).length > 0 && html`<span>${Object.keys(held).join(" and ")}</span>
        <button class="plain" onClick=${() => (forget(), (location.hash = ""))}>Sign out</button>`}
      <${Theme} />
    </div>
  </header>`;
}

const Mark = () => html`<svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true"><path d="M13.5 8A5.5 5.5 0 1 1 8 2.5" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/><path d="M8 0v5l3.2-2.5z" fill="currentColor"/><circle cx="8" cy="8" r="2" fill="currentColor"/></svg>`;

function Theme() {
  const [theme, set] = useState(localStorage.getItem(THEME) ?? "");
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    theme ? localStorage.setItem(THEME, theme) : localStorage.removeItem(THEME);
  }, [theme]);
  return html`<select aria-label="Colours" value=${theme} onChange=${(event) => set(event.target.value)}>
    <option value="">System</option><option value="light">Light</option><option value="dark">Dark</option></select>`;
}

const WHERE = {
  operator: "An operator of the stack finds it with `make console` (local), or in API Gateway under API keys (`…OperatorKey`).",
  reviewer: "Ask who runs the review: it is the value of the reviewers' key (`make console` prints it on a local stack).",
};

function KeyForm({ wanted }) {
  const [key, setKey] = useState("");
  const [state, set] = useState({});
  const expired = refused.has(wanted);
  const submit = async (event) => {
    event.preventDefault();
    set({ busy: true });
    try {
      const { audience } = await call("caller", { key: key.trim() });
      if (audience === "app") return set({ wrong: "This is an apps' key. The console takes the key of operators or of reviewers." });
      refused.delete(audience);
      set(audience === wanted ? {} : { wrong: `This is a key of ${audience}s and was kept; this page needs one of ${wanted}s.` });
      setKey("");
      const start = !location.hash || location.hash === "#/";
      keep(audience, key.trim());
      if (start && audience === "reviewer") location.hash = "#/review";
    } catch (error) {
      const unknown = error.status === 403 || error.status === 401;
      set({ wrong: unknown ? "This key is not known here. Check that it is the key's value, not its id, and that it is of this deployment." : `The key could not be checked: ${error.message}.` });
    }
  };
  return html`<section class="card narrow">
    <h1>${wanted === "reviewer" ? "Reviewing needs a reviewers' key" : "Welcome to Hindsight"}</h1>
    ${expired && html`<div class="notice bad" role="alert"><p>The key of this tab is not known any more: it was rotated or withdrawn. Paste the new one to go on where you were.</p></div>`}
    <p>${wanted === "reviewer" ? "Paste the reviewers' key." : "Paste the key of operators or of reviewers."} It is kept for this tab alone, and forgotten when the tab is closed.</p>
    <form onSubmit=${submit}>
      <label>Key <input type="password" autocomplete="off" spellcheck="false" required value=${key} onInput=${(event) => setKey(event.target.value)} autofocus /></label>
      ${state.wrong && html`<div class="notice bad" role="alert"><p>${state.wrong}</p></div>`}
      <div class="buttons"><button class="primary" disabled=${state.busy && !state.wrong}>Go on</button></div>
    </form>
    <p class="hint">${WHERE[wanted]}</p>
  </section>`;
}

render(html`<${App} />`, document.getElementById("app"));
