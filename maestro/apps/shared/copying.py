"""A button that copies a text to the visitor's clipboard."""

from __future__ import annotations

from typing import Any

import param
from panel.custom import JSComponent


class CopyButton(JSComponent):
    """Copies `text`; its own text says so for a moment.

    Parameters
    ----------
    text : str
    label : str
        ``Copy the link``.
    """

    text: str = param.String(default="")  # type: ignore[assignment]
    label: str = param.String(default="Copy")  # type: ignore[assignment]

    _esm = """
    export function render({model}) {
      const button = document.createElement("button");
      button.type = "button";
      button.style.cssText = "font: inherit; font-size: 13px; font-weight: 500; padding: 8px 14px; cursor: pointer;"
        + "border: 1px solid currentColor; border-radius: 4px; background: none; color: inherit;";
      button.setAttribute("aria-live", "polite");
      const name = () => { button.textContent = model.label; };
      // Without a secure context (plain HTTP of another machine) browsers have no clipboard.
      const byHand = () => {
        const area = document.createElement("textarea");
        area.value = model.text;
        area.style.position = "fixed";
        area.style.opacity = "0";
        document.body.append(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        button.focus();
        return done;
      };
      button.onclick = async () => {
        let done = true;
        try { await navigator.clipboard.writeText(model.text); } catch { done = byHand(); }
        button.textContent = done ? "Copied" : "Select the text and copy it";
        setTimeout(name, 1500);
      };
      model.on("label", name);
      name();
      return button;
    }
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(margin=(8, 10), **params)
