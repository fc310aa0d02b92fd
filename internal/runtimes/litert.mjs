// Runs .tflite files on LiteRT.js, a runtime years newer than the one that is
// linked: node litert.mjs MODULES JOBS, where MODULES is the folder of
// node_modules and JOBS a JSON file [{"model", "inputs": [{"file", "shape"}],
// "out": prefix}]. Inputs and outputs are raw float32. Answers one line of JSON
// per job: {"outputs": [{"shape"}]} or {"error"}.
import {createRequire} from 'node:module';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import vm from 'node:vm';

const [modules, jobs] = process.argv.slice(2);
const core = path.join(path.resolve(modules), '@litertjs', 'core');

// The package is made for browsers; these are what it asks of one.
globalThis.self = globalThis;
globalThis.importScripts = (url) => {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  globalThis.require = createRequire(file);
  globalThis.__filename = file;
  globalThis.__dirname = path.dirname(file);
  vm.runInThisContext(readFileSync(file, 'utf8'), {filename: file});
};
const remote = globalThis.fetch;
globalThis.fetch = async (url, ...rest) => {
  const name = String(url);
  if (!name.startsWith('/') && !name.startsWith('file:')) return remote(url, ...rest);
  const data = readFileSync(name.startsWith('file:') ? fileURLToPath(name) : name);
  return new Response(data, {headers: {'Content-Type': name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript'}});
};

const lite = await import(pathToFileURL(path.join(core, 'dist', 'index.js')));
await lite.loadLiteRt(path.join(core, 'wasm') + '/');

async function run(job) {
  const model = await lite.loadAndCompile(new Uint8Array(readFileSync(job.model)), {accelerator: 'wasm'});
  const inputs = job.inputs.map(({file, shape}) => {
    const bytes = readFileSync(file);
    return new lite.Tensor(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)), shape);
  });
  const outputs = await model.run(inputs);
  const told = [];
  for (const [i, t] of outputs.entries()) {
    const values = await t.data();
    writeFileSync(`${job.out}${i}`, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    told.push({shape: Array.from(t.type?.layout?.dimensions ?? t.shape ?? []), type: values.constructor.name});
    t.delete();
  }
  inputs.forEach((t) => t.delete());
  model.delete();
  return {outputs: told};
}

for (const job of JSON.parse(readFileSync(jobs, 'utf8'))) {
  let answer;
  try {
    answer = await run(job);
  } catch (e) {
    answer = {error: String(e?.message ?? e)};
  }
  console.log(JSON.stringify(answer));
}
process.exit(0);
