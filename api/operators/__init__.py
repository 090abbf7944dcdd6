"""The operator's desk: accounts, classroom devices, encoders, assistants, and how the system is. Pages under ``/operator``, JSON under ``/api/operator``."""

from api.operators import accounts, assistants, devices, encoders, relays, state
from api.operators.desk import routes

__all__ = ["accounts", "assistants", "devices", "encoders", "relays", "routes", "state"]
