"""The Walk-forward app: windows before anything runs, a run that can be watched, cancelled and resumed, its result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any, ClassVar

import panel as pn

from maestro.apps.notebook import in_cell
from maestro.apps.shared import studies
from maestro.apps.shared.checked_box import CheckedBox
from maestro.apps.shared.controls import StrategyControls, TradeControls, offered
from maestro.apps.shared.delivery import delivery
from maestro.apps.shared.freeze import Freeze
from maestro.apps.shared.journey import RESUME, link_to, settings_from
from maestro.apps.shared.latest import Latest
from maestro.apps.shared.page import BUTTON_STYLE, HtmlPane, Message, page
from maestro.apps.shared.series import SeriesPicker
from maestro.apps.shared.service import visitors_login
from maestro.apps.shared.state import SERIES
from maestro.apps.walk_forward import session
from maestro.apps.walk_forward.actions import ActionBar
from maestro.apps.walk_forward.following import Followed, Follower, Planned
from maestro.apps.walk_forward.job import Job
from maestro.apps.walk_forward.ranges import RangeControls
from maestro.apps.walk_forward.remote import belongs_to_service, has_job
from maestro.apps.walk_forward.runner import Runner, folder_of, in_progress, status
from maestro.apps.walk_forward.selection_form import SelectionForm
from maestro.apps.walk_forward.state import WalkForwardState
from maestro.apps.walk_forward.view import WalkForwardView
from maestro.apps.walk_forward.windows_form import WindowsForm
from maestro.bars import Bars
from maestro.errors import BarsError, MaestroError, RunCancelled
from maestro.execution.jobs import RunProgress
from maestro.reports.page.stored import report_text
from maestro.runs import RunStore
from maestro.search.runner import METHODS
from maestro.search.tpe import SEED_END
from maestro.validation.verdict.result import Verdict
from maestro.walkforward.result import WalkForward

_EVERY = 150
"""Milliseconds between two looks at a run's progress."""


class App(pn.viewable.Viewer):
    """State, controls, runner and view of one visitor."""

    State: ClassVar = WalkForwardState

    def __init__(self, bars: Bars | None = None, *, query: Mapping[str, str] | None = None, **settings: Any) -> None:
        import panel_material_ui as pmui

        super().__init__()
        self.state = self.State(**settings)
        query = dict(query or {})
        self._resume = query.pop(RESUME, "") == "true"
        self.problems = self.state.read(query)
        self.picker = SeriesPicker(self.state, bars)
        self.rule, self.trade = StrategyControls(self.state, fixed=False), TradeControls(self.state)
        wide = {"sizing_mode": "stretch_width"}
        self.ranges = RangeControls(self.state)
        self.splitter = WindowsForm(self.state, "splitter", self._fits)
        methods = offered(METHODS, self.state.search)
        self.search = pmui.Select(label="Search", options=methods, value=self.state.search, width=140)
        self.refused = Message(until=self.state)
        self.trials = self._number("trials", "Trials per fold", "give a whole number of at least 1", 140)
        self.select = SelectionForm(self.state, "select")
        self.seed = self._number("seed", "Seed", f"give a whole number from 0 to {SEED_END - 1:,}", 140)
        self.search.param.watch(lambda event: self.state.param.update(search=event.new), "value")
        self.state.param.watch(lambda event: self.search.param.update(value=event.new), "search")
        self.live = pmui.Switch(label="Follow the controls", value=True, **wide)
        self.close = pmui.Select(
            label="When this page is closed", value="resumable", **wide,
            options={"leave a run that goes on later": "resumable", "let it end": "end"},
        )  # fmt: skip
        self.actions = ActionBar()
        self.start, self.cancel = self.actions.start, self.actions.cancel
        self.judge, self.report = self.actions.judge, self.actions.report
        self.studies = pmui.Button(label="Optuna dashboard", variant="outlined", disabled=True)
        self.links = HtmlPane("", stylesheets=[BUTTON_STYLE])
        self.onward = HtmlPane("", stylesheets=[BUTTON_STYLE], margin=(4, 10), visible=False)
        self.start.on_click(lambda *_: self.begin())
        self.cancel.on_click(lambda *_: self.runner.cancel())
        self.report.on_click(lambda *_: self._report())
        self.judge.on_click(lambda *_: self._judge())
        self.studies.on_click(lambda *_: self._studies())
        self.runner, self.dashboard = Runner(), session.Dashboard()
        self.wf: WalkForward | None = None
        self.job: Job | None = None  # of the result that is shown
        self.asked: Job | None = None  # of the controls; None where they cannot be computed
        self._begun: Job | None = None  # of the run or verdict in progress, or the last one
        self._interrupted = ""  # id of the run that was cancelled
        self._status = ""  # of the run that the controls ask for
        self._watch: Any = None
        self._waiting, self._planned, self._taken_up = False, False, False
        self._deliver, self._login = delivery(), visitors_login()
        self._latest, self._follower = Latest(self._deliver), Follower(self._login)
        self.view = WalkForwardView(Freeze(self.state))
        self.state.param.watch(self._changed, [n for n in self.state.settings() if n != "runs_dir"])
        self.live.param.watch(lambda *_: self.follow(), "value")
        if self._deliver is not None:
            pn.state.on_session_destroyed(self._closed)
        self._changed()

    def settings(self) -> dict[str, Any]:
        """Return what reproduces the screen."""
        return self.state.settings()

    def _number(self, name: str, label: str, rule: str, width: int) -> Any:
        return CheckedBox(self.state, name, label, rule, self.refused, width=width).widget

    def _fits(self, splitter: str) -> None:
        """Refuse windows that the bars do not have; those that a model of regimes cuts are known when it is fitted."""
        if self.picker.bars is not None and not splitter.startswith("on-regime"):
            session.windows(splitter, self.picker.bars)

    def _changed(self, *events: Any) -> None:
        if any(event.name in SERIES for event in events):
            self.picker.load()
        if self._deliver is None:
            self.follow()
        elif not self._waiting:  # once for all changes that are waiting
            self._waiting = True
            self._deliver(self._follow_once)

    def _follow_once(self) -> None:
        self._waiting = False
        self.follow()

    def follow(self) -> None:
        """Draw the windows of the settings and, if it is quick, compute the whole result; on a page in a thread."""
        bars, problem, live = self.picker.bars, self.picker.problem, self.live.value and not self.runner.busy
        state = type(self.state)(own=self.state.own, **self.state.settings())

        def steps(cancel: threading.Event) -> Iterator[Planned | Followed]:
            if bars is None:
                raise BarsError(problem)
            yield from self._follower.steps(state, bars, live, cancel)

        self.view.working.visible = True
        self._planned = False
        self._latest.ask(steps, self._followed, self._settled)

    def _followed(self, step: Planned | Followed) -> None:
        """Show a plan, or a result."""
        if isinstance(step, Planned):
            self._planned, self.asked, self._status = True, step.job, step.status
            self.view.show_windows(step.job.bars, step.windows)
            self.splitter.tell(step.job.bars, step.windows)
            if step.problem:
                self.view.message.say(step.problem)
        elif self.runner.busy:  # a run was started in the meantime
            return
        elif step.wf is not None:
            self._show(step.wf, step.job)
        elif self.wf is None:  # with an older result, the line above it says so
            self.view.message.say(f"{self._verb()} computes these settings ({step.job.effort}).", "info")
        self._compare()

    def _settled(self, error: Exception | None) -> None:
        """All that can be shown of the settings without a start is shown."""
        self.view.working.visible = False
        if not self._planned:
            self.asked, self._status = None, ""
            self.view.hide_windows()
            self.splitter.tell()
        if error is not None:  # a user-defined strategy may raise anything, and the page goes on
            self._say(error)
        self._compare()
        self.rule.check(self.picker.bars)
        if not self._taken_up:
            self._taken_up = True
            self._take_up()
            if self.problems:  # messages on these settings follow those on the link
                self.view.message.say("; ".join(filter(None, (*self.problems, self.view.message.text))))

    def _take_up(self) -> None:
        """Continue what another page of these settings left: open its result, follow its run, or offer to resume it."""
        job = self.asked
        if job is None:
            return
        if self._status == "here":
            self.begin()
            self.view.message.say(f"Run {job.id[:8]} is in progress; this page follows it.", "info")
        elif self._status == "done" and (self.job is None or self.job.id != job.id):
            self.begin()  # loads it
        elif self._status == "interrupted" and self._resume:
            self.begin()
        elif self._status == "interrupted":
            self.view.message.say(self._unfinished(job), "info")
        elif self._status == "running":
            self.view.message.say(
                f"Another process computes run {job.id[:8]}; open this page again when it has ended.", "info"
            )
        elif self._status == "missing" and belongs_to_service(job.state):
            try:
                found = has_job(job.id, self._login)
            except MaestroError as error:
                self.view.message.say(str(error))
                return
            if found:
                self.begin()
                self.view.message.say(f"Run {job.id[:8]} is a job on the service; this page follows it.", "info")

    def _look_up(self) -> None:
        """Look whether the run that the controls ask for is stored or in progress."""
        try:
            self._status = "" if self.asked is None else status(self.asked, self._login)
        except MaestroError as error:  # its manifest is damaged
            self._status = ""
            self.view.message.say(str(error))

    def _effort(self, job: Job, verb: str) -> str:
        """Folds that are left to do, and their estimated time."""
        if verb != "Resume":
            return job.effort
        return job.effort_of(job.folds - len(RunStore(folder_of(job)).finished_folds()))

    def _unfinished(self, job: Job) -> str:
        done = len(RunStore(folder_of(job)).finished_folds())
        return f"Run {job.id[:8]} is interrupted: {done} of {job.folds} folds are finished. Resume continues it."

    def _verb(self) -> str:
        """What the button does with the run that the controls ask for."""
        if self.asked is not None and (self._status == "interrupted" or self.asked.id == self._interrupted):
            return "Resume"
        shown = self.asked is not None and self.job is not None and self.asked.id == self.job.id
        return "Open" if self._status in ("done", "here") and not shown else "Start"

    def _compare(self) -> None:
        """Say so where the controls ask for another result than the one that is shown."""
        asked, busy = self.asked, self.runner.busy
        verb = self._verb()
        self.actions.offer(verb, "" if asked is None or busy or verb == "Open" else self._effort(asked, verb))
        why = ""
        if self.job is not None and (asked is None or asked.id != self.job.id):
            why = "Computed with other settings"
            if asked is None:
                why += "; these cannot be computed."
            elif busy and self._begun is not None and self._begun.id == asked.id:
                why += "; these are being computed."
            else:
                when = " when the run in progress has ended" if busy else ""
                does = "shows" if verb == "Open" else "computes"
                why += f"; {verb} {does} these{when} ({self._effort(asked, verb)})."
        self.view.stale.mark(why)

    # -- a run that is kept -----------------------------------------------------------------

    def begin(self) -> None:
        """Start the run of these settings, or go on with it where it was interrupted."""
        if self.picker.bars is None:
            self.view.message.say(self.picker.problem)
            return
        try:
            job = Job(self.state, self.picker.bars)
        except Exception as error:  # see follow
            self._say(error)
            return
        if (other := in_progress(job, self._login)) is not None:
            self._begin(job, other, lambda: None)
            return
        new = Runner()
        self._begin(job, new, lambda: new.start(job.state, job.bars, folder=folder_of(job), login=self._login))

    def _judge(self) -> None:
        """Judge what is shown, with the bars and the strategy that it was computed with."""
        wf, job = self.wf, self.job
        if wf is not None and job is not None:
            new = Runner()
            self._begin(job, new, lambda: new.judge(wf, job.bars, job.own))

    def _begin(self, job: Job, runner: Runner, work: Callable[[], None]) -> None:
        if self.runner.busy:
            self.view.message.say("a job is running; cancel it or wait until it ends.")
            return
        try:
            work()
        except MaestroError as error:
            self.view.message.say(str(error))
            return
        self._begun, self.runner = job, runner
        runner.pages.add(self)
        self.start.disabled, self.judge.disabled, self.cancel.disabled = True, True, False
        self.view.message.say()
        self.actions.show_progress(self.runner.progress)
        self._compare()
        self._watch = pn.state.add_periodic_callback(self.look, period=_EVERY)

    def look(self) -> None:
        """Show how far the run is, and its end."""
        assert self._begun is not None
        if self.runner.ended is None:
            self.actions.show_progress(self.runner.progress)
            if isinstance(self.runner.progress, RunProgress) and not self.runner.on_service:
                self.view.finished.look(folder_of(self._begun), self._begun.folds)
            return
        result, error = self.runner.ended
        self.runner.pages.discard(self)
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        self.runner.wait(10)  # the thread has handed over its result and is about to end
        self.start.disabled, self.judge.disabled, self.cancel.disabled = False, self.wf is None, True
        self.actions.show_progress(None)
        self.view.finished.clear()
        self._look_up()
        if isinstance(result, WalkForward):
            self._interrupted = ""
            self._show(result, self._begun)
        elif isinstance(result, Verdict):
            self.view.judged(result)
            if self.view.opened.run:  # its report has a new verdict
                self._report()
        elif isinstance(error, RunCancelled):
            text = str(error)
            if isinstance(self.runner.progress, RunProgress):  # a run, not a verdict
                self._interrupted = self._begun.id
                text = text if self.runner.on_service else self._unfinished(self._begun)
            self.view.message.say(text, "warning")
        elif error is not None:
            self._say(error)
        self._compare()

    def _say(self, error: Exception) -> None:
        """Say what went wrong: an error of the library as it is, any other as the strategy's."""
        self.view.message.say(str(error) if isinstance(error, MaestroError) else self.rule.raised(error))

    def _show(self, wf: WalkForward, job: Job) -> None:
        self.wf, self.job = wf, job
        self.report.disabled = self.studies.disabled = self.judge.disabled = False
        self.links.object = ""
        self._link(wf, job)
        self.view.update(wf, job)

    def _link(self, wf: WalkForward, job: Job) -> None:
        """Lead to the backtest of the parameters that the last fold chose."""
        choice = session.last_choice(wf, job.own)
        settings = {**settings_from(self.state), **settings_from(job.state), "params": choice}
        address = escape(link_to("backtest", settings))
        text = f"<a class='button' href='{address}'>Backtest the last fold's choice</a>"
        self.onward.param.update(object=text, visible=choice is not None)

    def _report(self) -> None:
        """Open the report of what is shown, in a tab of its own."""
        if self.wf is not None:
            self.view.opened.put(report_text(self.wf), self.wf.id)

    def _studies(self) -> None:
        """Serve the run's studies by optuna-dashboard, and link to it."""
        if self.wf is not None:
            address = self.dashboard.open(self.wf, below=self._deliver is not None and studies.served())
            self.links.object = f"<a class='button' href='{address}' target='_blank'>Open the Optuna dashboard</a>"

    def _closed(self, *_: Any) -> None:
        """The page was closed: its run is interrupted unless it shall end or another page follows it."""
        if self.close.value == "resumable":
            self.runner.leave(self)
        else:
            self.runner.pages.discard(self)
        self._latest.stop()
        self.dashboard.stop()
        self.view.decision.stop()

    def _controls(self) -> list[Any]:
        return [
            self.picker, self.rule, self.ranges, self.splitter, pn.Row(self.search, self.trials), self.seed,
            self.refused, self.select, self.trade, self.live, self.onward, self.studies, self.links, self.close,
        ]  # fmt: skip

    def page(self) -> Any:
        """Page of a served app."""
        return page("walk_forward", self._controls(), [self.actions, self.view], self.state)

    def __panel__(self) -> Any:
        shown = pn.Column(self.actions, self.view, sizing_mode="stretch_width")
        return in_cell(self._controls(), shown)
