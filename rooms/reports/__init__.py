"""The bureau's figures over a scope and a period; every figure opens the rows that make it.

`figures(session, scope, period, now)` → list of `Figure`; `figure_rows(session, key, scope, period, now)` → the `SideRow`s whose
number is the figure's value. `quota_table`, `coverage_table`, `participation` and `exceptions` likewise carry their rows.
"""
