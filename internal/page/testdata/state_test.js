"use strict";
// What the page may say, state by state. Go's tests run it: node state_test.js.
const assert = require("node:assert");
const { newView, answers, takeShot, link, asOf, note, verdict, tile, facts, health, cameraOf, staleAfter } = require("../state.js");

const at = Date.parse("2026-11-30T12:00:00Z"), ts = new Date(at).toISOString();
const shotOf = (camera, more) => ({ camera, seq: 7, id: 7, ts, verdict: "NG", reasons: [{ text: "scratch: 2 blobs" }], labels: ["x"], frame: [8, 8], mask: [2, 2], ...more });
const stateOf = (more) => ({ now: ts, started: ts, broker: "ok", dropped: 0, version: "1", cameras: [{ name: "a", status: "online", why: "", trigger: "continuous", verdict: "NG", last_result: ts, ...more }] });
const viewOf = (shot, state) => {
  const v = newView("a");
  if (shot) takeShot(v, shot, at);
  if (state) { v.state = state; v.stateAt = at; }
  return v;
};

assert.equal(health({ ...stateOf(), evidence: { count: 3, bytes: 2.5e6, dropped: 2, fault: "disk full" } })["kept NGs"], "3 (2.5 MB), 2 not kept, none can be kept: disk full");
assert.equal(health(stateOf())["kept NGs"], undefined);

// One camera's picture never stands under another's name, however late it comes.
let v = newView("b");
assert.equal(takeShot(v, shotOf("a"), at), false);
assert.equal(v.shot, null);
assert.equal(verdict(v, at).word, "no result");

// Live: what is said is of now.
v = viewOf(shotOf("a"), stateOf());
assert.deepEqual(link(v, at + 100), ["live", ""]);
assert.equal(asOf(v, at + 100), "");
assert.equal(verdict(v, at + 100).kind, "ng");
assert.match(verdict(v, at + 100).word, /✗ NG/);

// Nothing new comes: stale, with the time, and no colour of a verdict.
const later = at + staleAfter + 1;
assert.match(asOf(v, later), /^as of /);
assert.equal(verdict(v, later).kind, "stale");
assert.notEqual(note(v, later), "");
assert.equal(link(v, later)[0], "late");

// edged is gone: said at once, and the picture is old.
v.reachable = false;
assert.equal(link(v, at)[0], "no connection");
assert.match(asOf(v, at), /^as of /);
assert.equal(verdict(v, at).kind, "stale");
assert.match(note(v, at), /does not answer/);

// The answers stop without an error: after a while that is no connection either.
v = viewOf(shotOf("a"), stateOf());
assert.equal(link(v, at + 2 * staleAfter + 1)[0], "no connection");

assert.deepEqual([answers(true, 0, at), answers(true, at, at + 1), answers(true, at, at + 2 * staleAfter + 1), answers(false, at, at)], [true, true, false, false]);

// Every state of a camera that gives no result has its reason.
for (const [status, why] of [["disabled", "the camera is disabled"], ["offline", "the camera is offline: unplugged"], ["ended", "the source has ended"],
  ["online", "frames are refused (roi_outside): ..."], ["online", "frames are refused (too_small): ..."], ["online", "no number"]]) {
  for (const shot of [null, shotOf("a")]) {
    v = viewOf(shot, stateOf({ status, why }));
    assert.notEqual(link(v, at)[0], "live", why);
    assert.ok(note(v, at).toLowerCase().startsWith(why.slice(0, 10)), why);
    if (shot) assert.equal(verdict(v, at).kind, "stale", why);
  }
}
// A raw frame has no verdict, not the last one's.
assert.equal(verdict(viewOf(shotOf("a", { raw: "roi_outside", verdict: "" }), stateOf()), at).kind, "none");

v = viewOf(shotOf("a", { raw: "roi_outside" }), stateOf({ why: "frames are refused" }));
assert.equal(asOf(v, at + 100), ""); // but it is of now
assert.match(asOf(v, later), /^as of /);

// A camera that waits for a trigger keeps its last verdict, with its time.
v = viewOf(shotOf("a"), stateOf({ trigger: "mqtt", why: "it waits for a trigger" }));
assert.match(asOf(v, later), /^as of /);
assert.match(note(v, later), /trigger/);

// Just triggered, its verdict is of now; what it sees meanwhile is too, without a verdict.
v = viewOf(shotOf("a"), stateOf({ trigger: "mqtt", why: "it waits for a trigger", waits: true }));
assert.equal(verdict(v, at + 100).kind, "ng");
assert.equal(note(v, at + 100), "");
assert.equal(verdict(v, later).kind, "stale");
for (const more of [{ status: "disabled", why: "the camera is disabled" }, { trigger: "mqtt", why: "it waits for a trigger", waits: true }]) {
  v = viewOf(shotOf("a", { raw: "x" }), stateOf(more));
  assert.equal(asOf(v, at + 100), "", more.why);
  assert.equal(verdict(v, at + 100).word, "no result", more.why);
  assert.ok(note(v, at + 100).toLowerCase().startsWith(more.why), more.why);
  assert.match(asOf(v, later), /^as of /, more.why);
}

// Held: not live, and nothing is taken over.
v = viewOf(shotOf("a"), stateOf());
v.held = true;
assert.equal(link(v, at)[0], "held");
assert.equal(takeShot(v, shotOf("a", { seq: 8 }), at), false);
assert.equal(v.shot.seq, 7);
assert.match(asOf(v, at), /^as of /);

// The overview says the same.
const tileOf = (more, shot, reachable, now) => { const s = stateOf(more); return tile(s.cameras[0], shot, at, s, reachable, now); };
assert.equal(tileOf({}, shotOf("a"), true, at).kind, "ng");
assert.equal(tileOf({}, shotOf("a"), false, at).kind, "stale");
assert.match(tileOf({}, shotOf("a"), false, at).note, /^as of .*does not answer/);
assert.equal(tileOf({ why: "the camera is disabled", status: "disabled" }, null, true, at).kind, "stale");
assert.equal(tileOf({ why: "frames are refused", last_result: null }, shotOf("a", { raw: "x" }), true, at).kind, "none");
assert.equal(tileOf({ last_result: null }, null, true, at).word, "");
assert.equal(tileOf({ last_result: new Date(at - 5000).toISOString() }, shotOf("a"), true, later).kind, "stale");
assert.equal(tileOf({ last_result: new Date(at - 5000).toISOString(), trigger: "interval:9s" }, shotOf("a"), true, at).kind, "ng");

assert.equal(tileOf({ why: "it waits for a trigger", waits: true, trigger: "mqtt" }, shotOf("a"), true, at).kind, "ng");

// Zero is told, nothing is left out but what is not known.
assert.equal(facts(viewOf(null, stateOf({ failed: 0 }))).failed, 0);
assert.equal(health(stateOf())["messages dropped"], 0);
assert.equal(health(null).broker, undefined);

// Addresses.
assert.equal(cameraOf("#b", ["a", "b"]), "b");
assert.equal(cameraOf("", ["a", "b"]), "");
assert.equal(cameraOf("#nobody", ["a", "b"]), "");
assert.equal(cameraOf("#%E0%A4%A", ["a", "b"]), "");
assert.equal(cameraOf("", ["a"]), "a");
assert.equal(cameraOf("", []), "");
