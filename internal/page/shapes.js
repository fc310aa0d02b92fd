"use strict";
// Polygons drawn on a picture, by pointer and by keyboard alike.

// scaleOf is how many of the page's pixels one of the frame's takes: a canvas keeps its
// picture's shape.
const scaleOf = (box, frame) => Math.min(box.width / frame[0], box.height / frame[1]);

// pixelAt is the frame pixel under a pointer.
function pixelAt(canvas, frame, e) {
  const box = canvas.getBoundingClientRect(), scale = scaleOf(box, frame);
  return [Math.floor((e.clientX - box.left - (box.width - frame[0] * scale) / 2) / scale), Math.floor((e.clientY - box.top - (box.height - frame[1] * scale) / 2) / scale)];
}

const within = (v, size) => Math.min(Math.max(Math.round(v), 0), size);
const cornersText = (polygon) => polygon.map((p) => p.join(", ")).join("\n");
const cornersOf = (text) => text.split("\n").filter((l) => l.trim()).map((l) => l.trim().split(/[\s,;]+/).map(Number));

function boxAround(polygon) {
  const [x, y] = [0, 1].map((i) => polygon.map((p) => p[i])), [l, r, t, b] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
  return [[l, t], [r, t], [r, b], [l, b]];
}

// shapeEditor draws shapes {name, polygon} over ed.picture, one with box as the box
// around its corners; ed.at is the one that is
// edited. changed is called after every change made on the canvas.
function shapeEditor(canvas, changed) {
  const ed = { picture: null, frame: [640, 480], shapes: [], at: -1, cross: null, corner: -1 };
  const chosen = () => ed.shapes[ed.at];
  const near = (e) => { // the corner under the pointer, -1 where there is none
    const [x, y] = pixelAt(canvas, ed.frame, e), reach = 9 / scaleOf(canvas.getBoundingClientRect(), ed.frame);
    return chosen() ? chosen().polygon.findIndex((p) => Math.hypot(p[0] - x, p[1] - y) <= reach) : -1;
  };
  const told = () => { ed.draw(); changed(); };
  ed.draw = () => {
    const [w, h] = ed.frame, pen = canvas.getContext("2d"), unit = Math.max(1, w / 640);
    canvas.width = w; canvas.height = h;
    if (ed.picture) pen.drawImage(ed.picture, 0, 0, w, h);
    drawZones(canvas, ed.shapes.filter((s) => s.polygon.length).map((s) => (s.box ? { name: s.name, polygon: boxAround(s.polygon) } : s)));
    const s = chosen();
    for (const [x, y] of s ? s.polygon : []) { pen.fillStyle = "#ffd166"; pen.strokeStyle = "#000"; pen.lineWidth = unit; pen.beginPath(); pen.arc(x + 0.5, y + 0.5, 5 * unit, 0, 7); pen.fill(); pen.stroke(); }
    if (!ed.cross) return;
    const [x, y] = ed.cross;
    for (const [colour, width] of [["#000", 3], ["#ffd166", 1.5]]) {
      pen.strokeStyle = colour; pen.lineWidth = width * unit; pen.beginPath();
      pen.moveTo(x - 12 * unit, y + 0.5); pen.lineTo(x + 12 * unit, y + 0.5); pen.moveTo(x + 0.5, y - 12 * unit); pen.lineTo(x + 0.5, y + 12 * unit); pen.stroke();
    }
  };
  const set = (p) => { if (chosen()) { chosen().polygon.push(p); told(); } };
  canvas.addEventListener("pointerdown", (e) => {
    if (!chosen()) return;
    ed.cross = null;
    ed.corner = near(e);
    if (ed.corner < 0) {
      const [x, y] = pixelAt(canvas, ed.frame, e);
      set([within(x, ed.frame[0]), within(y, ed.frame[1])]);
      ed.corner = chosen().polygon.length - 1;
    }
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener("pointermove", (e) => {
    if (ed.corner < 0 || !chosen()) return;
    const [x, y] = pixelAt(canvas, ed.frame, e);
    chosen().polygon[ed.corner] = [within(x, ed.frame[0]), within(y, ed.frame[1])];
    told();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { ed.corner = -1; });
  canvas.addEventListener("keydown", (e) => {
    const step = e.shiftKey ? 10 : 1, move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[e.key];
    if (move) {
      const [x, y] = ed.cross || [ed.frame[0] / 2, ed.frame[1] / 2];
      ed.cross = [within(x + move[0], ed.frame[0]), within(y + move[1], ed.frame[1])];
      ed.draw();
    } else if (e.key === "Enter" && ed.cross) set([...ed.cross]);
    else if (e.key === "Backspace" && chosen()) { chosen().polygon.pop(); told(); }
    else return;
    e.preventDefault();
  });
  return ed;
}
