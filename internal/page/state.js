"use strict";
// What the page may say, decided without a document: a test runs this file in node.

// staleAfter is how many milliseconds without news make what is shown old.
const staleAfter = 3000;

// newView is a page that knows nothing: what it shows of one camera is never
// taken over to another.
function newView(camera) {
  return { camera, shot: null, shotAt: 0, state: null, stateAt: 0, held: false, reachable: true };
}

// takeShot puts a picture into the view; false: it is of another camera.
function takeShot(view, shot, now) {
  if (shot.camera !== view.camera) return false;
  view.reachable = true;
  if (view.held) return false;
  view.shot = shot;
  view.shotAt = now;
  return true;
}

// cameraState is what the daemon said last of the camera.
function cameraState(state, name) {
  return state ? state.cameras.find((c) => c.name === name) || null : null;
}

// link is what the dot at the top says: its text and its kind.
function link(view, now) {
  const [word, kind] = standing(view, now);
  return word === "live" && asOf(view, now) ? ["late", "held"] : [word, kind];
}

// answers tells whether edged does: a request that hangs is no answer either.
function answers(reachable, stateAt, now) { return reachable && !(stateAt && now - stateAt > 2 * staleAfter); }

// standing is the same but for the picture's age.
function standing(view, now) {
  if (!answers(view.reachable, view.stateAt, now)) return ["no connection", "off"];
  if (view.held) return ["held", "held"];
  const c = cameraState(view.state, view.camera);
  if (c && c.status !== "online") return [c.status, c.status === "offline" ? "off" : "held"];
  if (c && c.why && !(c.waits && isResult(view) && now - view.shotAt <= staleAfter)) return ["no result", "held"];
  return view.shot ? ["live", ""] : ["waiting", "held"];
}

// isResult tells a picture with a result from a frame alone.
function isResult(view) { return view.shot !== null && !view.shot.raw; }

// asOf says of when the picture is when it is not of now; empty: it is of now.
function asOf(view, now) {
  if (!view.shot) return "";
  const [word] = standing(view, now), c = cameraState(view.state, view.camera);
  const triggered = c && c.trigger !== "continuous" && c.status === "online";
  const fresh = now - view.shotAt <= staleAfter;
  const seen = view.shot.raw && fresh && !view.held && word !== "no connection"; // a frame of now, result or none
  if (word === "live" && (triggered || fresh) || seen) return "";
  return "as of " + clock(view.shot.ts);
}

// note is why there is nothing newer to see; empty: there is.
function note(view, now) {
  if (link(view, now)[0] === "no connection") return "edged does not answer. Trying again ...";
  const c = cameraState(view.state, view.camera);
  if (view.held) return "Held. Press Space to go on.";
  if (c && c.why && standing(view, now)[0] !== "live") return sentence(c.why);
  if (!view.shot) return "Waiting for the first picture ...";
  if (asOf(view, now)) return "No newer picture comes.";
  return "";
}

// verdict is what the box says: class, word, the line below and the reasons. A
// frame without a result has none, whatever the last one was.
function verdict(view, now) {
  const s = view.shot;
  if (!s || s.raw) return { kind: "none", word: "no result", small: "", reasons: [] };
  const old = asOf(view, now);
  const kind = { "": "none", OK: "ok", unsure: "unsure" }[s.verdict] || "ng";
  return {
    kind: old ? "stale" : kind, word: (kindMark[kind] + " " + said(s)).trim(), small: old || (s.part_id ? "part " + s.part_id : ""),
    reasons: (s.reasons || []).map((r) => r.text ?? r),
  };
}

// said is a verdict in a word; a line camera has none before its first part is whole.
const said = (of) => of.verdict || (of.open ? "no part yet" : "no rules");

// A verdict is told by a sign too: colour alone reaches not everybody.
const kindMark = { ok: "✓", ng: "✗", unsure: "?", none: "" };

// tile is what the overview says of a camera; its picture came at shotAt.
function tile(c, shot, shotAt, state, reachable, now) {
  const v = { ...newView(c.name), shot, shotAt, state, reachable };
  const kind = { "": "none", OK: "ok", unsure: "unsure" }[c.verdict] || "ng";
  const late = c.trigger === "continuous" && Date.parse(state.now) - Date.parse(c.last_result) > staleAfter;
  const recent = Date.parse(state.now) - Date.parse(c.last_result) <= staleAfter;
  const news = reachable && (c.why === "" || c.waits && recent) && c.last_result && !late, old = asOf(v, now);
  return {
    kind: news ? kind : old || !shot ? "stale" : "none", word: news ? kindMark[kind] + " " + said(c) : "",
    note: [news ? "" : old, reachable ? (late && !c.why ? "No newer result comes." : c.why && sentence(c.why)) : "edged does not answer."].filter(Boolean).join(" · "),
  };
}

// facts are the lines about the camera; empty ones are left out.
function facts(view) {
  const s = view.shot, c = cameraState(view.state, view.camera) || {};
  const refused = Object.entries(c.refused_by || {}).map(([k, n]) => `${n} ${k}`).join(", ");
  return {
    model: c.model, engine: c.engine && c.engine + (c.engine_why ? ` (${c.engine_why})` : ""), certificate: c.certificate, "self-audit": c.audit, "shadow model": s && s.shadow,
    trigger: c.trigger, frame: s && s.frame.join(" × "), mask: s && s.mask[0] ? s.mask.join(" × ") : "", result: s && s.seq, part: s && s.part_id,
    taken: s && clock(s.ts), "frames read": c.read, published: c.published, "passed over": c.passed_over,
    refused: c.refused ? `${c.refused} (${refused})` : c.refused, failed: c.failed, "missed triggers": c.missed_triggers,
  };
}

// health are the lines about the node.
function health(state) {
  if (!state) return {};
  return {
    broker: state.broker, "messages dropped": state.dropped, temperature: temperature(state),
    "kept NGs": state.evidence && keptText(state.evidence), "running since": new Date(state.started).toLocaleString(), version: state.version,
  };
}

// keptText is how many NGs are kept, and what is wrong where something is.
function keptText(e) {
  const parts = [`${e.count} (${(e.bytes / 1e6).toFixed(1)} MB)`];
  if (e.dropped) parts.push(`${e.dropped} not kept`);
  if (e.fault) parts.push("none can be kept: " + e.fault);
  return parts.join(", ");
}

// What holds the processor's clock down makes every result late: it is said.
function temperature(state) {
  const told = state.temperature_c ? state.temperature_c.toFixed(0) + " °C" : "not known";
  return state.held_down ? told + "; the processor is slowed: " + state.held_down.join(", ") : told;
}

function clock(ts) { return new Date(ts).toLocaleTimeString(); }
function sentence(text) { return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : "."); }

// cameraOf is the camera that an address names: a name after #, "" for all of them.
function cameraOf(hash, names) {
  let name = "";
  try { name = decodeURIComponent(hash.replace(/^#/, "")); } catch { return names.length > 1 ? "" : names[0]; }
  if (names.includes(name)) return name;
  return names.length === 1 ? names[0] : "";
}

if (typeof module !== "undefined") module.exports = { newView, answers, takeShot, link, asOf, note, verdict, facts, health, tile, cameraOf, staleAfter };
