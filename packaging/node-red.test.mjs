// The shipped flow in a real Node-RED: an event of the broker's becomes a line on
// the PLC's socket.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url)), deps = process.env.DEPS || path.join(here, "..", ".deps");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "edged-flow-"));

const listen = (server) => new Promise((r) => server.listen(0, "127.0.0.1", () => r(server.address().port)));
async function freePort() {
  const s = net.createServer(), port = await listen(s);
  await new Promise((r) => s.close(r));
  return port;
}

test("a verdict reaches the PLC", { timeout: 120000 }, async () => {
  let lines = "";
  const sockets = [], plc = net.createServer((c) => { sockets.push(c); c.on("data", (b) => { lines += b; }); }), plcPort = await listen(plc);
  const brokerPort = await freePort(), webPort = await freePort();
  const broker = spawn(fs.existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto", ["-p", String(brokerPort)], { stdio: "ignore" });
  const flow = fs.readFileSync(path.join(here, "node-red-flow.json"), "utf8").replace('"port": "1883"', `"port": "${brokerPort}"`).replace('"port": "2000"', `"port": "${plcPort}"`);
  fs.writeFileSync(path.join(scratch, "flow.json"), flow);
  fs.writeFileSync(path.join(scratch, "settings.js"), "module.exports = { uiHost: '127.0.0.1', httpAdminRoot: false, telemetry: { enabled: false } };\n");
  const red = spawn(process.execPath, [path.join(deps, "node-red/node_modules/node-red/red.js"), "-u", scratch, "-s", path.join(scratch, "settings.js"), "-p", String(webPort), "flow.json"], { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const out of [red.stdout, red.stderr]) out.on("data", (b) => { log += b; });
  try {
    const send = (seq, verdict) => spawnSync("mosquitto_pub", ["-p", String(brokerPort), "-q", "1", "-t", "edged/line1/press/event", "-m",
      JSON.stringify({ schema: 2, run: "r", seq, ts: "2026-01-01T00:00:00.000Z", kind: "verdict", message: "m", verdict, part_id: "A-1" })]);
    for (let i = 0; !lines.includes("0 line1 press NG A-1\n"); i++) { // until the flow listens; the same event each time
      assert.ok(i < 200, `no line comes: ${lines}\n${log}`);
      send(1, "NG");
      await new Promise((r) => setTimeout(r, 300));
    }
    send(2, "OK");
    for (let i = 0; i < 100 && !lines.includes("1 line1"); i++) await new Promise((r) => setTimeout(r, 100));
    assert.equal(lines, "0 line1 press NG A-1\n1 line1 press OK A-1\n");
  } finally {
    for (const child of [red, broker]) child.kill("SIGKILL");
    for (const c of sockets) c.destroy();
    plc.close();
    fs.rmSync(scratch, { recursive: true, force: true });
  }
});
