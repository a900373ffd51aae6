"""Signing in and out."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
