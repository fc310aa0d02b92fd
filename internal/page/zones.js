"use strict";
// Zones, drawn on the page and sent as zones/set would: all of them or none.
const zoneEditor = shapeEditor(document.getElementById("zones-view"), () => zoneFields());
let zonesWere = [];

const copyZones = (zones) => zones.map((z) => ({ name: z.name, polygon: z.polygon.map((p) => [...p]) }));

function openZones() {
  const c = cameraState(state, view.camera), s = view.shot;
  if (!c) return;
  zonesWere = copyZones(c.zones || []);
  Object.assign(zoneEditor, { shapes: copyZones(zonesWere), at: zonesWere.length ? 0 : -1, cross: null, picture: s ? s.picture : null, frame: s ? s.frame : [640, 480] });
  text(el("zones-camera"), view.camera);
  text(el("zones-said"), s ? "" : "There is no picture to draw on as yet: corners can be written all the same.");
  el("zones").showModal();
  layZones();
}

// layZones shows the list, the fields and the drawing anew.
function layZones() {
  el("zones-list").replaceChildren(...zoneEditor.shapes.map((z, i) => {
    const b = make("button", { type: "button", textContent: z.name || "(no name)" });
    b.setAttribute("aria-pressed", i === zoneEditor.at);
    b.onclick = () => { zoneEditor.at = i; layZones(); };
    return make("li", {}, b);
  }));
  const none = zoneEditor.at < 0;
  for (const id of ["zones-name", "zones-corners", "zones-delete"]) el(id).disabled = none;
  el("zones-name").value = none ? "" : zoneEditor.shapes[zoneEditor.at].name;
  zoneFields();
  zoneEditor.draw();
}

function zoneFields() {
  const z = zoneEditor.shapes[zoneEditor.at];
  el("zones-corners").value = z ? cornersText(z.polygon) : "";
}

// sendZones asks for zones; null: the config's.
async function sendZones(zones) {
  const camera = el("zones-camera").textContent;
  try {
    const reply = await fetch(`zones/${encodeURIComponent(camera)}`, {
      method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ zones, was: zonesWere }),
    });
    const said = await reply.text();
    if (!reply.ok) { text(el("zones-said"), "Not saved: " + said.trim()); return; }
    zonesWere = JSON.parse(said).zones;
    zoneEditor.shapes = copyZones(zonesWere);
    zoneEditor.at = Math.min(zoneEditor.at, zonesWere.length - 1);
    layZones();
    text(el("zones-said"), "Saved: they hold from the next frame on, and over a restart.");
  } catch (e) { text(el("zones-said"), "Not saved: edged does not answer."); }
}

document.getElementById("zones-open").onclick = () => openZones();
document.getElementById("zones-new").onclick = () => {
  let n = zoneEditor.shapes.length + 1;
  while (zoneEditor.shapes.some((z) => z.name === "zone" + n)) n++;
  zoneEditor.shapes.push({ name: "zone" + n, polygon: [] });
  zoneEditor.at = zoneEditor.shapes.length - 1;
  layZones();
};
document.getElementById("zones-delete").onclick = () => {
  zoneEditor.shapes.splice(zoneEditor.at, 1);
  zoneEditor.at = Math.min(zoneEditor.at, zoneEditor.shapes.length - 1);
  layZones();
};
document.getElementById("zones-name").oninput = (e) => {
  zoneEditor.shapes[zoneEditor.at].name = e.target.value;
  el("zones-list").children[zoneEditor.at].firstChild.textContent = e.target.value || "(no name)";
  zoneEditor.draw();
};
document.getElementById("zones-corners").oninput = (e) => {
  const corners = cornersOf(e.target.value);
  if (!corners.every((p) => p.length === 2 && p.every(Number.isFinite))) { text(el("zones-said"), "Write each corner as x, y."); return; }
  text(el("zones-said"), "");
  zoneEditor.shapes[zoneEditor.at].polygon = corners;
  zoneEditor.draw();
};
document.getElementById("zones-save").onclick = () => sendZones(zoneEditor.shapes);
document.getElementById("zones-config").onclick = () => sendZones(null);
