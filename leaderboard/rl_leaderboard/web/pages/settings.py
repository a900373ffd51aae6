"""A person's settings: privacy, tokens, export, deletion."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
