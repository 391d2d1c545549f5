"""The report: figures and one page, made from plain data.

`data` says what can be shown; `page.render` makes the page, `figures.write_figures` the SVG files
and `figures.headline` the figure for a README. Anything may be missing: the page then says so.
Drawing needs matplotlib, which is why nothing is imported here.
"""
