// Every state of the page from the built daemon, in a real browser: what it says is
// so, at every moment.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { accessible, broker, browser, edged, fits, node, open, pause, picture, pixelsOf, says, scratch, shots, until } from "./harness.mjs";

const whole = process.env.PAGE === "whole"; // both sizes and schemes; else a smoke
let line, mqtt, chromium;

const camera = (name, source, more = "") => `[[camera]]\nname = "${name}"\nsource = "${source}"\nmodel = "dense.tflite"\nengine = "go"\nthreads = 1\n${more}\n`;

before(async () => {
  const nets = new URL("../../../train/nets/", import.meta.url).pathname;
  edged("rewrite", path.join(nets, "belt_valid_int8.tflite"), "-o", "dense.tflite", "--input", "160x200", "--output-stride", "2");
  edged("snap", "test:belt?size=320x240", "-o", "a.png");
  const film = spawnSync("ffmpeg", ["-loglevel", "error", "-loop", "1", "-i", "a.png", "-t", "1", "-r", "5", "-c:v", "mjpeg", "ended.avi"], { cwd: scratch, encoding: "utf8" });
  assert.equal(film.status, 0, film.stderr);
  mqtt = await broker();
  const belt = "test:belt?size=320x240&fps=8";
  line = await node(`[node]\nname = "line1"\n[mqtt]\nbroker = "tcp://127.0.0.1:${mqtt.port}"\nspool_dir = "state"\n[evidence]\ndir = "evidence"\nmax_count = 500\n` +
    camera("press", belt, `[[camera.zone]]\nname = "middle"\npolygon = [[60.5, 40], [260, 40], [260, 200], [60.5, 200]]\n[[camera.rule]]\nclass = "metal"\nverdict = "part"\nzones = ["middle"]`) +
    camera("aside", belt, "roi = [0, 0, 4000, 4000]") +
    camera("small", "test:belt?size=96x80&fps=8") +
    camera("waits", belt, `trigger = "mqtt"\n[[camera.rule]]\nclass = "metal"`) +
    camera("off", belt) +
    camera("away", "rtsp://127.0.0.1:1/nothing") +
    camera("ended", "ended.avi"));
  mqtt.publish("edged/line1/off/enabled/set", "OFF");
  chromium = await browser();
});
after(async () => {
  await chromium?.close();
  await line?.end("SIGTERM");
  await mqtt?.end("SIGTERM");
});

const at = (name, options) => open(chromium, line.url + "#" + name, options);
const live = (p) => until("a live picture", async () => { const s = await says(p); return s.link === "live" && s.bright > 0.3 && s.kind !== "none" || s; });

// What each camera says that gives no result, and whether its frame is seen.
const silent = {
  aside: [/^Frames are refused \(roi_outside\).*4000/, true], small: [/^Frames are refused \(too_small\)/, true],
  waits: [/^It waits for a trigger/, true], off: [/^The camera is disabled/, true],
  away: [/^The camera is offline|^The camera is being opened/, false],
};

test("every camera says what it does", async () => {
  const p = await at("press");
  await live(p);
  await picture(p, "live");
  for (const [name, [note, seen]] of Object.entries(silent)) {
    await p.goto(line.url + "#" + name); // a deep link, followed within the page
    await until(`${name} says why`, async () => { const s = await says(p); return note.test(s.note) && (s.bright > 0.3) === seen && !s.stale || s; });
    const s = await says(p);
    assert.equal(s.verdict, "no result", name);
    assert.equal(s.kind, "none", name);
    assert.notEqual(s.link, "live", name);
    await picture(p, name);
  }
  await p.goto(line.url + "#ended");
  await until("the end is told", async () => { const s = await says(p); return /source has ended/.test(s.note) && s.link === "ended" && s.kind !== "ok" && s.kind !== "ng" || s; });
  assert.deepEqual(p.faults, []);
  await p.context().close();
});

test("a trigger's result is shown with its verdict, then with its time", async () => {
  const p = await at("waits");
  await until("it waits", async () => /waits for a trigger/.test((await says(p)).note));
  mqtt.publish("edged/line1/request/trigger", `{"camera": "waits", "part_id": "A-1"}`);
  await until("the verdict", async () => { const s = await says(p); return ["ok", "ng"].includes(s.kind) && s.link === "live" || s; });
  await until("its time", async () => { const s = await says(p); return s.kind === "stale" && /as of .*waits for a trigger/.test(s.note) || s; });
  await p.context().close();
});

// watch notes, at every frame that the browser draws, what would be a lie.
const lies = (p, name) => p.evaluate((camera) => {
  window.lies = [];
  const look = () => {
    const word = document.querySelector("#verdict strong").textContent, label = document.getElementById("view").getAttribute("aria-label");
    if (word !== "no result" || !(label === "No picture yet" || label.startsWith(camera + ": no result"))) window.lies.push(`${word} / ${label}`);
    requestAnimationFrame(look);
  };
  window.addEventListener("hashchange", () => requestAnimationFrame(look), { once: true });
}, name);

test("a camera that is switched to shows nothing of the one before", async () => {
  const p = await at("press");
  await live(p);
  for (const slow of [0, 400]) { // answers on their way when the camera is switched
    await p.route("**/live/press*", async (route) => { const r = await route.fetch(); await pause(slow); await route.fulfill({ response: r }).catch(() => {}); });
    await p.goto(line.url + "#press");
    await live(p);
    await lies(p, "aside");
    await p.evaluate(() => { location.hash = "#aside"; });
    await pause(1500);
    assert.deepEqual(await p.evaluate(() => window.lies), []);
    await p.unroute("**/live/press*");
    await p.goto("about:blank");
  }
  // Whatever answers: a body of another camera is never taken.
  await p.route("**/live/aside*", async (route) => route.fulfill({ response: await route.fetch({ url: line.url + "live/press?after=0" }) }));
  await p.goto(line.url + "#aside");
  await pause(1500);
  const s = await says(p);
  assert.deepEqual([s.verdict, s.bright], ["no result", 0]);
  await p.context().close();
});

test("zones are drawn where they are, and obeyed", async () => {
  const p = await at("press"), state = async () => (await (await fetch(line.url + "state")).json()).cameras[0];
  await until("the zone's verdict", async () => /in zone middle/.test(await p.locator("#verdict ul").textContent()));
  const white = (x, y) => p.evaluate(([x, y]) => { // along the zone's edge some dash is white
    const d = document.getElementById("view").getContext("2d").getImageData(x, y, 1, 20).data;
    return [...Array(20).keys()].some((i) => d[4 * i] > 200 && d[4 * i + 1] > 200 && d[4 * i + 2] > 200);
  }, [x, y]);
  await until("its edge", () => white(61, 90));
  mqtt.publish("edged/line1/press/zones/set", `[{"name": "middle", "polygon": [[100, 190], [104, 190], [104, 194]]}]`);
  await until("the zone is another", async () => (await state()).zones[0].polygon.length === 3);
  await until("it is obeyed", async () => (await state()).verdict === "OK");
  await until("the edge has gone", async () => !(await white(61, 90)));
  mqtt.publish("edged/line1/press/zones/set", "");
  await until("the config's zone", async () => (await state()).zones[0].polygon.length === 4);
  await p.context().close();
});

test("zones are drawn on the page, by pointer and by keyboard, and obeyed", async () => {
  const p = await at("press"), zones = async () => (await (await fetch(line.url + "state")).json()).cameras[0].zones;
  await live(p);
  await p.getByRole("button", { name: "Draw zones" }).click();
  await picture(p, "zones");
  await accessible(p, "zones");
  await p.getByRole("button", { name: "New zone" }).click();
  await p.getByLabel("Name").fill("corner");
  const on = await pixelsOf(p.locator("#zones-view"), 320, 240);
  for (const at of [[10, 10], [110, 10], [110, 60]]) await p.mouse.click(...on(at));
  await p.mouse.move(...on([110, 60])); // a corner is dragged
  await p.mouse.down();
  await p.mouse.move(...on([120, 70]));
  await p.mouse.up();
  await p.locator("#zones-view").focus(); // and one set by keyboard, from the middle
  await p.keyboard.press("ArrowLeft");
  await p.keyboard.press("Shift+ArrowUp");
  await p.keyboard.press("Enter");
  assert.equal(await p.locator("#zones-corners").inputValue(), "10, 10\n110, 10\n120, 70\n159, 110");
  await p.locator("#zones-corners").fill("10, 10\n110, 10\n120.5, 70");
  await p.getByRole("button", { name: "Save" }).click();
  await until("it is saved", async () => /^Saved/.test(await p.locator("#zones-said").textContent()) || p.locator("#zones-said").textContent());
  assert.deepEqual((await zones())[1], { name: "corner", polygon: [[10, 10], [110, 10], [120.5, 70]] });
  // A rule names "middle": without it nothing is saved, and the page says why.
  await p.locator("#zones-list").getByRole("button", { name: "middle" }).click();
  await p.getByRole("button", { name: "Delete it" }).click();
  await p.getByRole("button", { name: "Save" }).click();
  await until("the refusal", async () => /Not saved: .*middle/.test(await p.locator("#zones-said").textContent()));
  await p.getByRole("button", { name: "Back to the config's" }).click();
  await until("the config's", async () => (await zones()).length === 1);
  await p.keyboard.press("Escape");
  assert.deepEqual(p.faults, []);
  await p.context().close();
});

test("kept NGs are browsed", async () => {
  const p = await at("press");
  await live(p);
  await until("something is kept", async () => (await (await fetch(line.url + "state")).json()).evidence.count > 2);
  await p.getByRole("button", { name: "Kept NGs" }).click();
  await until("the newest with its mask", async () => /^✗ part/.test(await p.locator("#kept-verdict strong").textContent()) || p.locator("#kept-verdict").textContent());
  await until("its picture", () => p.evaluate(() => {
    const c = document.getElementById("kept-view"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
    return c.width === 320 && d.some((v, i) => i % 4 < 3 && v > 60);
  }));
  await picture(p, "kept");
  await accessible(p, "kept");
  await fits(p, "kept");
  if (whole || shots) for (const [size, scheme] of [["phone", "dark"], ["phone", "light"], ["desk", "dark"]]) {
    const q = await at("press", { size, scheme });
    await live(q);
    for (const [button, name] of [["Kept NGs", "kept"], ["Draw zones", "zones"]]) {
      await q.getByRole("button", { name: button }).click();
      await until("it is open", () => q.locator(`#${name}`).isVisible());
      await pause(500);
      await accessible(q, `${name} ${size} ${scheme}`);
      await fits(q, `${name} ${size} ${scheme}`);
      await picture(q, `${name}-${size}-${scheme}`);
      await q.keyboard.press("Escape");
    }
    await q.context().close();
  }
  const first = await p.locator("#kept-verdict small").textContent();
  await p.locator("#kept-list button").nth(1).click();
  await until("another", async () => (await p.locator("#kept-verdict small").textContent()) !== first);
  assert.equal((await fetch(line.url + (await p.locator("#kept-png").getAttribute("href")))).headers.get("content-type"), "image/png");
  await p.keyboard.press("Escape");
  assert.deepEqual(p.faults, []);
  await p.context().close();
});

test("the keyboard reaches everything", async () => {
  const p = await open(chromium, line.url);
  await until("all tiles", async () => (await p.locator(".tile").count()) === 7);
  await p.keyboard.press("ArrowRight");
  await until("the first camera", () => p.evaluate(() => location.hash === "#press"));
  await live(p);
  await p.keyboard.press("Space");
  await until("held", async () => { const s = await says(p); return s.link === "held" && s.kind === "stale" && /as of/.test(s.note) || s; });
  await p.keyboard.press("Space");
  await live(p);
  const name = () => p.evaluate(() => document.activeElement.textContent.replace(/[\d.]+ %/, "") || document.activeElement.id);
  const seen = new Set();
  for (let i = 0; i < 40; i++) { await p.keyboard.press("Tab"); seen.add(await name()); }
  for (const want of ["Skip to the picture", "All", "aside", "view", "opacity", "metal"]) assert.ok(seen.has(want), `${want} is not reached: ${[...seen]}`);
  await p.getByRole("button", { name: /metal/ }).focus();
  await p.keyboard.press("Enter");
  assert.equal(await p.getByRole("button", { name: /metal/ }).getAttribute("aria-pressed"), "false");
  await p.keyboard.press("0");
  await until("all of them", async () => (await p.locator("#overview").isVisible()) && p.evaluate(() => location.hash === "" || location.hash === "#"));
  await p.goBack();
  await live(p);
  const box = await p.locator("#view").boundingBox();
  await p.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await until("the class under the pointer", async () => /^\d \w+ · \d+ px · x \d+, y \d+$/.test(await p.locator("#probe").textContent()));
  assert.deepEqual(p.faults, []);
  await p.context().close();
});

// tilesSeen counts the tiles that show a picture.
const tilesSeen = (p) => p.evaluate(() => [...document.querySelectorAll(".tile canvas")].filter((c) => {
  const d = c.getContext("2d").getImageData(c.width / 2, 0, 1, c.height).data;
  return d.some((v, i) => i % 4 < 3 && v > 40);
}).length);

test("no serious fault of accessibility, at any size, light and dark", async () => {
  const all = [["desk", "light"], ["phone", "dark"]].concat(whole || shots ? [["desk", "dark"], ["phone", "light"]] : []);
  for (const [size, scheme] of all) {
    const p = await open(chromium, line.url + "#press", { size, scheme });
    await live(p);
    await until("the last NGs", async () => (await p.locator("#ngs img").count()) > 0);
    for (const name of ["press", "", "aside"]) {
      await p.goto(line.url + "#" + name);
      await until("what it shows", async () => name ? (await says(p)).bright > 0.3 : (await tilesSeen(p)) >= 5 || await tilesSeen(p));
      const where = `${name || "overview"} ${size} ${scheme}`;
      await accessible(p, where);
      await fits(p, where);
      await picture(p, where.replaceAll(" ", "-"));
    }
    await p.context().close();
  }
});

test("the checks see what is wrong", async () => {
  const p = await at("press");
  await live(p);
  await p.evaluate(() => { document.getElementById("opacity").labels[0].remove(); document.body.style.width = "3000px"; });
  await assert.rejects(accessible(p, "without a label"), /label/);
  await assert.rejects(fits(p, "too wide"), /3000/);
  await p.context().close();
});

test("a broker that goes is told, and that it comes back", async () => {
  const p = await at("press");
  await until("the broker is there", async () => /brokerok/.test((await says(p)).health));
  await mqtt.end();
  await until("the broker is gone", async () => { const s = await says(p); return /brokernot connected/.test(s.health) && s.link === "live" || s; });
  mqtt = await broker(mqtt.port);
  await until("it is back", async () => /brokerok/.test((await says(p)).health), 60000);
  await p.context().close();
});

test("nothing stands as true when edged freezes, dies and comes back", async () => {
  const p = await at("press"), all = await open(chromium, line.url);
  await live(p);
  await until("a live tile", async () => (await all.locator(".tile.ok, .tile.ng").count()) > 0);
  const told = async () => { const s = await says(p); return s.link === "no connection" && s.kind === "stale" && s.stale && /as of .* does not answer/.test(s.note) || s; };
  const tiles = async () => (await all.locator(".tile.ok, .tile.ng").count()) === 0;
  line.signal("SIGSTOP");
  await until("frozen", told, 12000);
  await until("no tile has a verdict", tiles, 12000);
  line.signal("SIGCONT");
  await live(p);
  await line.end("SIGKILL");
  await until("dead", told, 12000);
  await until("no tile has a verdict", tiles, 12000);
  await picture(p, "dead");
  await picture(all, "dead-overview");
  await line.start();
  await live(p);
  assert.deepEqual([...p.faults, ...all.faults], []);
});
