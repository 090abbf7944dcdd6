"""``sanke bench …``: what the planner and the relay can do on this machine, beside what would be used instead, as JSON."""

from __future__ import annotations

from cyclopts import App

app = App(name="bench", help="测量 / measure.")
app.command("api.cli.bench.plan:plan", name="plan")
app.command("api.cli.bench.prefecture:prefecture", name="prefecture")
app.command("api.cli.bench.repair:repair", name="repair")
app.command("api.cli.bench.county:county", name="county")
app.command("api.cli.bench.relay:relay", name="relay")
