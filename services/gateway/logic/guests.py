"""Guests: one browser's own drafts, without an account."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.identity import GUEST_LIFE_S, sign_guest
from shared.settings import Secret


@dataclass(frozen=True, slots=True)
class NewGuest:
    id: str
    token: str
    expires_at: datetime


def new_guest(secret: Secret, now: datetime) -> NewGuest:
    """Nothing is stored: the signature is the whole proof."""
    guest = f"gst-{secrets.token_hex(12)}"
    return NewGuest(guest, sign_guest(guest, secret, now.timestamp()), now + timedelta(seconds=GUEST_LIFE_S))
