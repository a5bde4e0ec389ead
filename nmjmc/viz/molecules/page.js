"use strict";
// The page of `nmjmc view`: unpacks the frames, draws them as points in WebGL, and the traces on canvases beside them.
(async () => {
const $ = (id) => document.getElementById(id);
const told = JSON.parse($("told").textContent);
const data = await unpack($("data").textContent);
const frames = told.frames, n = told.molecules, sites = told.sites, half = told.half;
const TO_COME = 0, FREE = 1, BOUND = 2, SPLIT = 3, LEFT = 4, GLOW = 0.008, GLOW_FRAMES = 8;

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = await new Response(stream).arrayBuffer();
  const found = {}, kinds = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array };
  for (const [name, kind, offset, length] of told.arrays) found[name] = new kinds[kind](whole, offset, length);
  return found;
}

// where the free and the bound ones of each frame begin, and when each molecule has ended
const freeFrom = new Uint32Array(frames + 1), boundFrom = new Uint32Array(frames + 1), ended = new Int32Array(n).fill(1e9);
for (let f = 0; f < frames; f++) {
  let free = 0, bound = 0;
  for (let m = 0; m < n; m++) {
    const kind = data.kind[f * n + m];
    if (kind === FREE) free++; else if (kind === BOUND) bound++;
    else if (kind >= SPLIT && ended[m] > f) ended[m] = f;
  }
  freeFrom[f + 1] = freeFrom[f] + free; boundFrom[f + 1] = boundFrom[f] + bound;
}
const sitePlace = new Float32Array(3 * sites);
for (let s = 0; s < sites; s++) for (let k = 0; k < 3; k++) sitePlace[3 * s + k] = data.site_place[3 * s + k];
const place = new Float32Array(3 * n), look = new Float32Array(n), siteLook = new Float32Array(sites);

// what is drawn of a frame: a place and an entry of the palette for each molecule; 255 hides it
function fill(f) {
  let free = freeFrom[f], bound = boundFrom[f];
  for (let m = 0; m < n; m++) {
    const kind = data.kind[f * n + m], at = 3 * m;
    look[m] = 255;
    if (kind === FREE) {
      place[at] = (data.x[free] / 4095 * 2 - 1) * half; place[at + 1] = (data.y[free] / 4095 * 2 - 1) * half;
      place[at + 2] = told.low + data.z[free] / 255 * (told.height - told.low); free++; look[m] = told.look.free;
    } else if (kind === BOUND) {
      const s = data.bound_site[bound++]; for (let k = 0; k < 3; k++) place[at + k] = sitePlace[3 * s + k];
      look[m] = told.look.bound;
    } else if (kind >= SPLIT && f - ended[m] < GLOW_FRAMES && told.times[f] - told.times[ended[m]] < GLOW) {
      for (let k = 0; k < 3; k++) place[at + k] = data.end_place[at + k];
      look[m] = kind === SPLIT ? told.look.split : told.look.left;
    }
  }
  for (let s = 0; s < sites; s++) siteLook[s] = data.site_state[f * sites + s];
}

// WebGL
const canvas = $("scene"), gl = canvas.getContext("webgl", { antialias: false, preserveDrawingBuffer: told.keep });
const VERTEX = `attribute vec3 place; attribute float look; uniform mat4 view; uniform float tall, size, fade; uniform vec4 palette[32];
varying vec4 tone; varying float far;
void main() { gl_Position = view * vec4(place.x, place.y, place.z * tall, 1.0); vec4 own = look > 31.0 ? vec4(0.0) : palette[int(look)];
  tone = vec4(own.rgb, fade); far = gl_Position.w; gl_PointSize = max(own.a * size / gl_Position.w, own.a > 0.5 ? 2.5 : 1.0);
  if (own.a == 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0); }`;
const FRAGMENT = `precision mediump float; varying vec4 tone; uniform float flat_; 
void main() { if (flat_ > 0.5) { gl_FragColor = tone; return; }
  vec2 at = gl_PointCoord * 2.0 - 1.0; float r = dot(at, at); if (r > 1.0) discard;
  float light = 0.62 + 0.38 * sqrt(1.0 - r) + 0.25 * max(0.0, dot(normalize(vec3(at.x, -at.y, sqrt(1.0 - r))), vec3(-0.45, 0.55, 0.7)) - 0.8);
  gl_FragColor = vec4(tone.rgb * light, tone.a * (1.0 - smoothstep(0.82, 1.0, r))); }`;
let program, at = {}, buffers = {};
if (gl) {
  program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind); gl.shaderSource(shader, text); gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program); gl.useProgram(program);
  for (const name of ["view", "tall", "size", "fade", "flat_"]) at[name] = gl.getUniformLocation(program, name);
  at.place = gl.getAttribLocation(program, "place"); at.look = gl.getAttribLocation(program, "look");
  gl.uniform4fv(gl.getUniformLocation(program, "palette"), told.palette.flat());
  gl.enable(gl.DEPTH_TEST); gl.enable(gl.BLEND); gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  for (const name of ["place", "look", "site", "siteLook"]) buffers[name] = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, buffers.site); gl.bufferData(gl.ARRAY_BUFFER, sitePlace, gl.STATIC_DRAW);
} else { canvas.replaceWith(Object.assign(document.createElement("p"), { textContent: "This browser draws no WebGL, so that the molecules cannot be shown; traces and numbers are beside.", className: "note" })); }

// lines: the rims of both membranes, the vesicles, the folds
function outline() {
  const shapes = [], ring = (x, y, z, r, look, upright) => {
    const line = []; for (let k = 0; k <= 96; k++) { const a = k / 48 * Math.PI, c = r * Math.cos(a), s = r * Math.sin(a);
      line.push(...(upright ? [x + c, y, z + s / view.tall] : [x + c, y + s, z])); } shapes.push([line, look]); };
  const square = (r, z, look) => shapes.push([[-r, -r, z, r, -r, z, r, r, z, -r, r, z, -r, -r, z], look]);
  for (const z of [0, told.height]) told.disc ? ring(0, 0, z, half, told.look.rim) : square(half, z, told.look.rim);
  for (const [x, y] of told.release) { const r = told.lumen; ring(x, y, told.height + r / view.tall, r, told.look.vesicle);
    ring(x, y, told.height + r / view.tall, r, told.look.vesicle, true); ring(x, y, told.height, Math.max(r / 4, 0.004), told.look.pore); }
  for (const x of told.folds) for (const dx of [-told.fold_half, told.fold_half]) { const far = Math.sqrt(Math.max(half * half - (x + dx) ** 2, 0));
    for (const z of [0, told.low]) shapes.push([[x + dx, -far, z, x + dx, far, z], told.look.rim]); }
  return shapes;
}

const view = { yaw: -0.5, pitch: 0.5, zoom: told.zoom, x: 0, y: 0, tall: told.tall };
let matrix = new Float32Array(16), frame = told.start, fresh = true, playing = false, shown = -1, drawn = 0, lines = outline();
function camera() {
  const w = canvas.clientWidth, h = canvas.clientHeight, far = view.zoom * 2.6 * Math.max(1, h / w * 0.9), f = 2.2, near = far * 0.02;
  const cy = Math.cos(view.yaw), sy = Math.sin(view.yaw), cp = Math.cos(view.pitch), sp = Math.sin(view.pitch), mid = told.height * view.tall / 2;
  // right, up and towards us, for x and y along the membrane and z up
  const R = [cy, sy, 0], U = [-sy * -sp * -1, 0, 0];
  const T = [sy * cp, -cy * cp, sp]; U[0] = -sy * sp; U[1] = cy * sp; U[2] = cp;
  const dot = (a) => a[0] * view.x + a[1] * view.y + a[2] * mid, a = f * h / w, z1 = -(far * 6 + near) / (far * 6 - near), z2 = -2 * far * 6 * near / (far * 6 - near);
  const ex = -dot(R), ey = -dot(U), ez = -dot(T) - far;
  matrix = new Float32Array([a * R[0], f * U[0], z1 * T[0], -T[0], a * R[1], f * U[1], z1 * T[1], -T[1], a * R[2], f * U[2], z1 * T[2], -T[2], a * ex, f * ey, z1 * ez + z2, -ez]);
  view.far = far; view.focal = f;
}
function points(where, looks, count, values, what) {
  gl.bindBuffer(gl.ARRAY_BUFFER, buffers[where]); if (what) gl.bufferData(gl.ARRAY_BUFFER, what, gl.DYNAMIC_DRAW);
  gl.vertexAttribPointer(at.place, 3, gl.FLOAT, false, 0, 0); gl.enableVertexAttribArray(at.place);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffers[looks]); gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  gl.vertexAttribPointer(at.look, 1, gl.FLOAT, false, 0, 0); gl.enableVertexAttribArray(at.look);
  gl.drawArrays(gl.POINTS, 0, count);
}
function draw() {
  if (!gl) return;
  const scale = Math.min(window.devicePixelRatio || 1, 2), w = Math.round(canvas.clientWidth * scale), h = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  camera(); gl.viewport(0, 0, w, h); gl.clearColor(0.043, 0.078, 0.125, 1); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.uniformMatrix4fv(at.view, false, matrix); gl.uniform1f(at.tall, view.tall); gl.uniform1f(at.fade, 1); gl.uniform1f(at.flat_, 0);
  // a molecule is drawn larger than it is: in um here, and never below a few pixels
  gl.uniform1f(at.size, Math.max(0.007, view.zoom * 0.02) * view.focal * h * 0.5);
  points("site", "siteLook", sites, siteLook); points("place", "look", n, look, place);
  gl.uniform1f(at.flat_, 1); gl.uniform1f(at.fade, 0.55); gl.disableVertexAttribArray(at.look);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffers.place);
  for (const [line, code] of lines) { gl.vertexAttrib1f(at.look, code); gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(line), gl.DYNAMIC_DRAW);
    gl.vertexAttribPointer(at.place, 3, gl.FLOAT, false, 0, 0); gl.drawArrays(gl.LINE_STRIP, 0, line.length / 3); }
  drawn++;
  ruler();
}
function ruler() {
  const perUm = canvas.clientHeight * view.focal * 0.5 / view.far, wanted = 110 / perUm, power = 10 ** Math.floor(Math.log10(wanted));
  const length = [5, 2, 1].map((k) => k * power).find((v) => v <= wanted);
  $("bar").style.width = length * perUm + "px"; $("bar-text").textContent = length >= 1 ? `${length} µm` : `${Math.round(length * 1000)} nm`;
}

// numbers: those of the record at the frame
const fixed = (v, d = 3) => { const t = Math.abs(v) < 0.5 * 10 ** -d ? (0).toFixed(d) : v.toFixed(d); return t.replace("-", "−"); }, whole = (v) => Math.round(v).toLocaleString("en");
const record = (f) => data.frame_record[f], value = (name, f) => data["s_" + name][record(f)];
const moment = (f) => told.times[f] < 1 ? `${fixed(told.times[f] * 1000, told.times[f] < 0.01 ? 1 : 0)} µs` : `${fixed(told.times[f])} ms`;
const legend = $("legend");
for (const item of told.legend) {
  const li = document.createElement("li");
  if (item.head) { li.className = "head"; li.textContent = item.head; }
  else { const i = document.createElement("i"), b = document.createElement("b"); i.style.background = item.colour; b.id = "n-" + item.series; li.append(i, document.createTextNode(item.label), b); }
  legend.append(li);
}
const described = (f) => `At ${moment(f)}: current ${fixed(value("current", f))} nA; ` + told.legend.filter((i) => i.series && !i.quiet).map((i) => `${whole(value(i.series, f))} ${i.label}`).join(", ") + ".";
function tell() {
  $("clock").textContent = moment(frame); $("amount").textContent = `${fixed(value("current", frame))} nA`;
  for (const item of told.legend) if (item.series) $("n-" + item.series).textContent = whole(value(item.series, frame));
  $("when").value = frame; $("when").setAttribute("aria-valuetext", moment(frame));
  if (!playing) $("said").textContent = described(frame);
}

// traces
const plots = told.traces.map((trace) => {
  const box = document.createElement("div"), head = document.createElement("h2"), now = document.createElement("span"), plot = document.createElement("canvas");
  box.className = "trace"; now.className = "now"; head.append(trace.title + " ", now); plot.setAttribute("role", "img"); plot.setAttribute("aria-label", trace.title + " against time; its numbers stand in the table below."); box.append(head, plot); $("traces").append(box);
  const self = { trace, plot, now, at: null };
  plot.addEventListener("pointermove", (e) => { self.at = inverse(self, e.offsetX); lineOf(self); });
  plot.addEventListener("pointerleave", () => { self.at = null; lineOf(self); });
  plot.addEventListener("click", (e) => { const t = data.s_time[inverse(self, e.offsetX)]; seek(told.times.reduce((best, v, i) => Math.abs(v - t) < Math.abs(told.times[best] - t) ? i : best, 0)); });
  return self;
});
const LEFT_ROOM = 52, times = data.s_time, last = () => told.times[frames - 1];
// time runs by its square root, so that the first 100 us have room
const across = (t, w) => LEFT_ROOM + Math.sqrt(Math.max(t, 0) / last()) * (w - LEFT_ROOM - 8);
const inverse = (self, x) => { const w = self.plot.clientWidth, part = Math.max(0, (x - LEFT_ROOM) / (w - LEFT_ROOM - 8)), t = part * part * last(); let i = 0; while (i < times.length - 1 && times[i] < t) i++; return i; };
function drawTrace(self) {
  const { plot, trace } = self, scale = window.devicePixelRatio || 1, w = plot.clientWidth, h = plot.clientHeight, ink = getComputedStyle(document.body).getPropertyValue("--ink"), soft = getComputedStyle(document.body).getPropertyValue("--soft");
  const still = document.createElement("canvas"); plot.width = still.width = w * scale; plot.height = still.height = h * scale;
  const c = still.getContext("2d"); c.scale(scale, scale); c.font = "11px system-ui, sans-serif";
  let low = 0, high = 0; for (const line of trace.lines) for (let i = 0; i < times.length && times[i] <= last(); i++) { const v = data["s_" + line.series][i]; if (v < low) low = v; if (v > high) high = v; }
  if (high === low) high = low + 1;
  const up = (v) => 6 + (high - v) / (high - low) * (h - 26); c.strokeStyle = soft; c.fillStyle = soft; c.lineWidth = 0.7; c.textAlign = "right"; c.textBaseline = "middle";
  const step = [1, 2, 5, 10].map((k) => k * 10 ** Math.floor(Math.log10((high - low) / 2.5))).find((s) => (high - low) / s <= 3.2) || (high - low);
  for (let v = Math.ceil(low / step) * step; v <= high + 1e-9; v += step) { c.globalAlpha = 0.25; c.beginPath(); c.moveTo(LEFT_ROOM, up(v)); c.lineTo(w - 8, up(v)); c.stroke(); c.globalAlpha = 1; c.fillText(step < 1 ? fixed(v, Math.max(0, Math.ceil(-Math.log10(step)))) : whole(v).replace("-", "−"), LEFT_ROOM - 6, up(v)); }
  c.textAlign = "center"; c.textBaseline = "top"; let before = -99;
  for (const t of [0, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter((t) => t <= last() * 1.001)) { const x = across(t, w); if (x - before < 34) continue; before = x; c.beginPath(); c.moveTo(x, h - 20); c.lineTo(x, h - 16); c.stroke(); c.fillText(t === 0 ? "0" : t < 1 ? `${t * 1000} µs` : `${t} ms`, Math.min(x, w - 18), h - 14); }
  for (const line of trace.lines) { c.strokeStyle = line.colour === "ink" ? ink : line.colour; c.globalAlpha = line.pale ? 0.5 : 1; c.lineWidth = 1.6; c.beginPath(); let x0 = -9; const ys = data["s_" + line.series];
    for (let i = 0; i < times.length && times[i] <= last(); i++) { const x = across(times[i], w); if (i && x - x0 < 0.4) continue; x0 = x; i ? c.lineTo(x, up(ys[i])) : c.moveTo(x, up(ys[i])); } c.stroke(); c.globalAlpha = 1; }
  self.still = still; self.up = up;
}
function lineOf(self) {
  const { plot, trace } = self, scale = window.devicePixelRatio || 1, w = plot.clientWidth, h = plot.clientHeight; if (!self.still) return;
  const c = plot.getContext("2d"), i = self.at === null ? record(frame) : self.at; c.setTransform(1, 0, 0, 1, 0, 0); c.clearRect(0, 0, plot.width, plot.height); c.drawImage(self.still, 0, 0); c.scale(scale, scale);
  const x = across(times[i], w); c.strokeStyle = self.at === null ? "#e69f00" : "#888"; c.lineWidth = 1.4; c.beginPath(); c.moveTo(x, 4); c.lineTo(x, h - 20); c.stroke();
  for (const line of trace.lines) { c.fillStyle = line.colour === "ink" ? getComputedStyle(document.body).getPropertyValue("--ink") : line.colour; c.beginPath(); c.arc(x, self.up(data["s_" + line.series][i]), 3, 0, 7); c.fill(); }
  self.now.textContent = (self.at === null ? "" : `${fixed(times[i])} ms: `) + trace.lines.map((l) => `${l.label} ${l.digits ? fixed(data["s_" + l.series][i], l.digits) : whole(data["s_" + l.series][i])}${trace.unit}`).join(", ");
}
function everything() { if (shown !== frame) { fill(frame); shown = frame; } draw(); plots.forEach(lineOf); tell(); }
let waiting = false;
const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; everything(); }); } };
function seek(f) { fresh = false; frame = Math.max(0, Math.min(frames - 1, Math.round(f))); soon(); }

// play
let begun = 0, from = 0;
function run(now) {
  if (!playing) return;
  const next = from + Math.max(0, now - begun) / 1000 * 30 * Number($("speed").value);
  if (next >= frames - 1) { frame = frames - 1; play(false); everything(); return; }
  if (Math.floor(next) !== frame) { frame = Math.floor(next); everything(); }
  requestAnimationFrame(run);
}
function play(on) {
  playing = on; $("play").textContent = on ? "Pause" : "Play"; $("play").setAttribute("aria-label", on ? "Pause" : "Play");
  if (on) { if (fresh || frame >= frames - 1) frame = 0; fresh = false; from = frame; begun = performance.now(); requestAnimationFrame(run); } else tell();
}
$("play").onclick = () => play(!playing); $("speed").onchange = () => { from = frame; begun = performance.now(); };
$("when").max = frames - 1; $("when").oninput = () => { play(false); seek(Number($("when").value)); };
const tall = $("tall"); if (![...tall.options].some((o) => Number(o.value) === view.tall)) tall.add(new Option(`× ${view.tall}`, view.tall));
tall.value = String(view.tall); tall.onchange = () => { view.tall = Number(tall.value); lines = outline(); soon(); };
$("above").onclick = () => { view.pitch = Math.PI / 2 - 0.001; view.yaw = 0; soon(); }; $("side").onclick = () => { view.pitch = 0.06; view.yaw = 0; soon(); };
$("all").onclick = () => { view.zoom = half * 1.05; view.x = view.y = 0; soon(); };
document.addEventListener("keydown", (e) => {
  if (["INPUT", "SELECT", "BUTTON", "SUMMARY"].includes(e.target.tagName)) return;
  const turn = { ArrowLeft: ["yaw", 0.08], ArrowRight: ["yaw", -0.08], ArrowUp: ["pitch", 0.06], ArrowDown: ["pitch", -0.06] }[e.key];
  if (e.key === " ") play(!playing); else if (e.key === "+" || e.key === "=") zoom(0.85); else if (e.key === "-") zoom(1.18);
  else if (e.key === "." || e.key === ",") { play(false); seek(frame + (e.key === "." ? 1 : -1)); } else if (e.key === "Home") seek(0); else if (e.key === "End") seek(frames - 1);
  else if (turn && e.target === canvas) { view[turn[0]] += turn[1]; clip(); } else return;
  e.preventDefault(); soon();
});
const clip = () => { view.pitch = Math.max(-0.2, Math.min(Math.PI / 2 - 0.001, view.pitch)); };
const zoom = (by) => { view.zoom = Math.max(0.02, Math.min(half * 3, view.zoom * by)); soon(); };
const fingers = new Map();
canvas.addEventListener("pointerdown", (e) => { canvas.setPointerCapture(e.pointerId); fingers.set(e.pointerId, [e.offsetX, e.offsetY]); $("tip").hidden = true; });
for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (e) => fingers.delete(e.pointerId));
canvas.addEventListener("pointermove", (e) => {
  const was = fingers.get(e.pointerId); if (!was) { point(e); return; }
  const dx = e.offsetX - was[0], dy = e.offsetY - was[1];
  if (fingers.size === 2) { const other = [...fingers].find(([id]) => id !== e.pointerId)[1], d = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]); zoom(d(was) / Math.max(d([e.offsetX, e.offsetY]), 1)); }
  else if (e.shiftKey) { const s = 2 * view.far / view.focal / canvas.clientHeight, c = Math.cos(view.yaw), q = Math.sin(view.yaw); view.x -= (c * dx + q * dy) * s; view.y -= (q * dx - c * dy) * s; }
  else { view.yaw -= dx * 0.008; view.pitch += dy * 0.008; clip(); }
  fingers.set(e.pointerId, [e.offsetX, e.offsetY]); soon();
});
canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoom(Math.exp(e.deltaY * 0.0012)); }, { passive: false });
function nearest(x, y) {
  const w = canvas.clientWidth, h = canvas.clientHeight, m = matrix; let best = 14 ** 2, found = null;
  const look_at = (places, looks, count, kind) => { for (let i = 0; i < count; i++) { if (looks[i] > 31 || told.palette[looks[i]][3] === 0) continue;
    const px = places[3 * i], py = places[3 * i + 1], pz = places[3 * i + 2] * view.tall, q = m[3] * px + m[7] * py + m[11] * pz + m[15]; if (q <= 0) continue;
    const u = ((m[0] * px + m[4] * py + m[8] * pz + m[12]) / q + 1) * w / 2 - x, v = (1 - (m[1] * px + m[5] * py + m[9] * pz + m[13]) / q) * h / 2 - y, d = u * u + v * v; if (d < best) { best = d; found = [kind, i]; } } };
  look_at(place, look, n, "molecule"); if (!found) look_at(sitePlace, siteLook, sites, "site"); return found;
}
function point(e) {
  const tip = $("tip"), found = nearest(e.offsetX, e.offsetY); tip.hidden = !found; if (!found) return;
  const [kind, i] = found, at = kind === "molecule" ? place : sitePlace, nm = [0, 1, 2].map((k) => Math.round(at[3 * i + k] * 1000).toString().replace("-", "−"));
  const code = kind === "site" ? siteLook[i] : data.kind[frame * n + i];
  const name = kind === "site" ? `${data.site_kind[i] ? "esterase" : "receptor"} in state ${told.state_names[code]}` : `${told.tracked ? "ACh " + told.numbers[i] : "ACh"}, ${["to come", "free", "bound", "split here", "left here"][code]}`;
  tip.textContent = `${name}\nx ${nm[0]}, y ${nm[1]}, z ${nm[2]} nm` + (kind === "molecule" && told.vesicles > 1 ? `\nof vesicle ${data.vesicle[i] + 1}` : "");
  tip.style.left = Math.min(e.offsetX + 14, canvas.clientWidth - 190) + "px"; tip.style.top = Math.max(e.offsetY - 44, 4) + "px";
}
const redo = () => { plots.forEach(drawTrace); everything(); };
new ResizeObserver(redo).observe(document.querySelector(".stage"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redo);
redo();
// what the tests ask
window.nmjmc = { ready: true, told, data, seek, play, view, soon, drawn: () => drawn, frame: () => frame, isPlaying: () => playing, value, described, everything };
})();
