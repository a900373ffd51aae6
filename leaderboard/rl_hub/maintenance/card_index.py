"""Checks of what listings know of cards against the cards."""

import json
from collections.abc import Iterator

from sqlalchemy import Connection, Row, func, select

from rl_hub import cards
from rl_hub.database import tables
from rl_hub.hub import Hub
from rl_hub.maintenance.findings import Findings

_repositories, _kept, _tags = tables.repositories.c, tables.repository_cards.c, tables.repository_tags.c
