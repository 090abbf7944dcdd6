"""Appending to the audit log: one sequencer, in the transaction of the act itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit.leaf import Leaf, opening
from rooms.audit.merkle import extended, leaf_hash
from rooms.refusals import Unavailable
from rooms.store import Actor
from rooms.tables import AuditHead, AuditLeaf, AuditPersonal

HEAD = 1


async def append(
    session: AsyncSession,
    actor: Actor,
    action: str,
    object: str,
    *,
    county: str | None = None,
    at: datetime,
    result: str = "ok",
    facts: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
) -> int:
    """Append an entry to the log within the act's own transaction and return its index.

    `action` is a dotted code (``plan.publish``), `object` names what was acted on (``plan:12``). `facts` must be JSON and hold
    no personal data; `personal` (and the actor's address) enter the log as salted commitments only, their values are kept
    apart and can be erased. The head row is locked until the transaction ends: append last. Raises `Unavailable`
    ``audit_log_missing`` where the schema was not upgraded: without the entry there is no act.
    """
    size, edge = await locked_head(session)
    private = {**(personal or {}), **({"address": actor.address} if actor.address else {})}
    openings = {name: opening(value) for name, value in private.items()}
    leaf = Leaf(size, at, actor.name, actor.role, action, object, result, county, facts or {}, openings)
    canonical = leaf.canonical()
    hashed = leaf_hash(canonical)
    await session.execute(
        insert(AuditLeaf).values(
            index=size,
            county=county,
            at=at,
            actor=actor.name,
            role=actor.role,
            action=action,
            object=object,
            canonical=canonical,
            leaf_hash=hashed,
        )
    )
    for name, kept in openings.items():
        await session.execute(
            insert(AuditPersonal).values(leaf_index=size, field=name, salt=kept.salt, value=kept.value)
        )
    grown = [subtree.hex() for subtree in extended(size, edge, hashed)]
    await session.execute(update(AuditHead).where(AuditHead.id == HEAD).values(size=size + 1, edge=grown))
    return size


async def locked_head(session: AsyncSession) -> tuple[int, tuple[bytes, ...]]:
    """Size and edge of the log, locked against every other writer until the transaction ends."""
    await session.flush()
    found = await session.execute(select(AuditHead.size, AuditHead.edge).where(AuditHead.id == HEAD).with_for_update())
    row = found.one_or_none()
    if row is None:
        raise Unavailable("audit_log_missing")
    return row.size, tuple(bytes.fromhex(subtree) for subtree in row.edge)
