"""Reading a written page as a browser would: what it fetches, what it shows as text, which tags it has."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """References, text and identifiers of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self._within: list[str] = []
        self.styles = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("script", "style"):
            self._within.append(tag)
        for name, value in attrs:
            value = value or ""
            if name == "id":
                self.ids.append(value)
            if name.startswith("on"):
                self.handlers.append(f"{tag} {name}={value}")
            if name == "style":
                self.styles += value
            if name in ("src", "srcset", "poster", "data", "background") or (name == "href" and tag == "link"):
                self.fetched.append(value)
            elif name in ("href", "action", "formaction"):
                self.links.append(value)

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.text += data
        elif self._within[-1] == "style":
            self.styles += data

    def remote(self) -> list[str]:
        """What a browser would fetch from elsewhere when it opens the page."""
        urls = self.fetched + re.findall(r"url\(\s*['\"]?([^'\")]+)", self.styles)
        urls += re.findall(r"@import\s+['\"]?([^'\";]+)", self.styles)
        return [url for url in urls if not url.startswith(("data:", "#"))]
