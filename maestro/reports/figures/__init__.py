"""Figures of reports, notebooks and apps, drawn with Bokeh."""
