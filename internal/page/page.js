"use strict";
// Colours far apart from each other and from grey parts; class 0 is the
// background and shows nothing unless it is asked for.
const palette = ["#5b6673", "#4cc2ff", "#ffb02e", "#ff5c8a", "#3ddc84", "#b48cff", "#ffe14d", "#ff7a45",
  "#2dd4bf", "#f472b6", "#a3e635", "#60a5fa", "#e879f9", "#fb923c", "#22d3ee", "#facc15"];
const setup = JSON.parse(document.getElementById("setup").textContent);
const el = (id) => document.getElementById(id);
const view = el("view"), pen = view.getContext("2d");
const layer = document.createElement("canvas"), layerPen = layer.getContext("2d", { willReadFrequently: true });
const hidden = new Set([0]);
let camera = setup.cameras[0], held = false, latest = null, round = 0, legendKey = "";

el("node").textContent = setup.title;
document.title = "edged " + setup.title;

for (const name of setup.cameras) {
  const tab = document.createElement("button");
  tab.textContent = name;
  tab.setAttribute("role", "tab");
  tab.onclick = () => { camera = name; latest = null; tabs(); follow(++round); };
  el("tabs").append(tab);
}
function tabs() {
  for (const t of el("tabs").children) t.setAttribute("aria-selected", t.textContent === camera);
}

function link(text, kind) {
  el("link").textContent = text;
  el("link").className = "dot " + kind;
}

// parts splits the body: three times a length and so many bytes.
function parts(buffer) {
  const data = new DataView(buffer), list = [];
  for (let at = 0; at < buffer.byteLength;) {
    const n = data.getUint32(at);
    list.push(new Uint8Array(buffer, at + 4, n));
    at += 4 + n;
  }
  return list;
}

async function follow(mine) {
  let after = 0;
  while (mine === round) {
    try {
      const reply = await fetch(`live/${encodeURIComponent(camera)}?after=${after}`);
      if (mine !== round) return;
      if (reply.status === 204) { link("no picture", "off"); el("note").textContent = "No picture for 10 seconds: is the camera there, and enabled?"; continue; }
      if (!reply.ok) throw new Error(await reply.text());
      const [head, jpeg, mask] = parts(await reply.arrayBuffer());
      const shot = JSON.parse(new TextDecoder().decode(head));
      after = shot.id;
      if (shot.raw) { el("note").textContent = shot.raw; continue; }
      const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
      shot.picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
      shot.ids = await createImageBitmap(new Blob([mask], { type: "image/png" }), options);
      if (mine !== round || held) continue;
      link("live", "");
      show(shot);
    } catch (e) {
      if (mine !== round) return;
      link("no connection", "off");
      el("note").textContent = "edged does not answer; trying again ...";
      await new Promise((r) => setTimeout(r, 1000));
      after = 0;
    }
  }
}

const rgb = palette.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));

function draw() {
  if (!latest) return;
  const s = latest, [w, h] = s.frame, [mw, mh] = s.mask;
  if (view.width !== w || view.height !== h) { view.width = w; view.height = h; }
  pen.globalAlpha = 1;
  pen.drawImage(s.picture, 0, 0);
  layer.width = mw; layer.height = mh;
  layerPen.drawImage(s.ids, 0, 0);
  const image = layerPen.getImageData(0, 0, mw, mh), d = image.data;
  for (let i = 0; i < d.length; i += 4) {
    const id = d[i], c = rgb[id % rgb.length];
    d[i] = c[0]; d[i + 1] = c[1]; d[i + 2] = c[2]; d[i + 3] = hidden.has(id) ? 0 : 255;
  }
  layerPen.putImageData(image, 0, 0);
  // Position (r, c) is centred on frame pixel origin + (r, c)*stride, and the
  // centre of frame pixel 0 is 0, so the layer starts half a pixel and half a
  // stride off.
  const [sy, sx] = s.stride, [oy, ox] = s.origin;
  pen.imageSmoothingEnabled = false;
  pen.globalAlpha = el("opacity").value / 100;
  pen.drawImage(layer, ox + 0.5 - sx / 2, oy + 0.5 - sy / 2, mw * sx, mh * sy);
}

function show(shot) {
  latest = shot;
  el("note").textContent = "";
  draw();
  el("fps").textContent = shot.rate ? shot.rate.toFixed(1) : "-";
  el("infer").textContent = shot.infer_ms.toFixed(1);
  el("age").textContent = shot.age_ms.toFixed(0);
  verdict(shot);
  legend(shot);
  facts({ model: shot.model, frame: shot.frame.join(" x "), mask: shot.mask.join(" x "),
    result: shot.seq, taken: new Date(shot.ts).toLocaleTimeString(), part: shot.part_id,
    engine: (shot.engine || "") + (shot.why ? ` (${shot.why})` : ""), certificate: shot.certificate || "",
    audit: shot.audit || "", shadow: shot.shadow || "" });
}

function verdict(shot) {
  const box = el("verdict");
  box.className = { "": "none", OK: "ok", unsure: "unsure" }[shot.verdict] || "ng";
  box.firstChild.textContent = shot.verdict || "no rules";
  box.lastChild.replaceChildren(...(shot.reasons || []).map((r) => Object.assign(document.createElement("li"), { textContent: r.text ?? r })));
}

function legend(shot) {
  const key = JSON.stringify(shot.labels), list = el("legend");
  if (key !== legendKey) {
    legendKey = key;
    list.replaceChildren(...shot.labels.map((name, id) => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.innerHTML = "<i></i><span></span><em></em>";
      button.children[0].style.background = palette[id % palette.length];
      button.children[1].textContent = name;
      button.setAttribute("aria-pressed", !hidden.has(id));
      button.onclick = () => {
        hidden.has(id) ? hidden.delete(id) : hidden.add(id);
        button.setAttribute("aria-pressed", !hidden.has(id));
        draw();
      };
      item.append(button);
      return item;
    }));
  }
  const all = shot.mask[0] * shot.mask[1];
  shot.pixels.forEach((n, id) => { list.children[id].querySelector("em").textContent = (100 * n / all).toFixed(2) + " %"; });
}

function facts(values) {
  el("facts").replaceChildren(...Object.entries(values).filter(([, v]) => v !== "").flatMap(([k, v]) => [
    Object.assign(document.createElement("dt"), { textContent: k }),
    Object.assign(document.createElement("dd"), { textContent: v })]));
}

el("opacity").oninput = () => { el("percent").textContent = el("opacity").value + " %"; draw(); };
document.onkeydown = (e) => {
  if (e.key !== " " || e.target.tagName === "BUTTON") return;
  e.preventDefault();
  held = !held;
  link(held ? "held" : "live", held ? "held" : "");
};

if (camera) { tabs(); follow(++round); } else { el("note").textContent = "No camera is configured."; }
