"""Where a Hub tells us of commits."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/v1")
