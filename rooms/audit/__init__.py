"""The audit log: an RFC 6962 Merkle tree, appended in the same transaction as the act it records."""

from __future__ import annotations

from rooms.audit.log import append

__all__ = ["append"]
