"use strict";
const setup = JSON.parse(document.getElementById("setup").textContent);
const names = setup.cameras || [];
const el = (id) => document.getElementById(id);
let view = newView(""), leave = new AbortController(), legendKey = "", state = null, stateAt = 0, reachable = true, tiles = new Map();

el("node").textContent = setup.title;

function make(tag, properties, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

// text changes an element only where it differs: a screen reader reads news.
function text(e, s) { if (e.textContent !== s) e.textContent = s; }

function layTabs() {
  const all = names.length > 1 ? [["", "All"]] : [];
  for (const [name, label] of [...all, ...names.map((n) => [n, n])]) {
    const tab = make("a", { textContent: label, href: "#" + encodeURIComponent(name) });
    tab.dataset.camera = name;
    el("tabs").append(tab);
  }
}

// enter shows another camera, or all of them: whatever was shown goes at once, and
// what is still on its way is given up.
function enter(camera) {
  leave.abort();
  leave = new AbortController();
  view = newView(camera);
  view.state = state; view.stateAt = stateAt; view.reachable = reachable;
  document.title = `${camera || "all cameras"} - edged ${setup.title}`;
  for (const t of el("tabs").children) t.dataset.camera === camera ? t.setAttribute("aria-current", "page") : t.removeAttribute("aria-current");
  el("single").hidden = !camera;
  el("overview").hidden = !!camera;
  clear();
  camera ? follow(view, leave.signal) : followAll(leave.signal);
}

function clear() {
  const c = el("view");
  c.getContext("2d").clearRect(0, 0, c.width, c.height);
  c.setAttribute("aria-label", "No picture yet");
  for (const id of ["fps", "infer", "age"]) text(el(id), "-");
  tiles = new Map();
  for (const id of ["legend", "facts", "ngs", "overview"]) el(id).replaceChildren();
  el("strip").hidden = el("probe").hidden = true;
  legendKey = "";
  render();
}

const pause = (ms) => new Promise((r) => setTimeout(r, ms));

// ask gives the next picture of a camera, null when there is none.
async function ask(camera, after, rest, signal) {
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(15000)]);
  const reply = await fetch(`live/${encodeURIComponent(camera)}?after=${after}${rest}`, { signal: timeout });
  if (reply.status === 204) return null;
  if (!reply.ok) throw new Error(await reply.text());
  return readShot(await reply.arrayBuffer());
}

async function follow(mine, signal) {
  for (let after = 0; !signal.aborted;) {
    try {
      const shot = await ask(mine.camera, after, "", signal);
      if (signal.aborted) return;
      reached(true);
      if (!shot) continue;
      after = shot.id;
      if (takeShot(mine, shot, Date.now())) showShot(shot);
    } catch {
      if (signal.aborted) return;
      reached(false);
      after = 0;
      await pause(1000);
    }
  }
}

function reached(yes) {
  reachable = view.reachable = yes;
  render();
}

function redraw() {
  if (!view.shot) return;
  drawShot(el("view"), view.shot, el("opacity").value / 100);
  drawZones(el("view"), (cameraState(state, view.camera) || {}).zones || []);
}

function showShot(shot) {
  redraw();
  text(el("fps"), shot.rate && !shot.raw ? shot.rate.toFixed(1) : "-");
  text(el("infer"), shot.raw ? "-" : shot.infer_ms.toFixed(1));
  text(el("age"), shot.raw ? "-" : shot.age_ms.toFixed(0));
  legend(shot);
  render();
}

// render says what is true now; it runs with every piece of news, and twice a
// second because time makes things old.
function render() {
  const now = Date.now(), [word, kind] = view.camera ? link(view, now) : answers(reachable, stateAt, now) ? ["live", ""] : ["no connection", "off"];
  text(el("link"), word);
  el("link").className = "dot " + kind;
  for (const [name, t] of tiles) showTile(name, t);
  if (!view.camera) return;
  const old = asOf(view, now);
  el("single").classList.toggle("stale", old !== "");
  text(el("note"), [old, note(view, now)].filter(Boolean).join(" · "));
  showVerdict(verdict(view, now));
  list(el("facts"), facts(view));
  list(el("health"), health(view.state));
  const v = verdict(view, now);
  if (view.shot) el("view").setAttribute("aria-label", `${view.camera}: ${v.word}${old ? ", " + old : ""}`);
}

function showVerdict(v) {
  const box = el("verdict"), [word, small, reasons] = box.children;
  box.className = v.kind;
  text(word, v.word);
  text(small, v.small);
  const key = v.reasons.join("\n");
  if (reasons.dataset.key !== key) reasons.replaceChildren(...v.reasons.map((r) => make("li", { textContent: r })));
  reasons.dataset.key = key;
}

function list(dl, values) {
  const lines = Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== "");
  const key = lines.map(([k]) => k).join();
  if (dl.dataset.key !== key || !dl.children.length) dl.replaceChildren(...lines.flatMap(([k]) => [make("dt", { textContent: k }), make("dd", {})]));
  dl.dataset.key = key;
  lines.forEach(([, v], i) => text(dl.children[2 * i + 1], String(v)));
}

function legend(shot) {
  const labels = shot.raw ? [] : shot.labels || [], key = labels.join("\n");
  if (key !== legendKey || !el("legend").children.length) {
    legendKey = key;
    el("legend").replaceChildren(...labels.map(legendItem));
  }
  const all = shot.mask[0] * shot.mask[1];
  if (!shot.raw) shot.pixels.forEach((n, id) => text(el("legend").children[id].querySelector("em"), (100 * n / all).toFixed(2) + " %"));
}

function legendItem(name, id) {
  const swatch = make("i", {}), button = make("button", { type: "button" }, swatch, make("span", { textContent: name }), make("em", {}));
  swatch.style.background = palette[id % palette.length];
  button.setAttribute("aria-pressed", !hidden.has(id));
  button.onclick = () => {
    hidden.has(id) ? hidden.delete(id) : hidden.add(id);
    button.setAttribute("aria-pressed", !hidden.has(id));
    redraw();
  };
  return make("li", {}, button);
}

function strip(camera, ngs) {
  el("strip").hidden = !ngs.length;
  const key = ngs.map((n) => n.seq).join();
  if (el("ngs").dataset.key === key && el("ngs").children.length) return;
  el("ngs").dataset.key = key;
  el("ngs").replaceChildren(...ngs.map((n) => {
    const label = `${n.verdict} at ${clock(n.ts)}${n.part_id ? ", part " + n.part_id : ""}${n.text ? ": " + n.text : ""}`;
    const img = make("img", { src: `ng/${encodeURIComponent(camera)}/${n.seq}`, alt: label, title: label, width: 112 });
    return make("li", {}, img, make("span", { textContent: `${n.verdict} ${clock(n.ts)}` }));
  }));
}

async function followState() {
  for (;;) {
    try {
      const reply = await fetch("state", { signal: AbortSignal.timeout(5000) });
      if (!reply.ok) throw new Error(reply.status);
      const news = await reply.json();
      state = view.state = news;
      stateAt = view.stateAt = Date.now();
      reached(true);
      const c = cameraState(news, view.camera);
      if (c) strip(view.camera, c.ngs);
      el("kept-open").hidden = !(c && news.evidence);
      el("zones-open").hidden = !c;
    } catch {
      reached(false);
    }
    await pause(1000);
  }
}

// followAll shows every camera in turn.
async function followAll(signal) {
  const mine = tiles = new Map(names.map((n) => [n, layTile(n)])), after = {};
  while (!signal.aborted) {
    for (const [name, t] of mine) {
      try {
        const shot = await ask(name, after[name] || 0, "&wait=0", signal);
        if (signal.aborted) return;
        if (shot && shot.camera === name) { after[name] = shot.id; t.shot = shot; t.shotAt = Date.now(); drawShot(t.canvas, shot, el("opacity").value / 100); }
      } catch { if (signal.aborted) return; }
      showTile(name, t);
    }
    await pause(500);
  }
}

function layTile(name) {
  const canvas = make("canvas", { width: 320, height: 240 }), note = make("p", {}), word = make("strong", {});
  const a = make("a", { href: "#" + encodeURIComponent(name), className: "tile none" }, canvas, make("div", {}, make("b", { textContent: name }), word), note);
  canvas.setAttribute("aria-hidden", "true");
  el("overview").append(a);
  return { a, canvas, note, word, shot: null, shotAt: 0 };
}

function showTile(name, t) {
  const c = cameraState(state, name);
  if (!c) return;
  const now = Date.now(), s = tile(c, t.shot, t.shotAt, state, answers(reachable, stateAt, now), now);
  t.a.className = "tile " + s.kind;
  text(t.word, s.word);
  text(t.note, s.note);
}

// probe tells the class under the pointer.
function probe(e) {
  const s = view.shot, out = el("probe");
  if (!s) return;
  const [x, y] = pixelAt(el("view"), s.frame, e), id = classAt(s, x, y);
  out.hidden = id < 0;
  if (id >= 0) text(out, `${id} ${s.labels[id]} · ${s.pixels[id]} px · x ${x}, y ${y}`);
}

function keys(e) {
  if (e.ctrlKey || e.altKey || e.metaKey || e.target.tagName === "INPUT" || document.querySelector("dialog[open]")) return;
  const i = names.indexOf(view.camera);
  if (e.key === " " && e.target.tagName !== "BUTTON" && view.camera) { e.preventDefault(); view.held = !view.held; render(); }
  if (e.key === "0" && names.length > 1) location.hash = "#";
  if (e.key === "ArrowRight" && names.length) location.hash = "#" + encodeURIComponent(names[(i + 1) % names.length]);
  if (e.key === "ArrowLeft" && names.length) location.hash = "#" + encodeURIComponent(names[(Math.max(i, 0) + names.length - 1) % names.length]);
}

el("opacity").oninput = () => { text(el("percent"), el("opacity").value + " %"); redraw(); };
el("view").onpointermove = probe;
el("view").onpointerleave = () => { el("probe").hidden = true; };
document.onkeydown = keys;
window.onhashchange = () => { if (location.hash !== "#main") enter(cameraOf(location.hash, names)); };
layTabs();
enter(cameraOf(location.hash, names));
followState();
setInterval(render, 500);
