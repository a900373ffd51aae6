"""A student's progress."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
