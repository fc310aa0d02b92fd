"use strict";
// A camera set up step by step. What is asked for goes through one API; the token
// came with the address and leaves it at once.
const el = (id) => document.getElementById(id);
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) { sessionStorage.setItem("edged-token", given); history.replaceState(null, "", location.pathname); }
const token = sessionStorage.getItem("edged-token") || "";

const draft = { name: "cam1", source: "", model: "", zones: [], rules: [] };
let desk = null, sum = "", about = null, plan = [], labelsKnown = [], guess = null, before = null, tries = 0, jobSeen = "", live = true;

function make(tag, properties, ...children) { const e = Object.assign(document.createElement(tag), properties); e.append(...children); return e; }
function text(e, s) { if (e.textContent !== s) e.textContent = s; }
const pause = (ms) => new Promise((r) => setTimeout(r, ms));

// api asks, and throws what the desk says against it.
async function api(method, path, body, type) {
  const options = { method, headers: { Authorization: "Bearer " + token } };
  if (body !== undefined) { options.body = type ? body : JSON.stringify(body); options.headers["Content-Type"] = type || "application/json"; }
  const reply = await fetch("api/" + path, options);
  if (!reply.ok) throw new Error((await reply.text()).trim());
  return reply.headers.get("Content-Type").startsWith("application/json") ? reply.json() : reply.arrayBuffer();
}

// told runs work for a button, and says at where what is wrong.
function told(where, work) {
  return async (...args) => { try { await work(...args); } catch (e) { text(el(where), e.message || String(e)); } };
}

const editor = shapeEditor(el("view"), () => { fields(); changed(); });
const isROI = (s) => s.name === "region of interest";

// whole is the draft with what the fields say.
function whole() {
  const d = { name: el("name").value.trim(), source: draft.source, model: draft.model, zones: editor.shapes.filter((s) => !isROI(s)).map(({ name, polygon }) => ({ name, polygon })), rules: draft.rules };
  const roi = editor.shapes.find(isROI);
  if (roi && roi.polygon.length > 1) {
    const xs = roi.polygon.map((p) => p[0]), ys = roi.polygon.map((p) => p[1]), x = Math.min(...xs), y = Math.min(...ys);
    d.roi = [x, y, Math.max(...xs) - x, Math.max(...ys) - y].map(Math.round);
  }
  if (draft.fit) d.fit = draft.fit;
  const asks = about ? about.asks : [];
  if (draft.labels) d.labels = draft.labels;
  if (draft.prepare) d.prepare = draft.prepare;
  if (draft.output) d.output = draft.output;
  if (asks.includes("labels")) d.labels = el("labels").value.split("\n").map((l) => l.trim()).filter(Boolean);
  if (asks.includes("meaning")) d.output = { ...draft.output, meaning: el("meaning").value };
  if (asks.includes("range") && guess) d.prepare = guess;
  return d;
}

// Shapes: the region of interest, and zones.
function shapesList() {
  el("shapes").replaceChildren(...editor.shapes.map((s, i) => {
    const b = make("button", { type: "button", textContent: s.name, onclick: () => { editor.at = i; shapesList(); } });
    b.setAttribute("aria-pressed", i === editor.at);
    return make("li", {}, b);
  }));
  fields();
  editor.draw();
}

function fields() {
  const s = editor.shapes[editor.at];
  for (const id of ["drop", "corners"]) el(id).disabled = !s;
  el("shape-name").disabled = !s || isROI(s);
  el("shape-name").value = s ? s.name : "";
  el("corners").value = s ? cornersText(s.polygon) : "";
}

function addShape(name) {
  if (!editor.shapes.some((s) => s.name === name)) editor.shapes.push({ name, polygon: [], box: isROI({ name }) });
  editor.at = editor.shapes.findIndex((s) => s.name === name);
  shapesList();
}

el("add-roi").onclick = () => addShape("region of interest");
el("add-zone").onclick = () => { let n = 1; while (editor.shapes.some((s) => s.name === "zone" + n)) n++; addShape("zone" + n); rulesList(); };
el("drop").onclick = () => { editor.shapes.splice(editor.at, 1); editor.at = editor.shapes.length - 1; shapesList(); rulesList(); changed(); };
el("shape-name").onchange = (e) => { editor.shapes[editor.at].name = e.target.value.trim(); shapesList(); rulesList(); changed(); };
el("corners").onchange = (e) => { editor.shapes[editor.at].polygon = cornersOf(e.target.value).filter((p) => p.length === 2 && p.every(Number.isFinite)); shapesList(); changed(); };

// Rules: what the config's keys are called.
const ruleKeys = { min_area_px: "Smallest blob, positions", min_score: "Least score", max_count: "Blobs allowed", max_total_ratio: "Share allowed", hold: "Results that must agree" };

function rulesList() {
  const zones = editor.shapes.filter((s) => !isROI(s)).map((s) => s.name);
  el("rules").replaceChildren(...draft.rules.map((r, i) => {
    const box = make("div", { className: "rule" }), field = (label, input) => { input.id = `rule${i}-${label.replaceAll(" ", "-")}`; box.append(make("span", {}, make("label", { htmlFor: input.id, textContent: label }), input)); };
    const classes = make("select", {}, ...[...new Set([r.class, ...labelsKnown])].filter(Boolean).map((l) => make("option", { value: l, textContent: l })));
    classes.value = r.class;
    classes.onchange = () => { r.class = classes.value; changed(); };
    field("Class", classes);
    const verdict = make("input", { value: r.verdict || "", placeholder: "NG", onchange: () => { verdict.value ? (r.verdict = verdict.value) : delete r.verdict; changed(); } });
    field("Verdict", verdict);
    for (const [key, label] of Object.entries(ruleKeys)) {
      const input = make("input", { value: r[key] || "", inputMode: "decimal" });
      input.oninput = () => { const v = Number(input.value); v ? (r[key] = v) : delete r[key]; changed(); };
      field(label, input);
    }
    const where = make("select", { multiple: zones.length > 0, size: 2 }, ...zones.map((z) => make("option", { value: z, textContent: z, selected: (r.zones || []).includes(z) })));
    where.onchange = () => { const all = [...where.selectedOptions].map((o) => o.value); all.length ? (r.zones = all) : delete r.zones; changed(); };
    if (zones.length) field("In zones", where);
    box.append(make("button", { type: "button", textContent: `Delete rule ${i + 1}`, onclick: () => { draft.rules.splice(i, 1); rulesList(); changed(); } }));
    return box;
  }));
}
el("add-rule").onclick = () => { draft.rules.push({ class: labelsKnown[1] || labelsKnown[0] || "" }); rulesList(); changed(); };

// changed tries the draft on the recorded pictures, once nothing more changes.
let waits = 0;
async function changed() {
  const mine = ++waits;
  el("save").disabled = true;
  await pause(250);
  if (mine !== waits || !desk || !desk.camera.recorded || !draft.model || desk.camera.busy) return;
  await told("changed", tryRecorded)();
}

async function tryRecorded() {
  const mine = ++tries, said = await api("POST", "try", { draft: whole(), frames: "recorded" });
  if (mine !== tries) return;
  const now = said.results.map((r) => r.refused ? "refused" : r.verdict || "no rules"), differs = now.filter((v, i) => before && before[i] !== undefined && before[i] !== v).length;
  const items = [];
  for (const [i, r] of said.results.entries()) {
    const canvas = make("canvas", { width: 160, height: 120 }), mark = before && before[i] !== undefined && before[i] !== now[i];
    const b = make("button", { type: "button", className: mark ? "changed" : "", onclick: told("note", async () => show(await readShot(await api("GET", `try/${r.n}`)), r)) }, canvas, make("span", { textContent: mark ? `${before[i]} → ${now[i]}` : now[i] }));
    b.title = r.refused || r.reasons.map((x) => x.text).join("; ");
    items.push(make("li", {}, b));
    if (!r.refused) drawShot(canvas, await readShot(await api("GET", `try/${r.n}`)), 0.45);
  }
  if (mine !== tries) return;
  el("strip").replaceChildren(...items);
  text(el("changed"), before ? `${differs} of ${now.length} verdicts changed.` : `${now.length} pictures tried, each by itself, without hold.`);
  before = now;
}

// show holds a picture of the past; a click on the note, or the next live one, ends that.
function show(shot, r) {
  live = false;
  drawPicture(shot);
  say(r);
  text(el("note"), "A recorded picture. Opening or recording goes back to the live one.");
}

function drawPicture(shot) {
  const c = document.createElement("canvas");
  drawShot(c, shot, shot.ids ? 0.45 : 0);
  editor.picture = c; editor.frame = shot.frame;
  editor.draw();
}

function say(r) {
  const [word, reasons] = el("said").children, kind = r.refused ? "unsure" : { "": "none", OK: "ok", unsure: "unsure" }[r.verdict] || "ng";
  el("said").className = kind;
  text(word, r.refused ? "refused" : r.verdict || "no rules");
  reasons.replaceChildren(...(r.refused ? [r.refused] : r.reasons.map((x) => x.text)).map((t) => make("li", { textContent: t })));
}

// follow shows the live picture, with its mask once there is a model.
async function follow() {
  for (;;) {
    try {
      if (desk && !desk.camera.why && desk.camera.source && live) {
        if (draft.model && about && ready()) {
          const said = await api("POST", "try", { draft: whole(), frames: "live" }), r = said.results[0];
          setLabels(said.labels);
          if (live) { say(r); drawPicture(await readShot(await api("GET", r.refused ? "frame/live" : `try/${r.n}`))); text(el("note"), r.refused || `${said.engine}, ${r.infer_ms.toFixed(1)} ms`); }
        } else { drawPicture(await readShot(await api("GET", "frame/live"))); text(el("note"), ""); }
      } else if (desk && live) text(el("note"), desk.camera.why || (desk.camera.source ? "" : "No source is open."));
    } catch (e) { text(el("note"), e.message); await pause(700); }
    await pause(400);
  }
}

function setLabels(labels) { if (labels.join() !== labelsKnown.join()) { labelsKnown = labels; rulesList(); } }
const ready = () => !about.asks.length || whole().prepare && (whole().labels || []).length > 0;

async function followState() {
  for (;;) {
    try {
      const fresh = !desk;
      desk = await api("GET", "state");
      text(el("link"), "connected");
      el("link").className = "dot";
      if (fresh) sum = desk.sum;
      text(el("file"), desk.path + (desk.problem ? ": " + desk.problem : desk.sum !== sum ? ": it was changed meanwhile, look at what changes before you save" : desk.sum ? "" : " (new)"));
      text(el("recorded"), String(desk.camera.recorded));
      options("camera", desk.cameras, "a new camera");
      options("base", desk.models, "none yet");
      if (!el("height").value && desk.camera.h) { el("height").value = desk.camera.h; el("width").value = desk.camera.w; }
      await jobNews(desk.job);
    } catch (e) { text(el("link"), e instanceof TypeError ? "no connection" : e.message); el("link").className = "dot off"; }
    await pause(700);
  }
}

function options(id, names, none) {
  const e = el(id), key = names.join("\n");
  if (e.dataset.key === key) return;
  const was = e.value;
  e.dataset.key = key;
  e.replaceChildren(make("option", { value: "", textContent: none }), ...names.map((n) => make("option", { value: n, textContent: n })));
  e.value = names.includes(was) ? was : "";
}

// jobNews tells how the work goes, and takes over what came of it.
async function jobNews(job) {
  const running = job && !job.done;
  el("stop").hidden = !running;
  el("measure").disabled = running || !el("base").value;
  el("make").disabled = running || !el("base").value || !plan.length;
  if (!job) return;
  text(el("job"), job.error ? `${job.phase}: ${job.error}` : `${job.phase} (${job.seconds.toFixed(0)} s)`);
  el("lines").hidden = !job.lines.length;
  text(el("lines"), job.lines.join("\n"));
  const key = job.kind + job.model + job.seconds;
  if (running || key === jobSeen) return;
  jobSeen = key;
  if (job.kind === "plan" && job.result) { plan = job.result.plan; stride(plan.length - 1); el("make").disabled = false; }
  if (job.kind === "make" && !job.error) await useModel(job.dense);
}

function stride(at) {
  Object.assign(el("stride"), { max: Math.max(0, plan.length - 1), value: at, disabled: !plan.length });
  strideSaid();
}

function strideSaid() {
  const p = plan[el("stride").value];
  text(el("stride-said"), p ? `${p.output_stride[0]}: ${p.estimated_ms.toFixed(1)} ms ${p.measured ? "measured here" : "estimated"}, mask ${p.output[1]} × ${p.output[0]}` : "not measured");
}

const input = () => [Number(el("height").value), Number(el("width").value)];
el("stride").oninput = strideSaid;
el("measure").onclick = told("job", async () => { jobSeen = ""; await api("POST", "job", { kind: "plan", model: el("base").value, input: input() }); });
el("make").onclick = told("job", async () => { jobSeen = ""; await api("POST", "job", { kind: "make", model: el("base").value, input: input(), stride: plan[el("stride").value].output_stride[0] }); });
el("stop").onclick = told("job", () => api("DELETE", "job"));
el("open").onclick = told("note", async () => { live = true; before = null; el("strip").replaceChildren(); draft.source = el("source").value.trim(); el("height").value = ""; desk.camera = await api("PUT", "source", { source: draft.source }); });
el("record").onclick = told("changed", async () => { live = true; before = null; desk.camera.recorded = (await api("POST", "record")).recorded; await changed(); });
el("forget").onclick = told("changed", async () => { live = true; before = null; await api("DELETE", "record"); el("strip").replaceChildren(); text(el("changed"), ""); });
el("upload").onchange = told("about", async (e) => {
  const file = e.target.files[0];
  text(el("about"), `Bringing ${file.name} ...`);
  await api("PUT", `model/${encodeURIComponent(file.name)}`, file, "application/octet-stream");
  desk = await api("GET", "state");
  options("base", desk.models, "none yet");
  await useModel(file.name);
});
el("base").onchange = told("about", () => useModel(el("base").value));

// useModel looks at a model and asks for what it does not tell.
async function useModel(name) {
  options("base", [...new Set([...(desk ? desk.models : []), name])].filter(Boolean), "none yet");
  el("base").value = name;
  if (!name) return;
  about = await api("GET", `model/${encodeURIComponent(name)}`);
  const usable = about.kind !== "classifier" && !about.asks.includes("grid");
  const kind = { classifier: `It classifies patches of ${(about.patch || []).join(" × ")}: make it dense (3).`, dense: `Dense, certificate: ${about.standing}.`, map: usable ? "It answers with a map: use it as it is, or make it denser (3)." : "It answers with a map: rewrite it (3), which finds where on the picture each answer lies." }[about.kind];
  text(el("about"), `${kind} ${about.classes} classes.${about.asks.length ? " It does not tell: " + about.asks.join(", ") + "." : ""}`);
  draft.model = usable ? name : "";
  const known = about.manifest && about.manifest.labels || [];
  if (known.length) setLabels(known);
  el("facts").hidden = !usable || !about.asks.length;
  if (about.asks.includes("labels") && !el("labels").value) el("labels").value = (draft.labels || Array.from({ length: about.classes }, (_, i) => i ? "class" + i : "background")).join("\n");
  if (about.asks.length && draft.prepare) guess = draft.prepare;
  await changed();
}

// The guesses that exporters leave one to: order of the channels, and range.
const ranges = { "0 to 1": [0, 1 / 255], "-1 to 1": [127.5, 1 / 127.5], "0 to 255": [0, 1] };
el("guess").onclick = told("about", async () => {
  el("guesses").replaceChildren();
  for (const order of about.input[3] === 1 ? ["GRAY"] : ["RGB", "BGR"]) for (const [range, [mean, scale]] of Object.entries(ranges)) {
    const prepare = { channel_order: order, mean: [mean], scale: [scale] }, d = { ...whole(), prepare, rules: [] };
    const canvas = make("canvas", { width: 160, height: 120 }), line = make("span", { textContent: "..." });
    const b = make("button", { type: "button" }, canvas, make("b", { textContent: `${order}, ${range}` }), line);
    b.setAttribute("role", "radio");
    b.setAttribute("aria-checked", "false");
    b.onclick = () => { guess = prepare; for (const o of el("guesses").children) o.setAttribute("aria-checked", o === b); changed(); };
    el("guesses").append(b);
    try {
      const said = await retry(() => api("POST", "try", { draft: d, frames: "live" })), r = said.results[0];
      const shot = await readShot(await api("GET", r.refused ? "frame/live" : `try/${r.n}`));
      drawGuess(canvas, shot, order);
      const all = r.pixels ? r.pixels.reduce((a, n) => a + n, 0) : 0;
      line.textContent = r.refused || r.pixels.map((n, i) => [n, said.labels[i]]).filter(([n]) => n).sort((x, y) => y[0] - x[0]).slice(0, 3).map(([n, l]) => `${l} ${(100 * n / all).toFixed(0)} %`).join(", ");
    } catch (e) { line.textContent = e.message; }
  }
});

async function retry(ask) {
  for (let i = 0; ; i++) try { return await ask(); } catch (e) { if (i === 20 || !/a moment|gone/.test(e.message)) throw e; await pause(200); }
}

// drawGuess shows the picture with its channels in the order that is guessed.
function drawGuess(canvas, shot, order) {
  drawShot(canvas, shot, 0);
  if (order === "BGR") {
    const pen = canvas.getContext("2d"), image = pen.getImageData(0, 0, canvas.width, canvas.height), d = image.data;
    for (let i = 0; i < d.length; i += 4) [d[i], d[i + 2]] = [d[i + 2], d[i]];
    pen.putImageData(image, 0, 0);
    shot.picture = make("canvas", { width: canvas.width, height: canvas.height });
    shot.picture.getContext("2d").putImageData(image, 0, 0);
  }
  drawShot(canvas, shot, 0.45);
}
for (const id of ["labels", "meaning", "name"]) el(id).onchange = () => changed();

el("camera").onchange = told("note", async () => {
  const name = el("camera").value;
  if (!name) return;
  const d = await api("GET", `camera/${encodeURIComponent(name)}`);
  for (const key of Object.keys(draft)) delete draft[key];
  Object.assign(draft, d);
  el("name").value = d.name; el("source").value = d.source;
  editor.shapes = d.zones.map((z) => ({ name: z.name, polygon: z.polygon.map((p) => [...p]) }));
  if (d.roi) { const [x, y, w, h] = d.roi; editor.shapes.unshift({ name: "region of interest", box: true, polygon: [[x, y], [x + w, y], [x + w, y + h], [x, y + h]] }); }
  editor.at = -1;
  if (d.labels) el("labels").value = d.labels.join("\n");
  if (d.output) el("meaning").value = d.output.meaning;
  shapesList(); rulesList();
  if (desk.models.includes(d.model)) await useModel(d.model);
  el("open").click();
});

el("look").onclick = told("saved", async () => {
  text(el("saved"), "");
  const c = await api("POST", "diff", { draft: whole(), sum });
  sum = c.sum;
  el("diff").hidden = false;
  el("diff").replaceChildren(...c.diff.map((r) => make({ "+": "ins", "-": "del", " ": "span" }[r.mark], { textContent: `${r.mark} ${r.text}` })));
  el("save").disabled = !c.diff.some((r) => r.mark !== " ");
  if (el("save").disabled) text(el("saved"), "The config says this already.");
});
el("save").onclick = told("saved", async () => {
  const s = await api("POST", "save", { draft: whole(), sum });
  sum = s.sum;
  el("save").disabled = true;
  text(el("saved"), `Saved. Now: edged run -c ${s.path}${s.before ? `. The file before is ${s.before}` : ""}`);
});
shapesList();
followState();
follow();
