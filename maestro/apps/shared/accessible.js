// Makes what Panel, Material UI, Bokeh and Tabulator draw usable by keyboard and by screen readers; see accessible.py.
const MENDS = [
  [".bk-header:has(.bk-tab)", tabs],
  [".tabulator", table],
  [".tabulator-cell[tabindex]", (cell) => cell.removeAttribute("tabindex")],
  ["[role=progressbar]:not([aria-label], [aria-labelledby])", (bar) => bar.setAttribute("aria-label", "Progress")],
  ["div[aria-label='Resize sidebar']", (handle) => handle.setAttribute("role", "separator")],
  ["span[aria-label]:empty:not([role])", (hint) => hint.setAttribute("role", "note")],
  [".tabulator-col.empty", (filler) => filler.setAttribute("aria-hidden", "true")],
  [".MuiSelect-select[role=combobox]", select],
  ["[role=listbox] > [role=menuitem]", option],
  [".MuiToolbar-root > h5", (space) => space.textContent.trim() || space.setAttribute("aria-hidden", "true")],
]

function mend(element) {
  for (const [selector, work] of MENDS) if (element.matches(selector)) work(element)
  if (element.shadowRoot) watch(element.shadowRoot)
}

function mendAll(root) {
  for (const element of root.querySelectorAll("*")) mend(element)
}

const seen = new WeakSet()
const observer = new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) {
      if (node.nodeType !== Node.ELEMENT_NODE || !node.isConnected) continue
      mend(node)
      mendAll(node)
      if (node.matches(".bk-tab")) tabs(node.closest(".bk-header"))
    }
  }
  restore?.()
})

// Bokeh makes tabs anew when one was opened, Tabulator the buttons of its pages, or disables the one that was pressed.
// `restore` gives the focus to what stands in their place, until the next thing that a visitor does.
let restore = null
for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, () => { restore = null }, true)

function keepFocus(root, find) {
  restore = () => {
    const focused = root.activeElement
    if (!focused || focused.disabled) find()?.focus()
  }
}

function watch(root) {
  if (seen.has(root)) return
  seen.add(root)
  observer.observe(root, {childList: true, subtree: true, attributeFilter: ["disabled"]})
  mendAll(root)
}

// -- selects: Enter, Space and the arrows open -------------------------------------------------

const selects = new WeakSet()

function select(box) {
  if (selects.has(box)) return
  selects.add(box)
  box.addEventListener("keydown", (event) => {
    if (!["Enter", " ", "ArrowDown", "ArrowUp"].includes(event.key) || box.matches("[aria-expanded=true]")) return
    event.preventDefault()
    box.click()
  })
}

function option(item) {
  item.setAttribute("role", "option")
  item.setAttribute("aria-selected", item.matches(".Mui-selected, [tabindex='0']"))
}

// -- tabs: arrows, Home and End move, Enter and Space open ------------------------------------

const followed = new WeakSet()

function tabs(header) {
  const found = () => [...header.querySelectorAll(".bk-tab")]
  const describe = () => {
    const focused = header.getRootNode().activeElement
    const all = found()
    const stop = all.includes(focused) ? focused : all.find((tab) => tab.matches(".bk-active")) ?? all[0]
    for (const tab of all) {
      tab.setAttribute("role", "tab")
      tab.setAttribute("aria-selected", tab.matches(".bk-active"))
      tab.tabIndex = tab === stop ? 0 : -1
    }
  }
  describe()
  if (followed.has(header)) return
  followed.add(header)
  header.firstElementChild.setAttribute("role", "tablist")
  new MutationObserver(describe).observe(header, {subtree: true, attributeFilter: ["class"]})
  header.addEventListener("click", (event) => {
    const at = found().indexOf(event.target.closest(".bk-tab"))
    const root = header.getRootNode()
    keepFocus(root, () => root.querySelectorAll(".bk-tab")[at])
  })
  header.addEventListener("focusin", describe)
  header.addEventListener("focusout", () => requestAnimationFrame(describe))
  header.addEventListener("keydown", (event) => {
    const all = found()
    const at = all.indexOf(event.target)
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return
    const to = {
      ArrowRight: (at + 1) % all.length, ArrowLeft: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1,
    }[event.key]
    if (to !== undefined) all[to].focus()
    else if (event.key === "Enter" || event.key === " ") event.target.click()
    else return
    event.preventDefault()
    event.stopPropagation()
  })
}

// -- tables: arrows move between rows and headers, Enter and Space click ----------------------

let ids = 0

function table(element) {
  const head = element.querySelector(":scope > .tabulator-header")
  const body = element.querySelector(":scope > .tabulator-tableholder")
  if (!head || !body) return setTimeout(() => element.isConnected && table(element), 50) // it is being built
  element.removeAttribute("role")
  element.removeAttribute("aria-owns")
  head.id ||= `maestro-head-${ids++}`
  body.setAttribute("role", "grid")
  body.setAttribute("aria-owns", head.id)
  body.setAttribute("aria-label", "Table")
  if (followed.has(body)) return
  followed.add(body)
  element.addEventListener("keydown", (event) => move(event, head, body))
  const foot = element.querySelector(":scope > .tabulator-footer")
  foot?.addEventListener("click", (event) => {
    const page = event.target.closest("button")?.dataset.page
    keepFocus(foot.getRootNode(), () => foot.querySelector(`button[data-page="${page}"]:not(:disabled)`)
      ?? foot.querySelector("button.active:not(:disabled)"))
  })
}

function move(event, head, body) {
  const row = event.target.closest(".tabulator-row")
  const column = event.target.closest(".tabulator-col")
  if (event.target.matches("input, button") || event.ctrlKey || event.altKey || event.metaKey) return
  const shown = (list) => [...list].filter((one) => one.offsetWidth > 1)
  const rows = shown(body.querySelectorAll(".tabulator-row"))
  const columns = shown(head.querySelectorAll(".tabulator-col.tabulator-sortable"))
  const at = rows.indexOf(row)
  const place = columns.indexOf(column)
  let to
  if (event.key === "ArrowDown") to = row ? rows[at + 1] : rows[0]
  else if (event.key === "ArrowUp") to = row ? rows[at - 1] ?? columns[0] : null
  else if (event.key === "ArrowRight" && column) to = columns[place + 1]
  else if (event.key === "ArrowLeft" && column) to = columns[place - 1]
  else if ((event.key === "Enter" || event.key === " ") && (row || column)) {
    const cell = column ?? row.querySelector(".tabulator-cell[tabulator-field]:not([style*='display: none'])")
    cell.click()
    to = event.target
  } else return
  event.preventDefault()
  if (!to) return
  to.tabIndex = -1
  to.focus({preventScroll: false})
}

export function render() {
  if (!window.maestroAccessible) {
    window.maestroAccessible = true
    watch(document)
  }
  return document.createElement("span")
}
