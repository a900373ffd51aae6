"""What teachers decide about boards and submissions."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
