"""One after the other: whoever writes plans or dated lessons of a county."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from rooms.tables import County


async def take_turn(session: AsyncSession, county: str) -> None:
    """Waits until nobody else writes plans or dated lessons of the county; what is looked at from here on stands until the end.

    Two who find the same lesson missing, the same hour free or the same number unused would else both write it: on PostgreSQL
    transactions meet at the audit log only, which comes last, and so the turn comes before its first entry.
    """
    await session.get(County, county, with_for_update={"key_share": True})
