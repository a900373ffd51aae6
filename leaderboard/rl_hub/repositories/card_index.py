"""What listings know of a repository from its card."""

import json

from sqlalchemy import Connection, delete, insert, update

from rl_hub import cards
from rl_hub.blobs import BlobStore
from rl_hub.database.tables import repository_cards, repository_tags
from rl_hub.errors import BadRequest
from rl_hub.repositories import contents, trees
from rl_hub.repositories.catalog import Repository

FILE_NAME = "README.md"


def read(connection: Connection, blobs: BlobStore, tree: str, limit: int) -> cards.Card:
    """The card of a tree; an empty one if it has none, or one that is no text.

    Args:
        connection: Any transaction.
        blobs: The contents of files.
        tree: The id of a root folder.
        limit: Bytes of the largest README.md that is looked at.
    """
    entry = trees.entry_in(connection, tree, FILE_NAME)
    if entry is None or entry.is_folder:
        return cards.Card()
    content = contents.of_stored(connection, entry.oid)
    if content.size > limit:
        return cards.Card()
    return cards.parse_card(blobs.read(content.sha256, limit).decode(errors="replace"))


def check(content: bytes) -> cards.Card:
    """The card that a commit brings.

    Raises:
        BadRequest: If leaderboards could not read it.
    """
    try:
        card = cards.parse_card(content.decode())
    except UnicodeDecodeError:
        raise BadRequest("README.md is not a text in UTF-8. Save it as UTF-8 and push again.") from None
    if card.errors:
        raise BadRequest("Invalid metadata in README.md.\n" + "\n".join(f"- {error}" for error in card.errors))
    return card


def as_columns(index: cards.CardIndex) -> dict[str, str | None]:
    """An index as the table `repository_cards` keeps it."""
    return {
        "data": index.data_json,
        "tags": json.dumps(index.tags, ensure_ascii=False, separators=(",", ":")),
        "library_name": index.library_name,
        "pipeline_tag": index.pipeline_tag,
    }


def touch(connection: Connection, repository: Repository) -> None:
    """Keeps the card and takes over the repository's time: tags are listed in its order."""
    mine = repository_tags.c.repository_id == repository.id
    connection.execute(update(repository_tags).where(mine).values(last_modified=repository.last_modified))


def write(connection: Connection, repository: Repository, card: cards.Card) -> None:
    """Puts the card of the main branch's head, and its time, into the tables that listings read.

    Args:
        connection: A write transaction.
        repository: The repository as it is after the commit.
        card: The head's card.
    """
    index = cards.index(card, repository.kind)
    values = as_columns(index)
    connection.execute(update(repository_cards).where(repository_cards.c.repository_id == repository.id).values(values))
    connection.execute(delete(repository_tags).where(repository_tags.c.repository_id == repository.id))
    rows = [
        {"repository_id": repository.id, "tag": tag, "last_modified": repository.last_modified} for tag in index.tags
    ]
    if rows:
        connection.execute(insert(repository_tags), rows)
