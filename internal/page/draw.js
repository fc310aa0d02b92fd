"use strict";
// Pictures with their masks: classes in colours that all kinds of colour vision tell apart, with an outline.
const styles = getComputedStyle(document.documentElement);
const palette = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => styles.getPropertyValue("--class-" + i).trim());
const rgb = palette.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
const hidden = new Set([0]); // class 0 is the background
const layer = document.createElement("canvas"), layerPen = layer.getContext("2d", { willReadFrequently: true });

// parts splits a body: three times a length and so many bytes.
function parts(buffer) {
  const data = new DataView(buffer), list = [];
  for (let at = 0; at < buffer.byteLength;) {
    const n = data.getUint32(at);
    list.push(new Uint8Array(buffer, at + 4, n));
    at += 4 + n;
  }
  return list;
}

// readShot is the shot of a body, with its picture and class ids.
async function readShot(buffer) {
  const [head, jpeg, mask] = parts(buffer), shot = JSON.parse(new TextDecoder().decode(head));
  shot.picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
  if (mask.length) shot.ids = await readIDs(mask);
  return shot;
}

async function readIDs(mask) {
  const options = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  const bitmap = await createImageBitmap(new Blob([mask], { type: "image/png" }), options);
  layer.width = bitmap.width; layer.height = bitmap.height;
  layerPen.drawImage(bitmap, 0, 0);
  const rgba = layerPen.getImageData(0, 0, bitmap.width, bitmap.height).data, ids = new Uint8Array(bitmap.width * bitmap.height);
  for (let i = 0; i < ids.length; i++) ids[i] = rgba[4 * i];
  return ids;
}

// drawShot puts a shot on a canvas.
function drawShot(canvas, shot, opacity) {
  const [w, h] = shot.frame, pen = canvas.getContext("2d");
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  pen.globalAlpha = 1;
  pen.drawImage(shot.picture, 0, 0, w, h);
  if (!shot.ids || !opacity) return;
  // Position (r, c) is centred on frame pixel origin + (r, c)*stride, and the
  // centre of frame pixel 0 is 0, so the layer starts half a pixel and half a
  // stride off.
  const [mw, mh] = shot.mask, [sy, sx] = shot.stride, [oy, ox] = shot.origin;
  const left = ox + 0.5 - sx / 2, top = oy + 0.5 - sy / 2;
  paintLayer(shot);
  pen.imageSmoothingEnabled = false;
  pen.globalAlpha = opacity;
  pen.drawImage(layer, left, top, mw * sx, mh * sy);
  pen.globalAlpha = 1;
  outline(pen, shot, left, top);
}

function paintLayer(shot) {
  const [mw, mh] = shot.mask;
  layer.width = mw; layer.height = mh;
  const image = layerPen.createImageData(mw, mh), d = image.data;
  shot.ids.forEach((id, i) => {
    if (hidden.has(id)) return;
    const c = rgb[id % rgb.length];
    d[4 * i] = c[0]; d[4 * i + 1] = c[1]; d[4 * i + 2] = c[2]; d[4 * i + 3] = 255;
  });
  layerPen.putImageData(image, 0, 0);
}

// outline draws where one class meets another: dark below, the class's colour on
// top, seen on any ground.
function outline(pen, shot, left, top) {
  const [mw, mh] = shot.mask, [sy, sx] = shot.stride, paths = new Map();
  const at = (x, y) => (x < 0 || y < 0 || x >= mw || y >= mh ? 0 : shot.ids[y * mw + x]);
  for (let y = 0; y < mh; y++) for (let x = 0; x < mw; x++) {
    const id = at(x, y);
    if (hidden.has(id)) continue;
    for (const [dx, dy, x0, y0, x1, y1] of [[-1, 0, 0, 0, 0, 1], [1, 0, 1, 0, 1, 1], [0, -1, 0, 0, 1, 0], [0, 1, 0, 1, 1, 1]]) {
      if (at(x + dx, y + dy) === id) continue;
      if (!paths.has(id)) paths.set(id, new Path2D());
      const p = paths.get(id);
      p.moveTo(left + (x + x0) * sx, top + (y + y0) * sy);
      p.lineTo(left + (x + x1) * sx, top + (y + y1) * sy);
    }
  }
  const unit = Math.max(1, shot.frame[0] / 640);
  for (const [id, p] of paths) {
    pen.lineWidth = 3 * unit; pen.strokeStyle = "#000a"; pen.stroke(p);
    pen.lineWidth = 1.5 * unit; pen.strokeStyle = palette[id % palette.length]; pen.stroke(p);
  }
}

// drawZones draws the outlines of zones with their names: dashed, unlike a class.
function drawZones(canvas, zones) {
  const pen = canvas.getContext("2d"), unit = Math.max(1, canvas.width / 640);
  pen.font = `${13 * unit}px system-ui, sans-serif`;
  for (const { name, polygon } of zones) {
    const p = new Path2D();
    polygon.forEach(([x, y], i) => (i ? p.lineTo(x + 0.5, y + 0.5) : p.moveTo(x + 0.5, y + 0.5))); // the centre of frame pixel 0 is 0
    p.closePath();
    pen.lineWidth = 3 * unit; pen.strokeStyle = "#000a"; pen.stroke(p);
    pen.setLineDash([6 * unit, 4 * unit]);
    pen.lineWidth = 1.5 * unit; pen.strokeStyle = "#fff"; pen.stroke(p);
    pen.setLineDash([]);
    const x = Math.min(...polygon.map((c) => c[0])) + 6 * unit, y = Math.min(...polygon.map((c) => c[1])) + 16 * unit;
    pen.lineWidth = 3 * unit; pen.strokeStyle = "#000c"; pen.strokeText(name, x, y);
    pen.fillStyle = "#fff"; pen.fillText(name, x, y);
  }
}

// classAt is the mask's class at a frame pixel, -1 outside of it.
function classAt(shot, x, y) {
  if (!shot || !shot.ids) return -1;
  const r = Math.round((y - shot.origin[0]) / shot.stride[0]), c = Math.round((x - shot.origin[1]) / shot.stride[1]);
  if (r < 0 || c < 0 || r >= shot.mask[1] || c >= shot.mask[0]) return -1;
  return shot.ids[r * shot.mask[0] + c];
}
