// A camera is set up in a real browser from nothing: a classifier of patches becomes a
// dense net that is proved, zones and rules are tried, and the config that is saved
// is one that edged check accepts and edged run serves.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { accessible, browser, commission, edged, fits, node, open, picture, pixelsOf, scratch, until } from "./harness.mjs";

const file = path.join(scratch, "line", "edged.toml"), nets = new URL("../../../train/nets/", import.meta.url).pathname;
let desk, chromium, p;

before(async () => {
  fs.mkdirSync(path.dirname(file));
  desk = await commission(file);
  chromium = await browser();
});
after(async () => {
  await chromium?.close();
  await desk?.end("SIGTERM");
});

const says = (id, what, ms) => until(`${id}: ${what}`, async () => what.test(await p.locator("#" + id).textContent()) || p.locator("#" + id).textContent(), ms);
const button = (name) => p.getByRole("button", { name, exact: true });

test("without the token nothing is told", async () => {
  const q = await open(chromium, desk.url.replace(/#.*/, ""));
  await until("it says so", async () => /the token/.test(await q.locator("#link").textContent()));
  assert.equal((await fetch(`http://127.0.0.1:${desk.port}/commission/api/state`)).status, 401);
  await q.context().close();
});

test("a model is brought, made dense and proved", async () => {
  p = await open(chromium, desk.url);
  await says("link", /^connected$/);
  assert.equal(await p.evaluate(() => location.hash), "");
  await p.getByLabel("Source").fill("test:belt?size=320x240&fps=8");
  await button("Open").click();
  await until("the live picture", () => p.evaluate(() => { const c = document.getElementById("view"), d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; return c.width === 320 && d.some((v, i) => i % 4 < 3 && v > 60); }));
  await p.getByLabel("Bring a .tflite").setInputFiles(path.join(nets, "belt_valid.tflite"));
  await says("about", /It classifies patches of 39 × 39/);
  await p.getByLabel("Height").fill("160");
  await p.getByLabel("Width").fill("200");
  await button("Measure strides").click();
  await says("stride-said", /ms measured here/, 60000);
  await p.locator("#stride").press("End");
  await says("stride-said", /^8: |^4: /);
  await p.locator("#stride").fill("2");
  await says("stride-said", /^4: /);
  await button("Rewrite and prove").click();
  await says("job", /^EQUIVALENT, proved/, 120000);
  await says("about", /Dense, certificate: proved/);
  await says("note", /^go|ms$/, 30000);
});

test("where to look is drawn, and rules are tried on pictures", async () => {
  await button("Region of interest").click();
  const on = await pixelsOf(p.locator("#view"), 320, 240);
  for (const at of [[20, 10], [300, 230]]) await p.mouse.click(...on(at));
  await button("New zone").click();
  for (const at of [[60, 40], [260, 40], [260, 200], [60, 200]]) await p.mouse.click(...on(at));
  await p.getByLabel("Its name").fill("middle");
  await p.getByLabel("Its name").press("Tab");
  for (let i = 1; i <= 3; i++) {
    await button("Record this picture").click();
    await until("it is recorded", async () => (await p.locator("#recorded").textContent()) === String(i));
  }
  await button("New rule").click();
  await p.getByLabel("Class", { exact: true }).selectOption("metal");
  await says("changed", /3 verdicts changed|3 pictures tried/, 30000);
  await p.getByLabel("In zones").selectOption("middle");
  await until("a verdict of each", async () => (await p.locator("#strip li").count()) === 3);
  await p.getByLabel("Share allowed").fill("0.0001");
  await says("changed", /verdicts changed/, 30000);
  await p.getByLabel("Smallest blob, positions").fill("100000");
  await until("all are OK", async () => (await p.locator("#strip li").allTextContents()).every((t) => /OK$/.test(t)) || p.locator("#strip").textContent(), 30000);
  await p.getByLabel("Smallest blob, positions").fill("1");
  await accessible(p, "commissioning");
  await fits(p, "commissioning");
  await picture(p, "commission");
});

test("what is saved is accepted, and served", async () => {
  await button("Show what changes").click();
  await until("the difference", async () => (await p.locator("#diff ins").count()) > 8 || p.locator("#saved").textContent());
  await button("Save").click();
  await says("saved", /^Saved/);
  const text = fs.readFileSync(file, "utf8");
  assert.match(text, /\[\[camera.zone\]\]\nname = "middle"/);
  edged("check", "-c", file);
  const line = await node(text.replace(/^http = .*\n/m, "").replace('model = "', 'model = "line/'));
  const state = async () => (await (await fetch(line.url + "state")).json()).cameras[0];
  await until("a verdict of the saved rules", async () => { const c = await state(); return ["OK", "NG"].includes(c.verdict) && c.certificate === "proved" && c.zones[0].name === "middle" || c; });
  await line.end("SIGTERM");
});

test("a model that tells nothing is asked about, with the picture in each guess", async () => {
  const bare = path.join(scratch, "bare.tflite"), name = (s) => Buffer.concat([Buffer.from([5, 0, 0, 0]), Buffer.from(s), Buffer.from([0])]);
  const net = fs.readFileSync(path.join(nets, "belt_valid_int8.tflite")), at = net.indexOf(name("edged"));
  assert.ok(at > 0, "the net's manifest is found");
  name("other").copy(net, at); // nobody finds its manifest any more
  fs.writeFileSync(bare, net);
  const q = await open(chromium, desk.url, { size: "phone", scheme: "dark" });
  await until("it is connected", async () => (await q.locator("#link").textContent()) === "connected");
  await q.getByLabel("Source").fill("test:belt?size=320x240&fps=8");
  await q.getByRole("button", { name: "Open", exact: true }).click();
  await q.getByLabel("Bring a .tflite").setInputFiles(bare);
  await until("what it lacks", async () => /does not tell: labels, channel_order, range, meaning/.test(await q.locator("#about").textContent()) || q.locator("#about").textContent());
  await q.getByLabel("Height").fill("160");
  await q.getByLabel("Width").fill("200");
  await q.getByRole("button", { name: "Measure strides" }).click();
  await until("the times", async () => /ms measured here/.test(await q.locator("#stride-said").textContent()), 60000);
  await q.getByRole("button", { name: "Rewrite and prove" }).click();
  await until("the proof", async () => /^EQUIVALENT, proved/.test(await q.locator("#job").textContent()), 120000);
  await q.getByLabel("Classes, one a line").fill("background\nmetal\nscratch\npit\nstain");
  await q.getByRole("button", { name: "Show the guesses" }).click();
  await until("each guess with its answer", async () => (await q.locator("#guesses button span").allTextContents()).filter((t) => /%/.test(t)).length === 6 || q.locator("#guesses").textContent(), 60000);
  const answers = await q.locator("#guesses button span").allTextContents();
  assert.ok(new Set(answers).size > 1, `all guesses look alike: ${answers}`);
  await q.getByRole("radio", { name: /^RGB, -1 to 1/ }).click();
  assert.equal(await q.getByRole("radio", { name: /^RGB, -1 to 1/ }).getAttribute("aria-checked"), "true");
  await until("a live answer", async () => /ms$/.test(await q.locator("#note").textContent()) || q.locator("#note").textContent());
  await accessible(q, "facts, phone, dark");
  await fits(q, "facts, phone, dark");
  await picture(q, "commission-facts-phone-dark");
  assert.deepEqual(q.faults, []);
  await q.context().close();
});

test("an edit by hand meanwhile is told, and neither is lost", async () => {
  const hand = fs.readFileSync(file, "utf8").replace("[node]", "# by hand\n[node]\nname = \"line7\"");
  fs.writeFileSync(file, hand);
  await p.getByLabel("Results that must agree").fill("3");
  await says("file", /changed meanwhile/);
  await button("Show what changes").click();
  await until("it may be saved", () => p.locator("#save").isEnabled());
  fs.writeFileSync(file, hand.replace("line7", "line8")); // after it was looked at
  await button("Save").click();
  await says("saved", /changed by somebody else meanwhile, nothing is saved/);
  assert.match(fs.readFileSync(file, "utf8"), /line8/);
  await button("Show what changes").click();
  await until("it may be saved", () => p.locator("#save").isEnabled());
  await button("Save").click();
  await says("saved", /^Saved.*The file before is/);
  const text = fs.readFileSync(file, "utf8");
  assert.ok(text.includes("# by hand\n[node]\nname = \"line8\"") && text.includes("hold = 3"), text);
  const kept = (await p.locator("#saved").textContent()).match(/before is (\S+)/)[1];
  assert.match(fs.readFileSync(kept, "utf8"), /line8/);
  edged("check", "-c", file);
  assert.deepEqual(p.faults, []);
  await p.context().close();
});
