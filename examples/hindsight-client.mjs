// A client of the HTTP API for apps, to copy into yours: fetch is all it needs (Node 20 or newer; docs/clients.md).

const MAX_ITEMS = 500;
const MAX_BYTES = { instances: 3584 * 1024, predictions: 3584 * 1024, events: 1024 * 1024 };
const [FIRST_PAUSE, LONGEST_PAUSE, TIMEOUT] = [200, 20_000, 35_000];

/** An answer that is final, or the last one of a call that kept failing. */
export class CallRefused extends Error {
  constructor(status, error) {
    super(`${status} ${error.code ?? ""}: ${error.message ?? ""}`);
    Object.assign(this, { status, code: error.code ?? "", details: error.details ?? [] });
  }
}

/** One model as its app sees it; `patience` is for how many milliseconds a call that fails is sent again. */
export class Hindsight {
  constructor(model, { api, key, patience = 60_000 } = {}) {
    [api, key] = [api ?? globalThis.process?.env.API, key ?? globalThis.process?.env.APP_KEY];
    if (!api || !key) throw new Error("name the API and its key, or set API and APP_KEY");
    this.url = `${api.replace(/\/+$/, "")}/models/${encodeURIComponent(model)}`;
    this.headers = { "x-api-key": key, "content-type": "application/json" };
    this.patience = patience;
  }

  /** Has instances scored. Throws CallRefused, also for one invalid instance, and fetch's error without an answer. */
  async predict(instances) {
    return (await this.#send("predict", "instances", "prediction_id", instances)).predictions;
  }

  /** Logs predictions made elsewhere; resolves to what was `accepted` and `rejected`. Throws as `predict`. */
  log(predictions) {
    return this.#send("predictions", "predictions", "prediction_id", predictions);
  }

  /** Sends feedback; resolves to what was `accepted` and `rejected`. Throws as `predict`. */
  feedback(events) {
    return this.#send("feedback", "events", "feedback_id", events);
  }

  // Sends items in as many calls as they take, and puts the answers together; each item gets its id first.
  async #send(route, name, idField, items) {
    const whole = route === "predict" ? { predictions: [] } : { accepted: [], rejected: [] };
    let start = 0;
    const moved = (one) => ({ ...one, index: one.index + start });
    for (const batch of batches(items.map((item) => ({ [idField]: crypto.randomUUID(), ...item })), MAX_BYTES[name])) {
      const answer = await this.#call(route, `{"${name}": [${batch.join(", ")}]}`).catch((refused) => {
        const ofItems = refused.details?.some(({ path }) => path.startsWith(`${name}[`));
        if (route === "predict" || !ofItems) throw refused;
        return { rejected: allRejected(refused, name, batch.length) };
      });
      for (const [field, value] of Object.entries(answer)) {
        if (!Array.isArray(value)) Object.assign((whole[field] ??= {}), value); // tokens by prediction
        else (whole[field] ??= []).push(...value.map((one) => ("index" in Object(one) ? moved(one) : one)));
      }
      start += batch.length;
    }
    return whole;
  }

  // Makes one call, again after a 429, a 5xx or a lost connection, until it succeeds or patience ends.
  async #call(route, body) {
    const deadline = Date.now() + this.patience;
    for (let longest = FIRST_PAUSE; ; longest = Math.min(2 * longest, LONGEST_PAUSE)) {
      let failure, asked = 0;
      try {
        const signal = AbortSignal.timeout(TIMEOUT);
        const answer = await fetch(`${this.url}/${route}`, { method: "POST", headers: this.headers, body, signal });
        if (answer.ok) return await answer.json();
        const { error } = await answer.json().catch(() => ({})); // a proxy's page is no JSON
        failure = new CallRefused(answer.status, error ?? { message: answer.statusText });
        asked = 1000 * (Number(answer.headers.get("retry-after")) || 0);
      } catch (error) {
        failure = error; // no answer, or half of one
      }
      if (failure.status < 500 && failure.status !== 429) throw failure;
      const pause = asked + Math.random() * longest;
      if (Date.now() + pause > deadline) throw failure;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

// Writes items as JSON, as many together as one call takes; one that is too large goes alone, and is refused.
function* batches(items, maxBytes) {
  let [batch, size] = [[], 64];
  for (const text of items.map((item) => JSON.stringify(item))) {
    const bytes = new TextEncoder().encode(text).length + 2;
    if (batch.length && (batch.length === MAX_ITEMS || size + bytes > maxBytes)) {
      yield batch;
      [batch, size] = [[], 64];
    }
    batch.push(text);
    size += bytes;
  }
  if (batch.length) yield batch;
}

// Lists the rejections of a batch without one valid item, which the API answers with a 400, not in a 202.
function allRejected(refused, name, count) {
  const faults = Object.fromEntries(refused.details.map((one) => [one.path.split("]")[0], one]));
  const said = { code: refused.code, message: refused.message };
  return Array.from({ length: count }, (_, index) => ({ index, ...said, ...faults[`${name}[${index}`] }));
}
