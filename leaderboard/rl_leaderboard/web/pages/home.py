"""The home page: what this is, the units, and what happens now."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
