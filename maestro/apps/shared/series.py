"""Which bars an app shows: a sample, a stored series, or a file that was dropped in."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from typing import Any

import panel as pn
import param
from panel_material_ui import FileInput

from maestro._core.atomic import remove_leftovers, write_atomic
from maestro.apps.shared.access import refuse_data
from maestro.apps.shared.checked_box import CheckedBox
from maestro.apps.shared.page import HtmlPane, Message
from maestro.apps.shared.state import SERIES, SeriesState
from maestro.bars import Bars
from maestro.bars.loading import load, samples
from maestro.bars.moments import as_us
from maestro.config import load_settings
from maestro.data.files.reading import file_symbols
from maestro.errors import BarsError, MaestroError

UPLOAD_LIMIT = 64 * 2**20
"""Bytes that a file dropped into an app may have."""
UPLOADS_KEPT = 1024 * 2**20
"""Bytes of all uploads together; the oldest ones make room for a new one."""
_ENDINGS = (".csv", ".csv.gz", ".parquet", ".zip")


def listed() -> tuple[list[str], str]:
    """Names that `ms.load` understands, and why those of the store are not among them where it cannot be reached."""
    from maestro.data.stores import configured_store

    found = [f"sample:{name}" for name in samples()["name"]]
    try:
        stored = [str(info.key) for info in configured_store().series() if info.key.series == "bars"]
    except (MaestroError, OSError) as error:
        return found, f"The store cannot be read: {error}"[:300]
    return [*stored, *found], ""


def keep_upload(name: str, content: bytes) -> Path:
    """Keep a file that came from a browser, in a folder named by its content; nothing of it is executed.

    All uploads together have `UPLOADS_KEPT` bytes at most; those that were unused for longest are removed. Of its name
    stay letters, digits and ``_.-``, so that it can lead to no other place.

    Raises
    ------
    BarsError
        Too large, or not CSV or Parquet by its name.
    """
    if len(content) > UPLOAD_LIMIT:
        raise BarsError(
            f"the file has {len(content) / 2**20:,.0f} MB; up to {UPLOAD_LIMIT / 2**20:,.0f} are taken here. "
            "Larger ones: maestro data import FILE."
        )
    ending = next((one for one in _ENDINGS if name.lower().endswith(one)), None)
    if ending is None:
        raise BarsError(
            f"{name[:80]!r} is not a file of bars; give {', '.join(_ENDINGS)}. Save a sheet of a "
            "spreadsheet as CSV; other formats: maestro data import FILE."
        )
    if not content:
        raise BarsError(f"{name[:80]!r} is empty; give a file with one row per bar.")
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", name[: -len(ending)].replace("\\", "/").rsplit("/", 1)[-1]).strip("._-")
    folder = load_settings().state_dir / "uploads" / hashlib.sha256(content).hexdigest()[:16]
    path = folder / f"{stem[:60] or 'file'}{ending}"
    if path.exists():
        path.touch()  # used again: among the last to be removed
    else:
        _make_room(folder.parent, len(content))
        write_atomic(path, content)
    return path


def _make_room(uploads: Path, size: int) -> None:
    """Remove the uploads that were unused for longest until another one of a size fits into `UPLOADS_KEPT`."""
    found = sorted(
        (status.st_mtime, status.st_size, path) for path in uploads.glob("*/*")
        if path.name.endswith(_ENDINGS) and path.is_file() and not path.is_symlink() for status in [path.stat()]
    )  # fmt: skip
    total = size + sum(length for _, length, _ in found)
    for _, length, path in found:
        if total <= UPLOADS_KEPT:
            break
        path.unlink(missing_ok=True)
        total -= length


def clear_uploads() -> None:
    """Remove parts of uploads and of bars handed to apps that killed processes left behind."""
    for kind in ("uploads", "bars"):
        for folder in (load_settings().state_dir / kind).glob("*/"):
            remove_leftovers(folder)


def settings_of(bars: Bars) -> dict[str, str | None]:
    """Data, start and end that give bars again which were handed to an app.

    Bars that no single call of `ms.load` gives (cut, resampled, from a frame) are kept as a file in a folder named by
    all that it holds: rows alone do not distinguish bars of 252 days per year from those of 365.
    """
    from maestro.bars.source_line import named

    if found := named(bars.origin):
        return found
    held = (bars.fingerprint, bars.name, bars.periods_per_year, bars.synthetic, bars.notes, bars.outages)
    folder = load_settings().state_dir / "bars" / hashlib.sha256(repr(held).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', bars.name)[:60].strip('._-') or 'bars'}.parquet"
    if not path.exists():
        bars.write_parquet(path)
    return {"data": str(path), "start": None, "end": None}


def _day(text: str | None) -> date | None:
    """First day of a moment such as 2020, 2020-06 or 2020-06-01 12:00; None for none, or for a text that is not one."""
    try:
        return None if text is None else datetime.fromtimestamp(as_us(text) / 1e6, UTC).date()
    except MaestroError:  # the page says so where the bars are loaded
        return None


def _label(name: str) -> str:
    """How a series is called in the list: a file by its name alone."""
    return f"File: {Path(name).name}" if name.lower().endswith(_ENDINGS) else name


def _parts(data: str) -> tuple[str, str]:
    """File and symbol of ``prices.csv#ETHUSD``; any other name, and no symbol."""
    file, _, symbol = data.partition("#")
    return (file, symbol) if symbol and file.lower().endswith(_ENDINGS) else (data, "")


def _read(data: str, **options: Any) -> tuple[Bars | None, str]:
    """Bars of a name, or why there are none; never with the folder in which an upload is kept."""
    try:
        return load(data, **options), ""
    except MaestroError as error:
        problem = str(error)
    except OSError as error:
        problem = f"{data} cannot be read: {error.strerror or error}."
    except Exception as error:  # what a file from outside does to a reader is not known beforehand
        problem = f"{data} cannot be read as bars ({type(error).__name__}: {error}); is it one of them?"
    file, _ = _parts(data)
    kept = Path(file).parent.is_relative_to(load_settings().state_dir)
    return None, problem.replace(file, Path(file).name) if kept else problem


class Upload(FileInput):
    """A file drop area; `refused` says why one was refused. Browser and server both count its bytes.

    Panel has no public option that limits what the server accepts, so its handler of messages is extended, and answers
    the browser as it does.
    """

    refused = param.String(default="", doc="Why the last file was not taken.")
    _taken = 0

    def _handle_msg(self, msg: Any) -> None:
        status = msg["status"]
        if status == "initializing":
            self._taken, self.refused = 0, ""
            self.value = None  # the same file again is a change too
        self._taken += len(msg.get("data", b"")) if status == "upload_event" else 0
        if self._taken > UPLOAD_LIMIT:
            self._file_buffer.clear()
            status, msg = "error", {"error": f"more than {UPLOAD_LIMIT // 2**20} MB were sent"}
        if status == "finished" and not self._taken:
            msg = {"error": "the file is empty; give one with a row per bar"}
        elif status != "error":
            super()._handle_msg(msg)
        if status == "error" or "error" in msg:
            larger = " Larger files: maestro data import FILE." if self._taken or status != "finished" else ""
            self.refused = f"{str(msg.get('error'))[:200]}.{larger}"
        if self.refused and status in ("finished", "error"):
            self._send_msg({"status": "error", "error": self.refused})  # else the box goes on turning


class SeriesPicker(pn.viewable.Viewer):
    """Controls that choose the bars of a state; `bars` is None while there are none, and `problem` says why."""

    def __init__(self, state: SeriesState, bars: Bars | None = None) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.state, self.given, self.problem = state, bars, ""
        self._writing = False
        self._symbols: dict[str, list[str]] = {}
        self.bars: Bars | None = bars
        if bars is not None:
            state.param.update(periods_per_year=None, **settings_of(bars))
        found, self.lacking = listed()
        names, (file, symbol) = {name: name for name in found}, _parts(state.data)
        if file not in names:
            names = {_label(file): file, **names}
        self.name_box = pmui.Select(label="Series", options=names, value=file, sizing_mode="stretch_width")
        self.symbol = pmui.Select(
            label="Symbol", options=[symbol] if symbol else [], value=symbol or None, visible=bool(symbol),
            sizing_mode="stretch_width",
        )  # fmt: skip
        dates: dict[str, Any] = {"clearable": True, "size": "small", "width": 308}
        self.start = pmui.DatePicker(label="From", value=_day(state.start), **dates)
        self.end = pmui.DatePicker(label="Before", value=_day(state.end), **dates)
        rule = "give a number above 0, such as 252 or 365, or nothing for the market's own number"
        self.refused = Message(margin=(4, 10), until=state)
        self.per_year = CheckedBox(
            state, "periods_per_year", "Bars per year", rule, self.refused, size="small", sizing_mode="stretch_width",
            placeholder="the market's own",
        ).widget  # fmt: skip
        label = "Drop a file here, or choose one"  # the list says which file was taken
        self.file = Upload(  # any ending: the browser would refuse a file without a word
            label=label, uploaded_label=label, color="default",
            variant="outlined", max_file_size=UPLOAD_LIMIT, chunk_size=4 * 2**20, sizing_mode="stretch_width",
        )  # fmt: skip
        self.file.param.watch(self._uploaded, "value")
        self.upload_problem = Message(margin=(4, 10), until=state)
        self.file.param.watch(lambda event: self.upload_problem.say(event.new), "refused")
        self.name_box.param.watch(lambda event: self._choose(event.new), "value")
        self.symbol.param.watch(lambda event: self._choose(self.name_box.value, event.new), "value")
        for name in ("start", "end"):
            box = getattr(self, name)
            box.param.watch(lambda event, name=name: self._limit(name, event.new), "value")
            state.param.watch(lambda event, box=box: box.param.update(value=_day(event.new)), name)
        state.param.watch(lambda event: self._follow(event.new), "data")
        self.load()

    def load(self) -> Bars | None:
        """Load what the state names; on failure `bars` is None and `problem` says what to do."""
        if self.given is not None:
            return self.bars
        if refusal := refuse_data(self.state.data):
            self.bars, self.problem = None, refusal
            return None
        range_and_year = {name: getattr(self.state, name) for name in SERIES[1:]}
        self.bars, self.problem = _read(self.state.data, **range_and_year)
        self._offer_symbols()
        return self.bars

    def _offer_symbols(self) -> None:
        """Show a box with the symbols of a file that has several."""
        file, symbol = _parts(self.state.data)
        if not symbol and self.bars is not None:
            self.symbol.visible = False
            return
        known = self._symbols_of(file)
        if len(known) > 1:
            self._writing = True
            first = "choose one of the file"
            options = {one: one for one in known} | ({} if symbol in known else {first: symbol})
            self.symbol.param.update(options=options, value=symbol, visible=True)
            self._writing = False
            if not symbol:
                self.problem = f"{Path(file).name} holds {len(known)} symbols; choose one in the box Symbol."
        else:
            self.symbol.visible = False

    def _symbols_of(self, file: str) -> list[str]:
        """Symbols of a file of several; none of anything else."""
        if file not in self._symbols and file.lower().endswith(_ENDINGS) and os.path.isfile(file):
            try:
                self._symbols[file] = file_symbols(Path(file))
            except Exception:  # `problem` says what is wrong with the file
                self._symbols[file] = []
        return self._symbols.get(file, [])

    def _choose(self, file: str, symbol: str | None = None) -> None:
        """Take a series of the list, or another symbol of a file."""
        if not self._writing and (symbol is not None or file != _parts(self.state.data)[0]):
            self.state.data = f"{file}#{symbol}" if symbol else file

    def _limit(self, name: str, day: date | None) -> None:
        """Take a date; a more precise moment of a link stays until another date is chosen."""
        if day != _day(getattr(self.state, name)):
            setattr(self.state, name, None if day is None else day.isoformat())

    def _follow(self, data: str) -> None:
        name, _ = _parts(data)
        if name not in self.name_box.options.values():
            label = _label(name)
            taken = label in self.name_box.options  # another file of that name
            self.name_box.options = {name if taken else label: name, **self.name_box.options}
        self.name_box.value = name

    def _uploaded(self, event: Any) -> None:
        if not event.new:
            return
        try:
            data = str(keep_upload(str(self.file.filename), event.new))
        except BarsError as error:
            self.file.refused = str(error)
            return
        except OSError as error:  # a full disk
            self.file.refused = f"the file cannot be kept on the server: {error.strerror or error}."
            return
        bars, problem = _read(data)  # all of it: the range may be that of another series
        if bars is None and len(self._symbols_of(data)) < 2:
            self.file.refused = problem
        else:
            self.state.data = data

    def __panel__(self) -> Any:
        if self.given is not None:
            return HtmlPane("")
        return pn.Column(
            self.name_box, self.symbol, self.start, self.end, self.per_year, self.refused, self.file,
            self.upload_problem,
            HtmlPane(
                f"CSV or Parquet, up to {UPLOAD_LIMIT // 2**20} MB; it stays on this machine.",
                styles={"opacity": ".7", "font-size": "12px"}, margin=(0, 10, 10, 10),
            ),
            HtmlPane(escape(self.lacking), visible=bool(self.lacking), margin=(8, 10)), sizing_mode="stretch_width",
        )  # fmt: skip
