"use strict";
for (const [column, head] of document.querySelectorAll("#reports th").entries()) {
  head.querySelector("button").addEventListener("click", () => {
    const body = document.querySelector("#reports tbody");
    // Figures are read from the largest down, words from A up.
    const usual = head.classList.contains("num") && column > 0 ? "descending" : "ascending";
    const other = usual === "ascending" ? "descending" : "ascending";
    const way = head.getAttribute("aria-sort") === usual ? other : usual;
    for (const each of document.querySelectorAll("#reports th")) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    const value = (row) => {
      // The error of a report that failed stands in place of all its figures.
      const whole = row.cells.length === row.closest("table").tHead.rows[0].cells.length;
      const cell = whole || column < 3 ? row.cells[column] : null;
      if (!cell) return "";
      const text = cell.dataset.value ?? cell.textContent.trim();
      return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
    };
    const rank = (x) => (typeof x === "number" ? 0 : x === "" || x === "–" ? 2 : 1); // what is missing comes last
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (rank(x) !== rank(y)) return rank(x) - rank(y);
      const order = typeof x === "number" ? x - y : x.localeCompare(y);
      return way === "ascending" ? order : -order;
    });
    body.append(...rows);
  });
}
