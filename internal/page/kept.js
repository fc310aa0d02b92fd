"use strict";
// The NGs that are kept, browsed: what was seen, and what was said of it.
let keptCamera = "", keptLast = "", keptShown = "";

async function keptList(before) {
  const reply = await fetch(`evidence?camera=${encodeURIComponent(keptCamera)}&before=${encodeURIComponent(before)}`);
  if (!reply.ok) throw new Error(await reply.text());
  const { evidence, more } = await reply.json();
  el("kept-list").append(...evidence.map(keptItem));
  el("kept-older").hidden = !more;
  if (evidence.length) keptLast = evidence[evidence.length - 1].id;
  return evidence;
}

function keptItem(e) {
  const label = `${e.verdict || "?"} ${new Date(e.ts).toLocaleString()}${e.part_id ? ", part " + e.part_id : ""}`;
  const button = make("button", { type: "button" }, make("b", { textContent: label }), make("span", { textContent: e.text }));
  button.dataset.id = e.id;
  button.onclick = () => keptShow(e);
  return make("li", {}, button);
}

async function openKept() {
  keptCamera = view.camera;
  keptLast = keptShown = "";
  text(el("kept-count"), keptCamera);
  el("kept-list").replaceChildren();
  keptSay({ kind: "none", word: "", small: "", reasons: [] });
  const c = el("kept-view");
  c.getContext("2d").clearRect(0, 0, c.width, c.height);
  el("kept-files").hidden = true;
  el("kept").showModal();
  try {
    const first = await keptList("");
    first.length ? await keptShow(first[0]) : keptSay({ kind: "none", word: "none yet", small: "No NG of this camera is kept.", reasons: [] });
  } catch (e) { keptSay({ kind: "none", word: "not to be had", small: String(e.message || e), reasons: [] }); }
}

function keptSay(v) {
  const [word, small, reasons] = el("kept-verdict").children;
  el("kept-verdict").className = v.kind;
  text(word, v.word);
  text(small, v.small);
  reasons.replaceChildren(...v.reasons.map((r) => make("li", { textContent: r.text })));
}

// keptShow draws one of them with its mask, as the live page does.
async function keptShow(e) {
  keptShown = e.id;
  for (const b of el("kept-list").querySelectorAll("button")) b.dataset.id === e.id ? b.setAttribute("aria-current", "true") : b.removeAttribute("aria-current");
  const at = `evidence/${encodeURIComponent(e.camera)}/${e.id}`, get = async (end) => { const r = await fetch(at + end); if (!r.ok) throw new Error(await r.text()); return r; };
  try {
    const result = await (await get(".json")).json();
    const picture = await createImageBitmap(await (await get(".png")).blob());
    const ids = await readIDs(new Uint8Array(await (await get(".mask.png")).arrayBuffer()));
    if (keptShown !== e.id) return; // another was chosen meanwhile
    const m = result.mask;
    drawShot(el("kept-view"), { frame: [picture.width, picture.height], picture, ids, mask: [m.w, m.h], stride: m.stride, origin: m.origin }, el("opacity").value / 100);
    keptSay({ kind: "ng", word: "✗ " + result.verdict, small: `result ${result.seq} at ${new Date(result.ts).toLocaleString()}${result.part_id ? ", part " + result.part_id : ""}`, reasons: result.reasons });
    el("kept-view").setAttribute("aria-label", `${result.verdict}: ${result.reasons.map((r) => r.text).join("; ")}`);
    el("kept-files").hidden = false;
    for (const [id, end] of [["kept-png", ".png"], ["kept-mask", ".mask.png"], ["kept-json", ".json"]]) Object.assign(el(id), { href: at + end, download: e.id + end });
  } catch (err) { keptSay({ kind: "none", word: "not to be had", small: String(err.message || err), reasons: [] }); }
}

document.getElementById("kept-open").onclick = () => openKept();
document.getElementById("kept-older").onclick = () => keptList(keptLast).catch((e) => keptSay({ kind: "none", word: "not to be had", small: e.message, reasons: [] }));
for (const b of document.querySelectorAll("dialog .close")) b.onclick = () => b.closest("dialog").close();
