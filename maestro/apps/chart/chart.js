// Candles, panes of lines, markers and spans in one chart with one time axis; tools/bundle_chart puts the library before it.
const LIGHT = {ground: "#ffffff", ink: "#1b1e24", muted: "#5b6270", grid: "#eef0f3", edge: "#d5d9e0", up: "#0f7fbf", down: "#cc4e00"};
const DARK = {ground: "#171a20", ink: "#eceef2", muted: "#a5acb9", grid: "#23272f", edge: "#3a404b", up: "#4aa8e0", down: "#ff8b4d"};
const KINDS = {line: LineSeries, histogram: HistogramSeries, area: AreaSeries, baseline: BaselineSeries};
const ROOM = 28;  // pixels right of the last bar, where the label of its time ends
const RANGES = [["1w", 7], ["1m", 30], ["3m", 91], ["1y", 365], ["all", 0]];

// Vertical bands behind the candles.
class Spans {
  constructor() { this.spans = []; }
  attached({chart, requestUpdate}) { this.chart = chart; this.redraw = requestUpdate; }
  set(spans) { this.spans = spans; if (this.redraw) this.redraw(); }
  updateAllViews() {}
  paneViews() {
    return [{zOrder: () => "bottom", renderer: () => ({draw: (target) => target.useBitmapCoordinateSpace((scope) => {
      const axis = this.chart.timeScale(), shown = axis.getVisibleRange();
      if (!shown) return;
      for (const span of this.spans) {
        if (span.to < shown.from || span.from > shown.to) continue;
        const a = at(axis, span.from, shown), b = at(axis, span.to, shown);
        const wide = Math.max(b - a, 4), k = scope.horizontalPixelRatio;
        scope.context.fillStyle = span.color;
        scope.context.fillRect(Math.round((b - a < 4 ? (a + b) / 2 - 2 : a) * k), 0, Math.round(wide * k), scope.bitmapSize.height);
      }
    })})}];
  }
}

// Each trade as a line from its entry to its exit; the one under the pointer is thicker, an open one is dashed.
class Trips {
  constructor() { this.trades = {}; this.tone = {}; this.over = -1; }
  attached({chart, series, requestUpdate}) { this.chart = chart; this.series = series; this.redraw = requestUpdate; }
  set(trades, tone) { this.trades = trades; this.tone = tone; this.over = -1; if (this.redraw) this.redraw(); }
  updateAllViews() {}
  // Calls `visit(k, x0, y0, x1, y1)` for the trades on the screen.
  each(visit) {
    const axis = this.chart.timeScale(), shown = axis.getVisibleRange(), {entry, exit, entry_price, exit_price} = this.trades;
    if (!shown || !entry) return;
    for (let k = 0; k < entry.length; k++) {
      if (exit[k] < shown.from || entry[k] > shown.to) continue;
      const y0 = this.series.priceToCoordinate(entry_price[k]), y1 = this.series.priceToCoordinate(exit_price[k]);
      const x0 = axis.timeToCoordinate(entry[k]), x1 = axis.timeToCoordinate(exit[k]);
      if (y0 !== null && y1 !== null && x0 !== null && x1 !== null) visit(k, x0, y0, x1, y1);
    }
  }
  // Number of the trade within 7 pixels of a point, or -1.
  near(x, y) {
    let best = 7, found = -1;
    this.each((k, x0, y0, x1, y1) => {
      const dx = x1 - x0, dy = y1 - y0, part = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
      const off = Math.hypot(x - x0 - part * dx, y - y0 - part * dy);
      if (off < best) { best = off; found = k; }
    });
    return found;
  }
  point(k) { if (k !== this.over) { this.over = k; this.redraw(); } }
  paneViews() {
    return [{zOrder: () => "normal", renderer: () => ({draw: (target) => target.useBitmapCoordinateSpace((scope) => {
      const {context, horizontalPixelRatio: h, verticalPixelRatio: v} = scope;
      this.each((k, x0, y0, x1, y1) => {
        context.beginPath();
        context.setLineDash(this.trades.open[k] ? [4 * h, 4 * h] : []);
        context.strokeStyle = this.trades.pnl[k] >= 0 ? this.tone.up : this.tone.down;
        context.globalAlpha = k === this.over ? 1 : 0.75;
        context.lineWidth = (k === this.over ? 3.5 : 1.5) * h;
        context.moveTo(x0 * h, y0 * v);
        context.lineTo(x1 * h, y1 * v);
        context.stroke();
      });
      context.globalAlpha = 1;
      context.setLineDash([]);
    })})}];
  }
}

// Pixel of a moment, also where no bar stands there.
function at(axis, time, shown) {
  const exact = axis.timeToCoordinate(time);
  if (exact !== null) return exact;
  const index = axis.timeToIndex(time, true);
  const pixel = index === null ? null : axis.logicalToCoordinate(index);
  return pixel === null ? (time < shown.from ? 0 : axis.width()) : pixel;
}

// A moment in UTC: the day alone on a chart of days.
function stamp(time, daily) {
  return new Date(time * 1000).toISOString().slice(0, daily ? 10 : 16).replace("T", " ");
}

// Points of a line, at the times of the candles if it has none; `color` numbers the entries of `palette`.
function points(data, bars, tint) {
  const {value, color} = data, time = data.time || bars.time || [], palette = color && data.palette.map(tint);
  const rows = new Array(Math.min(time.length, value.length));
  for (let i = 0; i < rows.length; i++) {
    const v = value[i];
    rows[i] = v === v ? {time: time[i], value: v} : {time: time[i]};
    if (color && v === v) rows[i].color = palette[color[i]];
  }
  return rows;
}

// Whether two lines are the same, so that nothing need be drawn anew.
function same(a, b) {
  return a.color === b.color && alike(a.time, b.time) && alike(a.value, b.value);
}

function alike(a, b) {
  if (!a || !b || a.length !== b.length) return a === b;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

const SPELLED = 250;  // bars on the screen up to which markers have texts

// Leaves out the times that an edge of their axis would cut: "2020" would read "20".
function wholeTexts(context) {
  const write = context.fillText;
  context.fillText = (text, x, y) => {
    const half = context.textAlign === "center" ? context.measureText(text).width / 2 : 0;
    if (x + 1 >= half && x + half <= 1 + context.canvas.width / context.getTransform().a) write.call(context, text, x, y);
  };
}

function candles(data) {
  const {time, open, high, low, close} = data, rows = new Array(time.length);
  for (let i = 0; i < time.length; i++) rows[i] = {time: time[i], open: open[i], high: high[i], low: low[i], close: close[i]};
  return rows;
}

function precision(close) {
  if (!close.length) return 2;
  const price = Math.abs(close[close.length - 1]);
  return price >= 1000 ? 1 : price >= 10 ? 2 : price >= 0.1 ? 4 : 8;
}

function isDark() {
  const found = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g);
  if (!found || (found.length > 3 && Number(found[3]) === 0)) return document.documentElement.classList.contains("dark");
  return 0.3 * found[0] + 0.6 * found[1] + 0.1 * found[2] < 128;
}

function render({model, el}) {
  const host = document.createElement("div"), head = document.createElement("div"), body = document.createElement("div");
  host.style.cssText = "display:flex;flex-direction:column;width:100%;height:100%;font-family:inherit;font-size:12.5px";
  head.style.cssText = "display:flex;gap:6px 16px;align-items:center;min-height:30px;flex-wrap:wrap;padding-bottom:4px";
  const style = document.createElement("style"), ranges = document.createElement("div");
  style.textContent = `
    .ranges { display: flex; gap: 2px; }
    .ranges button, .scale, .tool { border: none; background: none; border-radius: 5px; padding: 4px 9px; cursor: pointer; font: inherit; color: inherit; }
    .ranges button:hover, .scale:hover, .tool:hover { background: rgba(127, 140, 160, .16); }
    .ranges button[aria-pressed=true], .scale[aria-pressed=true] { background: rgba(127, 140, 160, .26); font-weight: 600; }
    button:focus-visible, .body:focus-visible { outline: 2px solid #3d8fd1; outline-offset: 1px; }
    .legend { display: flex; flex-wrap: wrap; gap: 0 12px; font-variant-numeric: tabular-nums; }
    .legend b { font-weight: 500; opacity: .72; margin-right: 4px; }
    .tip { position: absolute; z-index: 5; pointer-events: none; padding: 6px 10px; border-radius: 6px; background: #2b3038; color: #ffffff;
      font-size: 12px; line-height: 1.45; white-space: pre; font-variant-numeric: tabular-nums; }`;
  ranges.className = "ranges";
  ranges.setAttribute("role", "group");
  ranges.setAttribute("aria-label", "Range");
  body.className = "body";
  body.style.cssText = "position:relative;flex:1;min-height:0";
  body.tabIndex = 0;
  body.setAttribute("role", "application");
  body.setAttribute("aria-label", "Price chart; arrows move it, plus and minus zoom, Home and End go to the ends");
  const legend = document.createElement("div");
  legend.className = "legend";
  for (const [name, days] of RANGES) {
    const button = document.createElement("button");
    button.textContent = name;
    button.dataset.range = name;
    button.type = "button";
    button.onclick = () => { range(days); press(name); };
    ranges.append(button);
  }
  const scale = document.createElement("button");
  scale.className = "scale";
  scale.type = "button";
  scale.textContent = "Log";
  scale.title = "Logarithmic price scale";
  scale.onclick = () => { model.log = !model.log; setScale(); };
  const tool = (text, title, act) => {
    const button = document.createElement("button");
    button.className = "tool";
    button.type = "button";
    button.textContent = text;
    button.title = title;
    button.onclick = act;
    return button;
  };
  const full = tool("Full screen", "Show the chart alone; Escape ends it", () => {
    if (fullScreen() === host) document.exitFullscreen();
    else host.requestFullscreen();
  });
  full.hidden = !document.fullscreenEnabled;
  const tools = document.createElement("div");
  tools.className = "ranges";
  tools.append(scale, full, tool("PNG", "Save the chart as a picture", () => save()));
  head.append(ranges, tools, legend);
  // Inside of shadow roots the document names their host only.
  function fullScreen() { return host.getRootNode().fullscreenElement; }
  host.append(style, head, body);
  el.append(host);

  const chart = createChart(body, {autoSize: true, layout: {attributionLogo: true, panes: {enableResize: true}},
    timeScale: {timeVisible: true, secondsVisible: false, rightOffsetPixels: ROOM, minBarSpacing: 0.001, enableConflation: true, lockVisibleTimeRangeOnResize: true}, crosshair: {mode: CrosshairMode.Normal},
    localization: {locale: "en-GB"}});
  for (const canvas of body.querySelectorAll("tr:last-child canvas")) wholeTexts(canvas.getContext("2d"));
  const price = chart.addSeries(CandlestickSeries, {borderVisible: false, priceLineVisible: false});
  const marks = createSeriesMarkers(price, [], {autoScale: false}), bands = new Spans(), trips = new Trips();
  price.attachPrimitive(bands);
  price.attachPrimitive(trips);
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  body.append(tip);
  const drawn = new Map();
  let colors = LIGHT, digits = 2, daily = false, dressed = false, spelled = false;

  // A colour of the light theme in the theme of the page; what is said behind it (transparency) stays.
  function tint(color) {
    const night = colors === DARK && typeof color === "string" && model.night[color.slice(0, 7)];
    return night ? night + color.slice(7) : color;
  }

  function press(name) {
    for (const button of ranges.children) button.setAttribute("aria-pressed", String(button.dataset.range === name));
  }

  function dress() {
    const before = colors;
    colors = isDark() ? DARK : LIGHT;
    if (before === colors && dressed) return;
    dressed = true;
    host.style.color = colors.muted;
    host.style.background = colors.ground;  // a full screen has no page behind it
    chart.applyOptions({layout: {background: {type: ColorType.Solid, color: colors.ground}, textColor: colors.muted,
      panes: {separatorColor: colors.edge, separatorHoverColor: colors.edge}},
      grid: {vertLines: {color: colors.grid}, horzLines: {color: colors.grid}},
      rightPriceScale: {borderColor: colors.edge, entireTextOnly: true}, timeScale: {borderColor: colors.edge}});
    price.applyOptions({upColor: colors.up, wickUpColor: colors.up, downColor: colors.down, wickDownColor: colors.down});
    if (before === colors) return;
    for (const held of drawn.values()) {
      held.series.applyOptions(tones(held.line));
      if (held.line.data.palette) held.series.setData(points(held.line.data, model.candles, tint));
    }
    setMarkers();
    setTrades();
    say();
  }

  function tones(line) {
    const color = tint(line.color), options = {color, lineColor: color};
    for (const [name, value] of Object.entries(line.options || {})) options[name] = tint(value);
    return options;
  }

  function setMarkers() {
    const {time, kind, text, kinds, words} = model.markers, rows = new Array(time ? time.length : 0);
    const looks = rows.length ? kinds.map((look) => ({...look, color: tint(look.color)})) : [];
    for (let i = 0; i < rows.length; i++) rows[i] = {time: time[i], text: spelled ? words[text[i]] : "", ...looks[kind[i]]};
    marks.setMarkers(rows);
  }

  function setTrades() {
    trips.set(model.trades, {up: colors.up, down: colors.down});
    tip.hidden = true;
  }

  // What a trade was, beside the pointer.
  function tell(move) {
    const inside = move.point && (move.paneIndex === undefined || move.paneIndex === 0);
    const k = inside ? trips.near(move.point.x, move.point.y) : -1;
    trips.point(k);
    tip.hidden = k < 0;
    if (k < 0) return;
    const t = model.trades;
    const signed = (value, digits) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toLocaleString("en-GB", {minimumFractionDigits: digits, maximumFractionDigits: digits})}`;
    const bars = `${t.bars[k].toLocaleString("en-GB")} bar${t.bars[k] === 1 ? "" : "s"}`;
    tip.textContent = [
      `${t.short[k] ? "Short" : "Long"} trade ${t.first + k}, ${bars}`,
      `Entry  ${stamp(t.entry[k], daily)}  ${t.entry_price[k].toFixed(digits)}`,
      `${t.open[k] ? "Open  " : "Exit   "} ${stamp(t.exit[k], daily)}  ${t.exit_price[k].toFixed(digits)}${t.open[k] ? "" : `  by ${t.reasons[t.reason[k]]}`}`,
      `Profit ${signed(t.pnl[k], 2)} (${signed(100 * t.gain[k], 2)} %)`,
    ].join("\n");
    const right = move.point.x + 16 + tip.offsetWidth > body.clientWidth;
    tip.style.left = `${Math.max(0, right ? move.point.x - 16 - tip.offsetWidth : move.point.x + 16)}px`;
    tip.style.top = `${Math.max(0, Math.min(move.point.y + 12, body.clientHeight - tip.offsetHeight))}px`;
  }

  // The chart as it is on the screen, under its name, the stretch that is shown, and the lines of each pane.
  function picture() {
    const shot = chart.takeScreenshot(true, false), k = shot.width / body.clientWidth, head = 34;
    const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
    canvas.width = shot.width;
    canvas.height = shot.height + head * k;
    context.fillStyle = colors.ground;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(shot, 0, head * k);
    context.scale(k, k);
    const font = getComputedStyle(host).fontFamily, shown = chart.timeScale().getVisibleRange();
    const write = (text, x, y, color, weight = 400, size = 12) => {
      context.font = `${weight} ${size}px ${font}`;
      context.fillStyle = color;
      context.fillText(text, x, y);
      return x + context.measureText(text).width + 12;
    };
    const after = write(model.title, 10, 22, colors.ink, 600, 15);
    if (shown) write(`${stamp(Number(shown.from), daily)} to ${stamp(Number(shown.to), daily)}`, after, 22, colors.muted);
    const lines = [...drawn.values()].map((held) => held.line), names = ["price", ...places()];
    let top = head;
    chart.panes().forEach((pane, i) => {
      let x = 10;
      const own = model.panes.filter((one) => one.name === names[i]).flatMap((one) => one.lines.map((line) => line.name));
      for (const line of lines) if (own.includes(line.name)) x = write(line.name, x, top + 16, tint(line.color).slice(0, 7), 500);
      top += pane.getHeight() + 1;
    });
    return canvas;
  }

  function save() {
    picture().toBlob((blob) => {
      const link = document.createElement("a"), address = URL.createObjectURL(blob);
      link.href = address;
      link.download = `${(model.title || "chart").replace(/[^\w.-]+/g, "_")}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60000);
    });
  }

  function setCandles() {
    const data = model.candles;
    digits = precision(data.close || []);
    daily = (data.time || []).every((time) => time % 86400 === 0);
    chart.timeScale().applyOptions({timeVisible: !daily});
    price.applyOptions({priceFormat: {type: "price", precision: digits, minMove: 10 ** -digits}});
    price.setData(data.time ? candles(data) : []);
    chart.timeScale().fitContent();
    press("all");
  }

  function setScale() {
    price.priceScale().applyOptions({mode: model.log ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal});
    scale.setAttribute("aria-pressed", String(model.log));
  }

  // Names of the panes below the candles, in their order.
  function places() {
    return [...new Set(model.panes.map((pane) => pane.name))].filter((name) => name !== "price");
  }

  // Lines that are there already get new data; panes come and go only when their names change.
  function setPanes() {
    const wanted = new Map();
    model.panes.forEach((pane, p) => pane.lines.forEach((line) => wanted.set(`${p}|${pane.name}|${line.kind}|${line.name}`, [pane, line])));
    const order = places();
    for (const [key, held] of drawn) if (!wanted.has(key)) { chart.removeSeries(held.series); drawn.delete(key); }
    for (const [key, [pane, line]] of wanted) {
      let held = drawn.get(key);
      if (!held) {
        const place = pane.name === "price" ? 0 : order.indexOf(pane.name) + 1;
        const options = {lineWidth: line.width || 1.5, priceLineVisible: false,
          lastValueVisible: false, crosshairMarkerVisible: false, priceFormat: format(line), ...tones(line)};
        held = {series: chart.addSeries(KINDS[line.kind], options, place), line, pane};
        drawn.set(key, held);
      }
      held.line = line;
      const look = JSON.stringify([tones(line), pane.log]);
      if (held.look !== look) {  // every call computes the scales anew
        if (pane.name !== "price") held.series.priceScale().applyOptions({mode: pane.log ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal});
        held.series.applyOptions(tones(line));
        held.look = look;
      }
      if (held.bars !== model.candles || !same(held.data, line.data)) held.series.setData(points(line.data, model.candles, tint));
      held.data = line.data;
      held.bars = model.candles;
    }
    chart.panes().forEach((pane, i) => pane.setStretchFactor(i ? (model.panes.find((p) => p.name === order[i - 1]) || {}).height || 1 : 4));
  }

  function format(line) {
    if (line.format === "percent") return {type: "custom", minMove: 1e-6, formatter: (v) => `${(100 * v).toFixed(1)} %`.replace("-", "\u2212")};
    if (line.format === "money") return {type: "custom", minMove: 1, formatter: (v) => Math.abs(v) >= 1e6 ? `${(v / 1e6).toFixed(2)}m` : `${(v / 1e3).toFixed(1)}k`};
    if (line.format === "volume") return {type: "volume"};
    if (line.format === "rate") return {type: "custom", minMove: 1e-8, formatter: (v) => `${(100 * v).toFixed(4)} %`.replace("-", "\u2212")};
    const last = [...(line.data.value || [])].reverse().find((v) => v === v) || 1;
    const digits = precision([last]);
    return {type: "price", precision: digits, minMove: 10 ** -digits};
  }

  // The bar under the crosshair, or the last one; as text, whatever a name contains.
  function say(time, values) {
    legend.replaceChildren();
    const add = (name, text, color) => {
      const part = document.createElement("span"), label = document.createElement("b");
      label.textContent = name;
      if (color) { label.style.color = `color-mix(in srgb, ${color} 55%, ${colors.ink})`; label.style.opacity = 1; }
      part.append(label, text);
      legend.append(part);
    };
    const bars = model.candles, n = (bars.time || []).length;
    if (!n) return;
    const inside = time !== undefined && time !== null, last = n - 1;
    add("", stamp(inside ? Number(time) : bars.time[last], daily));
    const bar = inside ? values && values.get(price) : {open: bars.open[last], high: bars.high[last], low: bars.low[last], close: bars.close[last]};
    if (bar && bar.open !== undefined) {
      for (const [short, name] of [["O", "open"], ["H", "high"], ["L", "low"], ["C", "close"]]) add(short, bar[name].toFixed(digits));
      add("", `${bar.close >= bar.open ? "+" : "\u2212"}${Math.abs(100 * (bar.close / bar.open - 1)).toFixed(2)} %`);
    }
    for (const held of drawn.values()) {
      const point = inside ? values && values.get(held.series) : held.series.dataByIndex(1e9, -1);
      if (point && point.value !== undefined) add(held.line.name, held.series.priceFormatter().format(point.value), (point.color || tint(held.line.color)).slice(0, 7));
    }
  }

  function range(days) {
    const time = model.candles.time;
    if (!time || !time.length) return;
    const last = time[time.length - 1], shown = chart.timeScale().getVisibleRange();
    if (!days) { chart.timeScale().fitContent(); return; }
    const end = shown ? Math.min(Number(shown.to), last) : last;
    chart.timeScale().setVisibleRange({from: Math.max(time[0], end - days * 86400), to: Math.max(end, time[0] + 1)});
  }

  body.onkeydown = (event) => {
    const axis = chart.timeScale(), shown = axis.getVisibleLogicalRange();
    if (!shown) return;
    const wide = shown.to - shown.from, middle = (shown.to + shown.from) / 2, n = (model.candles.time || []).length;
    const moves = {ArrowLeft: [shown.from - wide / 5, shown.to - wide / 5], ArrowRight: [shown.from + wide / 5, shown.to + wide / 5],
      "+": [middle - wide / 3, middle + wide / 3], "-": [middle - wide * 0.75, middle + wide * 0.75],
      Home: [0, wide], End: [n - wide, n]};
    const to = moves[event.key];
    if (!to) return;
    axis.setVisibleLogicalRange({from: to[0], to: to[1]});
    event.preventDefault();
  };

  let told = 0, last = null;
  chart.timeScale().subscribeVisibleTimeRangeChange((shown) => {
    if (!shown) return;
    last = [Number(shown.from), Number(shown.to)];
    clearTimeout(told);
    told = setTimeout(() => { model.shown = last; }, 150);
  });
  chart.timeScale().subscribeVisibleLogicalRangeChange((shown) => {
    const near = shown !== null && shown.to - shown.from <= SPELLED;  // texts of many trades would cover each other
    if (near === spelled) return;
    spelled = near;
    setMarkers();
  });
  chart.subscribeCrosshairMove((move) => { say(move.time, move.seriesData); tell(move); });
  host.addEventListener("fullscreenchange", () => { full.textContent = fullScreen() === host ? "Leave full screen" : "Full screen"; });
  const moved = () => press("");
  for (const kind of ["wheel", "pointerdown", "keydown"]) body.addEventListener(kind, moved, {passive: true});
  chart.subscribeClick((click) => { if (click.time !== undefined) model.clicked = Number(click.time); });

  // The ground of a page changes in a transition, and the classes of its root come and go meanwhile: look again.
  let looks = [];
  const look = () => {
    looks.forEach(clearTimeout);
    looks = [30, 200, 500, 1000].map((wait) => setTimeout(dress, wait));
  };
  document.body.addEventListener("transitionend", look);
  const observer = new MutationObserver(look);
  for (const node of [document.documentElement, document.body]) observer.observe(node, {attributes: true});
  model.on("candles", () => { setCandles(); setPanes(); say(); });
  model.on("log", setScale);
  model.on("panes", () => { setPanes(); say(); });
  model.on("markers", setMarkers);
  model.on("trades", setTrades);
  model.on("spans", () => bands.set(model.spans));
  model.on("window", () => { if (model.window) { chart.timeScale().setVisibleRange({from: model.window[0], to: model.window[1]}); press(""); } });
  model.on("remove", () => {
    looks.forEach(clearTimeout);
    document.body.removeEventListener("transitionend", look);
    observer.disconnect();
    chart.remove();
  });
  dress(); setCandles(); setScale(); setPanes(); setMarkers(); setTrades(); bands.set(model.spans); say();
  host.chart = chart;  // for tests in a browser
  host.trades = () => model.trades;
  el.dataset.ready = "yes";
}

export default {Chart: {render}};
