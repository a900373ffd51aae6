"""What administrators decide: roles, audit log."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
