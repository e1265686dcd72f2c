"use strict";
(function () {
  const root = document.documentElement;
  const swaps = JSON.parse(document.getElementById("swaps").textContent);
  const toDark = new Map(Object.entries(swaps));
  const toLight = new Map(Object.entries(swaps).map(([a, b]) => [b, a]));
  const system = matchMedia("(prefers-color-scheme: dark)");
  let shown = "light"; // how the figures are coloured now

  const wanted = () => root.dataset.theme || (system.matches ? "dark" : "light");

  function recolour(value, map) {
    if (typeof value === "string") return map.get(value.toLowerCase());
    if (Array.isArray(value) && value.some((v) => typeof v === "string" && map.has(v.toLowerCase())))
      return value.map((v) => (typeof v === "string" && map.get(v.toLowerCase())) || v);
    if (value && typeof value === "object" && typeof value.value === "string") {
      const fresh = map.get(value.value.toLowerCase());
      return fresh && { ...value, value: fresh };
    }
    return undefined;
  }

  function paint(theme) {
    if (theme === shown || !window.Bokeh) return;
    const map = theme === "dark" ? toDark : toLight;
    for (const doc of Bokeh.documents) {
      for (const model of doc._all_models.values()) {
        const fresh = {};
        for (const property of Object.values(model.properties)) {
          let value;
          try { value = property.get_value(); } catch { continue; } // a property that was never set has none
          if (property.attr === "data" && value) {
            const columns = value instanceof Map ? [...value] : Object.entries(value);
            const painted = columns.map(([k, v]) => [k, recolour(v, map) || v]);
            if (painted.some(([, v], i) => v !== columns[i][1]))
              fresh.data = value instanceof Map ? new Map(painted) : Object.fromEntries(painted);
            continue;
          }
          const now = recolour(value, map);
          if (now !== undefined) fresh[property.attr] = now;
        }
        if (Object.keys(fresh).length) model.setv(fresh);
      }
    }
    shown = root.dataset.painted = theme; // the print style turns dark figures light by this
  }

  function label() {
    const button = document.querySelector("button.theme");
    button.textContent = wanted() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", "Switch to " + (wanted() === "dark" ? "light" : "dark") + " colours");
  }

  function apply() { paint(wanted()); label(); }

  document.querySelector("button.theme").addEventListener("click", () => {
    root.dataset.theme = wanted() === "dark" ? "light" : "dark";
    apply();
  });
  system.addEventListener("change", apply);

  for (const block of document.querySelectorAll(".code")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", () =>
      navigator.clipboard.writeText(block.querySelector("code").textContent).then(() => {
        button.textContent = "Copied";
        setTimeout(() => (button.textContent = "Copy"), 1500);
      }));
    block.append(button);
  }
  label();

  const items = JSON.parse(document.getElementById("items").textContent);
  if (!window.Bokeh || !items.length) return;
  Bokeh.set_log_level("warn");
  let text = document.getElementById("documents").textContent;
  if (wanted() === "dark") {
    for (const [light, dark] of toDark) text = text.replaceAll('"' + light + '"', '"' + dark + '"');
    shown = root.dataset.painted = "dark";
  }
  const documents = JSON.parse(text);
  if (matchMedia("(pointer: coarse)").matches) {
    // A finger that scrolls the page over a figure must not zoom it.
    const calm = (node) => {
      if (Array.isArray(node)) return node.forEach(calm);
      if (!node || typeof node !== "object") return;
      if (node.name === "Toolbar" && node.attributes) node.attributes.active_drag = null;
      Object.values(node).forEach(calm);
    };
    calm(documents);
  }
  Bokeh.embed.embed_items(documents, items).then(() => {
    root.dataset.figures = "drawn";
    apply();
  });
})();
