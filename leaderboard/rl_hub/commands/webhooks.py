"""`python -m rl_hub webhook`: who is told of what happens on this Hub."""

import argparse
import secrets

from rl_hub.accounts import users
from rl_hub.commands.opening import opened
from rl_hub.commands.subparsers import Subparsers
from rl_hub.commands.tables import show
from rl_hub.errors import CommandError
from rl_hub.events import deliveries, webhooks
from rl_hub.events.webhooks import Watched
from rl_hub.settings import Settings


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `webhook`."""
    webhook = subparsers.add_parser("webhook", help="add, list and delete webhooks")
    actions = webhook.add_subparsers(metavar="action", required=True)

    add = actions.add_parser("add", help="have an address called for each event; its secret is shown once")
    add.add_argument("url", help="the address")
    add.add_argument(
        "watched", nargs="+", help="user:NAME or org:NAME for all their repositories, or model:OWNER/NAME and the like"
    )
    add.add_argument("--owner", default=users.ADMINISTRATOR, help="an administrator (default: %(default)s)")
    add.set_defaults(run=add_webhook)

    actions.add_parser("list", help="list all webhooks, and what they wait for").set_defaults(run=list_webhooks)

    for name, function, sentence in (
        ("enable", enable_webhook, "have a webhook called from now on"),
        ("disable", disable_webhook, "have a webhook not called any more"),
        ("delete", delete_webhook, "delete a webhook"),
    ):
        action = actions.add_parser(name, help=sentence)
        action.add_argument("id", help="as the list shows it")
        action.set_defaults(run=function)


def add_webhook(settings: Settings, options: argparse.Namespace) -> int:
    """Adds a webhook, with a new secret."""
    watched = [_watched(text) for text in options.watched]
    secret = secrets.token_urlsafe(24)
    with opened(settings) as hub, hub.database.write() as connection:
        owner = users.get(connection, options.owner)
        if not owner.is_admin:
            raise CommandError(f"{owner.name} is no administrator: give --owner the name of one.")
        webhook = webhooks.create(connection, owner.id, options.url, watched, secret=secret)
    print(f"Added webhook {webhook.id}.")
    print(f"What it receives has this in the header X-Webhook-Secret, shown this once: {secret}")
    return 0


def list_webhooks(settings: Settings, _options: argparse.Namespace) -> int:
    """Lists all webhooks."""
    with opened(settings) as hub, hub.database.read() as connection:
        rows = []
        for webhook in webhooks.list_all(connection):
            backlog = deliveries.backlog(connection, webhook.id)
            last = backlog.last_delivered_at
            rows.append(
                (
                    webhook.id,
                    "yes" if webhook.enabled else "no",
                    " ".join(f"{item.type}:{item.name}" for item in webhook.watched),
                    f"{last:%Y-%m-%d %H:%M}" if last else "",
                    str(backlog.waiting),
                    backlog.last_error or "",
                    webhook.url,
                )
            )
    show(("id", "enabled", "watches", "last delivered", "waiting", "error", "url"), rows)
    return 0


def enable_webhook(settings: Settings, options: argparse.Namespace) -> int:
    """Enables a webhook."""
    return _switch(settings, options.id, enabled=True)


def disable_webhook(settings: Settings, options: argparse.Namespace) -> int:
    """Disables a webhook."""
    return _switch(settings, options.id, enabled=False)


def delete_webhook(settings: Settings, options: argparse.Namespace) -> int:
    """Deletes a webhook."""
    with opened(settings) as hub, hub.database.write() as connection:
        webhooks.remove(connection, options.id)
    print("Deleted: it is not called any more.")
    return 0


def _switch(settings: Settings, webhook_id: str, *, enabled: bool) -> int:
    with opened(settings) as hub, hub.database.write() as connection:
        webhooks.change(connection, webhook_id, enabled=enabled)
    print("Enabled: it is called from the next event on." if enabled else "Disabled: it is not called any more.")
    return 0


def _watched(text: str) -> Watched:
    """What `user:alice` and the like stand for.

    Raises:
        CommandError: If the type is missing.
    """
    kind, colon, name = text.partition(":")
    if not colon:
        raise CommandError(f"{text} does not say what it is. Write user:{text}, or model:OWNER/NAME and the like.")
    return Watched(kind, name)
