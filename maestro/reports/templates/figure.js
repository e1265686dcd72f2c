(function () {
  const place = document.getElementById("PLACE");
  const stored = document.querySelector('script[data-at="PLACE"]');
  const began = Date.now();
  (function draw() {
    if (window.Bokeh && place.isConnected) {
      Bokeh.set_log_level("warn");
      const items = [{ docid: "d", roots: { "ROOT": "PLACE" }, root_ids: ["ROOT"] }];
      Bokeh.embed.embed_items({ d: JSON.parse(stored.textContent) }, items);
    } else if (Date.now() - began > 60000) {
      place.textContent = "This figure needs the cell above that shows the first one: run it again.";
    } else {
      setTimeout(draw, 50);
    }
  })();
})();
