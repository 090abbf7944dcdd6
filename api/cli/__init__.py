"""The command line: ``sanke …``. Every command lives in a module of its own and is loaded when it is called."""

from __future__ import annotations

from cyclopts import App

from config import VERSION

app = App(
    name="sanke",
    version=VERSION,
    help="Three Classrooms 三个课堂: plan, hold and prove a county's remote lessons.",
)
app.command("api.cli.serve:serve", name="serve")
app.command("api.cli.demo:demo", name="demo")
app.command("api.cli.importing:import_county", name="import")
app.command("api.cli.planning:plan", name="plan")
app.command("api.cli.relay_worker:relay", name="relay")
app.command("api.cli.plan_worker:plan_worker", name="plan-worker")
app.command("api.cli.rolling:roll_over", name="roll-over")
app.command("api.cli.bench:app", name="bench")
app.command("api.cli.audit:app", name="audit")
app.command("api.cli.accounts:app", name="account")


def main() -> None:
    """Entry point of the ``sanke`` script."""
    app()
