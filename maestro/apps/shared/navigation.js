// Shows another page in place of the one that is open, and keeps that one for the way back; see navigation.py.
const {ClientConnection, pull_session} = Bokeh.require("client/connection")

const pages = new Map() // pathname: {model, connection, document, places, title, top}
let shown // pathname of the page that is open
let latest = 0 // number of the last visit; one that is overtaken by another is given up
let drawing = false // a page that has just been opened

function install() {
  shown = location.pathname
  pages.set(shown, {places: roots(document), document: Bokeh.documents[0]})
  document.addEventListener("click", (event) => {
    const link = target(event)
    if (!link) return
    event.preventDefault()
    link.node.classList.add("opening")
    void visit(link.url, {forward: true, again: link.menu}).finally(() => link.node.classList.remove("opening"))
  })
  window.addEventListener("popstate", () => {
    if (location.pathname === shown) return
    if (drawing) location.reload() // what is being drawn believes that the address is its own
    else void visit(new URL(location.href), {forward: false, again: true})
  })
}

const roots = (page) => [...page.querySelectorAll("[data-root-id]")]
const name = (pathname) => pathname.slice(pathname.lastIndexOf("/") + 1)
const folder = (pathname) => pathname.slice(0, pathname.lastIndexOf("/") + 1)
const scroller = (page) => find(page.places[0], ".main-content")
const alive = (page) => page?.connection?.socket?.readyState === WebSocket.OPEN

// The page to which a plain click leads, and whether by the menu, which leads back to pages that are kept; or null.
function target(event) {
  if (event.defaultPrevented || event.button !== 0) return null
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return null
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement && node.href)
  if (!link || link.hasAttribute("download") || !["", "_self"].includes(link.target)) return null
  const url = new URL(link.href)
  const near = url.origin === location.origin && folder(url.pathname) === folder(location.pathname)
  if (!near || !pages.get(shown).model?.pages.includes(name(url.pathname))) return null
  return {node: link, url, menu: Boolean(link.closest("nav"))}
}

// Token and places of the roots of a page, or null where it has to be loaded as usual. Nothing is fetched before the
// click: making a page computes its result, and what is computed counts as tried.
async function read(url) {
  try {
    const response = await fetch(url, {credentials: "same-origin"})
    if (!response.ok || response.redirected) return null
    const page = new DOMParser().parseFromString(await response.text(), "text/html")
    const source = (script) => script.hasAttribute("src") && new URL(script.getAttribute("src"), url).href
    const loaded = new Set([...document.scripts].map((script) => script.src))
    if ([...page.scripts].map(source).some((one) => one && !loaded.has(one))) return null
    const text = [...page.scripts].map((script) => script.textContent).join("\n")
    const items = /const render_items = (\[.*\]);/.exec(text)
    return items && {item: JSON.parse(items[1])[0], places: roots(page), title: page.title}
  } catch {
    return null // the browser says what is wrong when it loads the address
  }
}

async function visit(url, {forward, again}) {
  const turn = ++latest
  const kept = pages.get(url.pathname)
  if (again && url.pathname !== shown && alive(kept)) {
    hide()
    if (forward) history.pushState({}, "", url)
    shown = url.pathname
    for (const place of kept.places) place.style.display = "contents"
    document.title = kept.title
    scroller(kept)?.scrollTo(0, kept.top)
    focusHeading(kept)
    window.dispatchEvent(new CustomEvent("maestro-shown", {detail: {path: shown, forward}}))
    return
  }
  const page = await read(url)
  if (turn !== latest) return
  const session = page && await connect(url, page.item.token)
  if (turn !== latest) return session?.close()
  if (!session) return forward ? location.assign(url) : location.reload()
  hide()
  if (forward) history.pushState({}, "", url)
  close(kept)
  shown = url.pathname
  pages.set(shown, {places: page.places, document: session.document})
  drawing = true
  // What is changed before all is drawn would be lost on the server, as behind the spinner of a page load.
  for (const place of page.places) place.inert = true
  document.body.prepend(...page.places)
  document.title = page.title
  const at = page.item.root_ids.map((id) => page.places.find((place) => place.id === page.item.roots[id]))
  const drawn = () => {
    drawing = false
    for (const place of page.places) place.inert = false
    focusHeading(page)
  }
  session.document.idle.connect(drawn)
  await Bokeh.embed.add_document_standalone(session.document, document.body, at)
  if (session.document.is_idle) drawn()
}

function connect(url, token) {
  const socket = new URL(`${url.pathname.replace(/\/$/, "")}/ws`, url)
  socket.protocol = url.protocol === "https:" ? "wss:" : "ws:"
  return pull_session(socket.href, token, url.search.slice(1)).catch(() => null)
}

// Take the page that is open off the window. It lives on, unless it is one that is made anew each time.
function hide() {
  const page = pages.get(shown)
  page.connection ??= connected(page)
  let focused = document.activeElement
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement
  focused?.blur()
  page.title = document.title
  page.top = scroller(page)?.scrollTop ?? 0
  for (const place of page.places) place.style.display = "none" // out of the document, Material UI would lose its styles
  if (!page.model?.kept) close(page)
}

// Continue with Tab at the beginning of the page; screen readers say where they are.
function focusHeading(page) {
  const heading = page.places.map((place) => find(place, "h1")).find(Boolean)
  if (!heading || document.activeElement !== document.body) return
  heading.tabIndex = -1
  heading.focus()
}

function find(root, selector) {
  for (const node of root.querySelectorAll("*")) {
    if (node.matches(selector)) return node
    const inner = node.shadowRoot && find(node.shadowRoot, selector)
    if (inner) return inner
  }
  return null
}

function close(page) {
  const path = [...pages.keys()].find((one) => pages.get(one) === page)
  if (path === undefined) return // none, or closed already
  pages.delete(path)
  page.connection?.close()
  for (const place of page.places) place.remove()
  if (!page.document) return
  for (const root of [...page.document.roots()]) page.document.remove_root(root)
  Bokeh.documents.splice(Bokeh.documents.indexOf(page.document), 1)
}

// Connection of the page that is open: Bokeh does not show it, so it is found by what is sent.
function connected(page) {
  const send = ClientConnection.prototype.send
  let found = null
  ClientConnection.prototype.send = function (message) {
    found = this
    return send.call(this, message)
  }
  try {
    if (page.model) page.model.left = true
  } finally {
    ClientConnection.prototype.send = send
  }
  return found
}

export function render({model}) {
  if (!window.maestroNavigation) {
    install()
    window.maestroNavigation = {enter: (one) => { pages.get(shown).model = one }} // each page has this module anew
  }
  window.maestroNavigation.enter(model)
  return document.createElement("span")
}
