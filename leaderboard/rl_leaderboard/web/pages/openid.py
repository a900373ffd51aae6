"""Signing in with an OpenID provider."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
