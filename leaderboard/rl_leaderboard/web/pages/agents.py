"""The page of an agent: its scores, episodes, history."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
