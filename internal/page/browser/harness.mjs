// What tests of the page share: the built programs, a broker, and Debian's
// Chromium. Everything listens on loopback and ends with the tests.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const deps = process.env.DEPS || path.join(root, ".deps");
const bin = process.env.EDGED_BIN || path.join(root, "bin");
const require = createRequire(path.join(deps, "page", "node_modules", "x.js"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const shots = process.env.SHOTS || ""; // folder for pictures; empty: none are taken
export const pause = (ms) => new Promise((r) => setTimeout(r, ms));

// scratch is a folder that goes with the process.
export const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "edged-page-"));
const ends = [() => fs.rmSync(scratch, { recursive: true, force: true })];
process.on("exit", () => { for (const end of ends.reverse()) end(); });

// until waits for a condition, which may look at what a page says.
export async function until(what, condition, ms = 30000) {
  let last;
  for (const limit = Date.now() + ms; Date.now() < limit; await pause(50)) {
    last = await condition();
    if (last === true) return;
  }
  assert.fail(`${what}: not within ${ms} ms; last: ${JSON.stringify(last)}`);
}

export function edged(...args) {
  const r = spawnSync(path.join(bin, "edged"), args, { cwd: scratch, encoding: "utf8", timeout: 60000 });
  assert.equal(r.status, 0, `edged ${args.join(" ")}: ${r.error || r.stderr}`);
  return r.stdout;
}

function freePort() {
  return new Promise((resolve) => {
    const s = net.createServer().listen(0, "127.0.0.1", () => { const { port } = s.address(); s.close(() => resolve(port)); });
  });
}

// started is a child process that can be ended, stopped and gone on with.
let starts = 0;
function started(command, args) {
  const log = path.join(scratch, path.basename(command) + starts++ + ".log"), out = fs.openSync(log, "a");
  const child = spawn(command, args, { cwd: scratch, stdio: ["ignore", out, out] });
  const ended = new Promise((r) => child.on("exit", r));
  const kill = () => { if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL"); };
  ends.push(kill);
  return {
    log: () => fs.readFileSync(log, "utf8"), signal: (s) => child.kill(s),
    end: async (s = "SIGKILL") => {
      child.kill("SIGCONT");
      child.kill(s);
      const late = setTimeout(kill, 15000);
      await ended;
      clearTimeout(late);
    },
  };
}

function listening(port) {
  return new Promise((resolve) => {
    const c = net.connect(port, "127.0.0.1", () => { c.destroy(); resolve(true); });
    c.on("error", () => resolve(false));
  });
}

// broker starts mosquitto on a port, a free one unless it is given.
export async function broker(port) {
  port ||= await freePort();
  const b = started(fs.existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto", ["-p", String(port)]);
  await until("the broker", () => listening(port));
  return { ...b, port, publish: (topic, text) => spawnSync("mosquitto_pub", ["-p", String(port), "-q", "1", "-t", topic, "-m", text]) };
}

// node starts edged on a config, whose [node] lacks http, and waits for its page.
export async function node(config) {
  const port = await freePort(), file = path.join(scratch, `node${port}.toml`), url = `http://127.0.0.1:${port}/`;
  fs.writeFileSync(file, config.replace("[node]", `[node]\nhttp = "127.0.0.1:${port}"`));
  const n = { port, url, start: async () => {
    Object.assign(n, started(path.join(bin, "edged"), ["run", "-c", file]));
    try { await until("the page's address", () => listening(port), 60000); } catch (e) { e.message += "\n" + n.log(); throw e; }
  } };
  await n.start();
  return n;
}

// commission starts the page on which a camera is set up and written to file.
export async function commission(file) {
  const port = await freePort(), c = started(path.join(bin, "edged"), ["run", "-c", file, "--commission", "--http", `127.0.0.1:${port}`]);
  await until("the address with its token", () => /#token=[0-9a-f]{32}/.test(c.log()));
  return { ...c, port, url: c.log().match(/http:\S+#token=[0-9a-f]{32}/g).at(-1) };
}

// browser starts Chromium; it takes no more than a page needs.
export async function browser() {
  const b = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", "--disable-background-networking"],
  });
  ends.push(() => b.close().catch(() => {}));
  return b;
}

export const sizes = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

// open shows an address in a page of its own, which must log no error of its own making.
export async function open(b, url, { size = "desk", scheme = "light" } = {}) {
  const context = await b.newContext({ viewport: sizes[size], colorScheme: scheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (e) => page.faults.push(e.message));
  await page.goto(url);
  return page;
}

// says is what the page tells at this moment.
export function says(page) {
  return page.evaluate(() => {
    const text = (id) => document.getElementById(id).textContent, canvas = document.getElementById("view");
    const d = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let bright = 0;
    for (let i = 0; i < d.length; i += 4) if (d[i] + d[i + 1] + d[i + 2] > 60) bright++;
    return {
      link: text("link"), note: text("note"), verdict: document.querySelector("#verdict strong").textContent,
      kind: document.getElementById("verdict").className, stale: document.getElementById("single").classList.contains("stale"),
      bright: bright / (d.length / 4), label: canvas.getAttribute("aria-label"), health: text("health"),
    };
  });
}

// accessible fails on what axe finds serious or worse.
export async function accessible(page, where) {
  await page.evaluate(axe); // evaluated, not added: the page's policy lets no script in
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const bad = violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`), [], where);
}

// fits fails where the page is wider than its window.
export async function fits(page, where) {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${where}: ${wide} pixels wide in a window of ${window}`);
}

// pixelsOf tells where on the page a frame's pixels are: the canvas keeps its shape.
export async function pixelsOf(canvas, w, h) {
  const box = await canvas.boundingBox(), scale = Math.min(box.width / w, box.height / h);
  return ([x, y]) => [box.x + (box.width - w * scale) / 2 + (x + 0.5) * scale, box.y + (box.height - h * scale) / 2 + (y + 0.5) * scale];
}

export async function picture(page, name) {
  if (shots) await page.screenshot({ path: path.join(shots, name + ".png"), fullPage: true });
}
